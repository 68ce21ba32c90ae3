"""The turns of one channel, over all the streams that heard it: their ids, what is open, and where to begin again.

A stream numbers its turns from 1; a meeting has many streams. What a new stream hears again of turns that are final is
left out (`again.py`).
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

from meetscribe.events import Event, Final, Partial, Turn, TurnEnd, TurnStart
from meetscribe.session.again import without_known
from meetscribe.timeline import SAMPLE_RATE

UNNOTICED = 5 * SAMPLE_RATE
"""A turn is noticed at the latest so long after it began."""

_LEAD = SAMPLE_RATE // 4  # before an open turn's start, where a new stream begins
_REMEMBERED = 120 * SAMPLE_RATE  # no turn lasts so long


class OpenTurn(NamedTuple):
    """Where a turn is that goes on."""

    slot: int
    start: int


class Course:
    """What was heard of one channel.

    Args:
        channel: its number, None for the mix of all.
        new_id: gives the next turn's id.
        finals: turns of the channel that are final already.
    """

    def __init__(self, channel: int | None, new_id: Callable[[], str], finals: Iterable[Turn] = ()) -> None:
        self._channel, self._new_id = channel, new_id
        self._finals = deque(finals)
        self._last_end = max((turn.end for turn in self._finals), default=0)
        self._known: list[Turn] = []
        self._known_until = 0
        self._ids: dict[str, str] = {}  # of the stream's turns that were shown
        self.open: dict[str, OpenTurn] = {}  # turns that are shown and not final

    def begin(self, start: int) -> None:
        """Take notice that a new stream begins."""
        self._ids = {}
        self._known = [turn for turn in self._finals if turn.end > start]
        self._known_until = max((turn.end for turn in self._known), default=0)

    def place(self, event: Event) -> list[Event]:
        """Return what a stream's event is in the meeting: nothing, where it was heard before."""
        match event:
            case TurnStart(turn=name, start=start):
                if start < self._known_until:
                    return []  # it is shown when it has words that are new
                return [replace(event, turn=self._show(name, event.slot, start))]
            case TurnEnd(turn=name):
                if name not in self._ids:
                    return []
                self.open.pop(self._ids[name], None)
                return [replace(event, turn=self._ids[name])]
            case Partial(turn=turn):
                new = without_known(turn, self._known)
                if new is None:
                    return []
                firm = max(event.stable - (len(turn.words) - len(new.words)), 0)
                return [*self._start_of(new, event.at), replace(event, turn=self._named(new), stable=firm)]
            case Final(turn=turn):
                new = without_known(turn, self._known)
                return [] if new is None else [replace(event, turn=self._finish(self._named(new)))]
        return [event]

    def withdraw(self, at: int) -> list[Event]:
        """Return the ends of the turns whose stream was lost; they come again, as others."""
        ends: list[Event] = [
            TurnEnd(at=max(at, start), turn=turn, slot=slot, end=start)
            for turn, (slot, start) in self.open.items()
        ]
        self.open, self._ids = {}, {}
        return ends

    def resume(self, heard: int) -> int:
        """Return from where a new stream has to hear, if this one was heard up to `heard`, so that nothing is lost."""
        starts = (turn.start for turn in self.open.values())
        return resume_point(starts, self._finals, max(self._last_end, heard - UNNOTICED))

    def _show(self, name: str, slot: int, start: int) -> str:
        turn = self._ids[name] = self._new_id()
        self.open[turn] = OpenTurn(slot, start)
        return turn

    def _start_of(self, turn: Turn, at: int) -> list[Event]:
        """Return the start of a turn that was not shown yet."""
        if turn.id in self._ids:
            return []
        shown = self._show(turn.id, turn.slot, turn.start)
        return [TurnStart(at=at, turn=shown, slot=turn.slot, start=turn.start)]

    def _named(self, turn: Turn) -> Turn:
        id = self._ids.get(turn.id) or self._show(turn.id, turn.slot, turn.start)
        overlaps = tuple(self._ids[other] for other in turn.overlaps if other in self._ids)
        return replace(turn, id=id, channel=self._channel, overlaps=overlaps)

    def _finish(self, turn: Turn) -> Turn:
        self.open.pop(turn.id, None)
        self._finals.append(turn)
        self._last_end = max(self._last_end, turn.end)
        while self._finals[0].end < self._last_end - _REMEMBERED:
            self._finals.popleft()
        return turn


def resume_point(open_starts: Iterable[int], finals: Iterable[Turn], otherwise: int) -> int:
    """Return where to begin again: before the first open turn, but after what was final before it."""
    first = min(open_starts, default=None)
    if first is None:
        return otherwise
    ends = (turn.end for turn in finals if turn.end <= first)
    return max(first - _LEAD, max(ends, default=0))
