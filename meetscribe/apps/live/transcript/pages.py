"""A transcript of any length in pages, so that what happens at its end never touches the hours before.

A page holds what was said from its time to the next page's, as rows that are laid out once and again only when
something in it changes. A new page begins where nobody spoke; where that does not come, a page that has grown long is
cut at words that are firm. Words go where their time belongs, so turns may reach over several pages.
Pure: no terminal. Not covered: which turns there are (`view.py`).
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from meetscribe.apps.live.transcript.layout import Marker, Row, Said, Shape, lay_out
from meetscribe.events import Turn
from meetscribe.timeline import SAMPLE_RATE

_PAUSE = SAMPLE_RATE * 3 // 10  # samples of silence in which a new page begins
_SETTLED = (
    2 * SAMPLE_RATE
)  # samples after which nobody is expected to turn out to have begun to speak earlier
_LONG = 48  # rows of a page that is cut even if nobody pauses


@dataclass(slots=True)
class _Page:
    """What was said from sample `start` on."""

    start: int
    turns: dict[str, None] = field(default_factory=dict)  # ids, as an ordered set
    markers: list[Marker] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    is_dirty: bool = True
    is_forced: bool = False  # it begins where somebody spoke, because the page before had grown long


class Pages:
    """The rows of a transcript that is `width` columns wide; `label` gives what a turn's speaker is called."""

    def __init__(self, label: Callable[[Turn], str]) -> None:
        self._label = label
        self._shape = Shape.of(80)
        self._pages = [_Page(0)]
        self._starts = [0]
        self._tops = [0, 0]  # the first row of each page, and the number of all rows
        self._said: dict[str, Said] = {}
        self._open: set[str] = set()  # turns in progress
        self._end = 0  # of the latest turn
        self._first_dirty = 0

    @property
    def shape(self) -> Shape:
        """Return how rows are divided."""
        return self._shape

    def resize(self, width: int) -> None:
        """Lay everything out anew, `width` columns wide."""
        if width != self._shape.width:
            self._shape = Shape.of(width)
            self._soil(range(len(self._pages)))

    def put(self, said: Said) -> None:
        """Show a turn, or show it anew."""
        turn = said.turn
        self.remove(turn.id)
        if not self._open and turn.start >= self._end + _PAUSE and self._pages[-1].turns:
            self._cut(max(turn.start - _PAUSE // 2, self._starts[-1] + 1))
        self._said[turn.id] = said
        if not said.final:
            self._open.add(turn.id)
        self._end = max(self._end, turn.end)
        for number in reversed(self._reach(turn)[1:]):
            if not self._pages[number].is_forced:
                self._join(number)
        for number in self._reach(turn):
            self._pages[number].turns[turn.id] = None
            self._soil([number])

    def remove(self, turn: str) -> None:
        """Show a turn no longer."""
        held = self._said.pop(turn, None)
        self._open.discard(turn)
        if held is not None:
            for number in self._reach(held.turn):
                self._pages[number].turns.pop(turn, None)
                self._soil([number])

    def mark(self, marker: Marker) -> None:
        """Add a marker."""
        number = bisect_right(self._starts, marker.at) - 1
        page = self._pages[number]
        page.markers.append(marker)
        page.markers.sort(key=lambda known: known.at)
        self._soil([number])

    def unmark(self, marker: Marker) -> None:
        """Take a marker away."""
        number = bisect_right(self._starts, marker.at) - 1
        self._pages[number].markers.remove(marker)
        self._soil([number])

    def relabel(self, turns: Collection[str]) -> None:
        """Lay out anew where these turns stand: their speakers are called something else."""
        for turn in turns:
            if turn in self._said:
                self._soil(self._reach(self._said[turn].turn))

    def said(self, turn: str) -> Said | None:
        """Return a turn as it is shown."""
        return self._said.get(turn)

    def lay_out(self, now: int) -> int:
        """Bring all rows up to date; `now` is the meeting time (samples). Return the first row that may be new."""
        first = self._first_dirty
        if first >= len(self._pages):
            return len(self)
        number = first
        while number < len(self._pages):
            self._refresh(number)
            if number == len(self._pages) - 1:
                self._cut_long_page(now)
            number += 1
        del self._tops[first + 1 :]
        for page in self._pages[first:]:
            self._tops.append(self._tops[-1] + len(page.rows))
        self._first_dirty = len(self._pages)
        return self._tops[first]

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._tops[-1]

    def row(self, number: int) -> Row:
        """Return a row."""
        page = bisect_right(self._tops, number) - 1
        return self._pages[page].rows[number - self._tops[page]]

    def row_at(self, time: int) -> int:
        """Return the number of the last row that begins at sample `time` or before it."""
        page = max(bisect_right(self._starts, time) - 1, 0)
        rows = self._pages[page].rows
        before = [number for number, row in enumerate(rows) if row.time <= time]
        return self._tops[page] + (before[-1] if before else 0)

    def rows_of(self, turn: str) -> list[int]:
        """Return the numbers of the rows in which a turn has words."""
        held = self._said.get(turn)
        if held is None:
            return []
        return [
            self._tops[page] + number
            for page in self._reach(held.turn)
            for number, row in enumerate(self._pages[page].rows)
            if any(cell.turn.id == turn and cell.words for cell in row.cells)
        ]

    def _reach(self, turn: Turn) -> range:
        """Return the numbers of the pages in which a turn may have words."""
        first = bisect_right(self._starts, turn.start) - 1
        latest = max([turn.end, *(word.start for word in turn.words)])
        return range(first, max(bisect_right(self._starts, latest), first + 1))

    def _soil(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._pages[number].is_dirty = True
            self._first_dirty = min(self._first_dirty, number)

    def _refresh(self, number: int) -> None:
        """Lay a page out if something in it has changed."""
        page = self._pages[number]
        if page.is_dirty:
            after = self._starts[number + 1] if number + 1 < len(self._starts) else None
            said = [self._said[turn] for turn in page.turns]
            page.rows = lay_out(said, page.markers, self._shape, self._label, (page.start, after))
            page.is_dirty = False

    def _cut(self, time: int) -> None:
        """Begin a new page at sample `time`."""
        last = self._pages[-1]
        page = _Page(time)
        self._pages.append(page)
        self._starts.append(time)
        for turn in list(last.turns):
            reach = self._reach(self._said[turn].turn)
            if reach.stop > len(self._pages) - 1:
                page.turns[turn] = None
            if reach.start == len(self._pages) - 1:
                del last.turns[turn]
        page.markers = [marker for marker in last.markers if marker.at >= time]
        last.markers = [marker for marker in last.markers if marker.at < time]
        self._soil([len(self._pages) - 2, len(self._pages) - 1])

    def _join(self, number: int) -> None:
        """Join a page to the one before: somebody spoke where it began."""
        page, before = self._pages.pop(number), self._pages[number - 1]
        del self._starts[number]
        before.turns.update(page.turns)
        before.markers += page.markers
        self._soil([number - 1])

    def _cut_long_page(self, now: int) -> None:
        """Cut the last page where it has grown long, before the first word that may change."""
        rows = self._pages[-1].rows
        if len(rows) <= _LONG:
            return
        limit, firm = now - _SETTLED, 0
        while firm < len(rows) and rows[firm].time < limit and _is_firm(rows[firm]):
            firm += 1
        places = [
            number
            for number, (above, below) in enumerate(pairwise(rows[:firm]), 1)
            if above.time < below.time
        ]
        later = [number for number in places if number >= _LONG // 2]
        if later:
            self._cut(rows[later[0]].time)
            self._pages[-1].is_forced = True
            self._refresh(len(self._pages) - 2)


def _is_firm(row: Row) -> bool:
    return all(word.firm for cell in row.cells for word in cell.words)
