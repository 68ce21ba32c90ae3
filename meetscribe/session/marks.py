"""How far a meeting was transcribed, written beside its recording: what another start needs that no durable event says.

Without it a turn that was going on while another one ended could not be told from silence. It holds ids and times, and
nothing that was said.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from meetscribe.events import Turn
from meetscribe.session.course import UNNOTICED, resume_point

_MIX = "mix"


@dataclass(frozen=True)
class Mark:
    """One stream: up to where it was heard, and where the turns began that were open."""

    heard: int = 0
    open: Mapping[str, int] = field(default_factory=dict)

    def resume(self, finals: Iterable[Turn]) -> int:
        """Return from where it has to be heard again, given the turns that are final (some since the mark)."""
        finals = list(finals)
        done = {turn.id for turn in finals}
        starts = [start for id, start in self.open.items() if id not in done]
        last = max((turn.end for turn in finals), default=0)
        return resume_point(starts, finals, max(last, self.heard - UNNOTICED))


@dataclass(frozen=True)
class Marks:
    """All streams of a meeting, by their channel (None: the mix)."""

    mixed: bool
    streams: Mapping[int | None, Mark]

    def dumps(self) -> str:
        """Return them as text."""
        streams = {
            _MIX if channel is None else str(channel): {"heard": mark.heard, "open": dict(mark.open)}
            for channel, mark in self.streams.items()
        }
        return json.dumps({"mixed": self.mixed, "streams": streams})


def loads(text: str | None) -> Marks | None:
    """Return the marks of a text; None where there are none, or they are damaged."""
    try:
        value = json.loads(text or "")
        streams = {
            None if name == _MIX else int(name): Mark(
                int(mark["heard"]), {str(id): int(start) for id, start in mark["open"].items()}
            )
            for name, mark in value["streams"].items()
        }
        return Marks(bool(value["mixed"]), streams)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
