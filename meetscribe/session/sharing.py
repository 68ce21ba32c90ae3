"""Turns that share time, whatever stream heard them; a stream knows only its own."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from meetscribe.events import Final, Partial, Turn
from meetscribe.timeline import SAMPLE_RATE, Interval

_REMEMBERED = 120 * SAMPLE_RATE  # for so long a turn may still overlap a later one


class Sharing:
    """The finished turns of the last minutes."""

    def __init__(self) -> None:
        self._recent: deque[Turn] = deque()

    def place(self, event: Final | Partial, hidden: Iterable[Interval]) -> Final | Partial | None:
        """Return a turn's event with all turns that share its time.

        Args:
            event: as its stream made it.
            hidden: what is off the record: a final there is empty, a partial is not shown (None).
        """
        turn = event.turn
        if any(turn.interval.touches(one) for one in hidden):
            return replace(event, turn=turn.redact()) if isinstance(event, Final) else None
        shared = tuple(
            other.id
            for other in self._recent
            if other.id not in turn.overlaps
            and turn.interval.touches(other.interval)
            and (other.channel, other.slot) != (turn.channel, turn.slot)
        )
        if shared:
            event = replace(event, turn=replace(turn, overlaps=(*turn.overlaps, *shared)))
        if isinstance(event, Final):
            self._recent.append(event.turn)
            while self._recent[0].end < event.turn.end - _REMEMBERED:
                self._recent.popleft()
        return event
