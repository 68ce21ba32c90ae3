"""Where words stand: turns become rows in which time runs downwards for everybody.

Whoever talks alone has the whole width. While several talk at once the row is split, a cell for each of them, so that
what stands in one row was said at about the same time; when the others are silent the row is whole again.
Pure: no terminal and no colours (`lines.py` draws). Not covered: which turns there are (`view.py`), pages (`pages.py`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len, chop_cells

from meetscribe.events import Turn
from meetscribe.sinks.columns import ShownWord, words_of
from meetscribe.timeline import SAMPLE_RATE

LEAD = 2  # columns in front of a cell's words: a bar and a space
_BETWEEN = 1  # columns between two cells
_NARROWEST_CELL = 18  # columns of words below which a row is not split once more
_LONGEST_LABEL = 12  # columns of a name in front of words
_CHARACTERS_PER_SECOND = 20  # of fast speech: how far ahead a row looks for somebody who joins in


@dataclass(frozen=True, slots=True)
class Marker:
    """A line between turns at sample `at`: a gap, a bookmark, a change of state; `kind` decides how it looks."""

    at: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """A turn to be shown: `firm` of its words will not change; `final`: it is finished."""

    turn: Turn
    firm: int
    final: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """How a row of `width` columns is divided: columns for the time and for the name (0: names stand in cells)."""

    width: int
    time: int
    name: int

    @classmethod
    def of(cls, width: int) -> "Shape":
        """Return the shape of a transcript that is `width` columns wide."""
        if width < 60:
            return cls(width, 0, 0)
        return cls(width, 8, 9 if width < 100 else 13)

    @property
    def gutter(self) -> int:
        """Return the columns in front of the first cell."""
        return self.time + self.name

    @property
    def most(self) -> int:
        """Return how many cells a row can have."""
        return max((self.width - self.gutter + _BETWEEN) // (_NARROWEST_CELL + LEAD + _BETWEEN), 1)

    def cell(self, cells: int) -> int:
        """Return the columns for words in each of a row's cells."""
        free = self.width - self.gutter - cells * LEAD - (cells - 1) * _BETWEEN
        return max(free // cells, 1)

    def left(self, cells: int, number: int) -> int:
        """Return the column in which a cell's bar stands."""
        return self.gutter + number * (self.cell(cells) + LEAD + _BETWEEN)


@dataclass(slots=True)
class Cell:
    """The words of one turn in a row; `begins`: its first ones; `label`: the speaker's name, where it is shown."""

    turn: Turn
    words: list[ShownWord] = field(default_factory=list)
    begins: bool = False
    label: str = ""
    used: int = 0  # columns


@dataclass(slots=True)
class Row:
    """A row of the transcript from sample `time` on: a marker, or a cell for each who talks."""

    time: int
    cells: list[Cell] = field(default_factory=list)
    marker: Marker | None = None

    def cell_of(self, turn: str) -> int | None:
        """Return the number of a turn's cell."""
        for number, cell in enumerate(self.cells):
            if cell.turn.id == turn:
                return number
        return None


def lay_out(
    said: Sequence[Said],
    markers: Sequence[Marker],
    shape: Shape,
    label: Callable[[Turn], str],
    within: tuple[int, int | None] = (0, None),
) -> list[Row]:
    """Return the rows of turns and markers.

    Args:
        said: the turns, in any order.
        markers: what stands between them, by time.
        shape: of a row.
        label: gives what a turn's speaker is called.
        within: words from this sample up to, not including, that one (None: the end) are laid out.
    """
    builder = _Builder([turns.turn for turns in said], shape, label)
    by_turn = shape.most == 1
    words = _in_order(said, within, by_turn)
    waiting = iter(markers)
    marker = next(waiting, None)
    for word in words:
        time = word.turn.start if by_turn else word.time
        while marker is not None and marker.at <= time:
            builder.mark(marker)
            marker = next(waiting, None)
        builder.add(word)
    while marker is not None:
        builder.mark(marker)
        marker = next(waiting, None)
    return builder.rows


def _in_order(said: Iterable[Said], within: tuple[int, int | None], by_turn: bool) -> list[ShownWord]:
    """Return the words by time, or turn after turn where there is room for one cell only."""
    first, last = within
    words = [
        word
        for one in said
        for word in words_of(one.turn, one.firm)
        if first <= word.time and (last is None or word.time < last)
    ]
    if by_turn:
        return sorted(words, key=lambda word: (word.turn.start, word.turn.id, word.number))
    return sorted(words, key=lambda word: (word.time, word.turn.start, word.turn.id, word.number))


class _Builder:
    """Fills rows word by word."""

    def __init__(self, turns: Iterable[Turn], shape: Shape, label: Callable[[Turn], str]) -> None:
        self.rows: list[Row] = []
        self._shape, self._label = shape, label
        self._ahead = shape.cell(2) * SAMPLE_RATE // _CHARACTERS_PER_SECOND
        self._lanes, self._rivals = _lanes(turns) if shape.most > 1 else ({}, {})
        self._last: dict[int, str] = {}  # the turn that each place of a row was last given to
        self._begun: set[str] = set()

    def mark(self, marker: Marker) -> None:
        """Add a marker in a row of its own."""
        self.rows.append(Row(marker.at, marker=marker))

    def add(self, word: ShownWord) -> None:
        """Add a word to its turn's cell, in a new row if need be."""
        row = self.rows[-1] if self.rows else None
        number = row.cell_of(word.turn.id) if row is not None and row.marker is None else None
        if row is None or number is None or self._splits(row, word) or not self._fits(row, number, word):
            row = self._new_row(word)
            number = row.cell_of(word.turn.id) or 0
        first, *rest = self._parts(row, word)
        self._put(row, number, first)
        for part in rest:
            row = self._new_row(word)
            self._put(row, row.cell_of(word.turn.id) or 0, part)

    def _put(self, row: Row, number: int, word: ShownWord) -> None:
        cell = row.cells[number]
        if not cell.words:
            cell.begins = not word.number and word.turn.id not in self._begun
            self._name(cell, number, self._shape.cell(len(row.cells)) - cell_len(word.text) - 2)
        cell.used += cell_len(word.text) + bool(cell.used)
        cell.words.append(word)

    def _name(self, cell: Cell, number: int, room: int) -> None:
        """Say whose cell it is, where the place was another turn's; `room`: columns for a label beside the words."""
        name = cell.turn.id
        self._begun.add(name)
        if self._last.get(number) == name:
            return
        self._last[number] = name
        label = self._label(cell.turn)
        if self._shape.name and not number:
            cell.label = shortened(label, self._shape.name - 1)
        elif room > 1:
            cell.label = f"{shortened(label, min(room - 1, _LONGEST_LABEL))}:"
            cell.used = cell_len(cell.label)

    def _splits(self, row: Row, word: ShownWord) -> bool:
        """Say whether a row that has a single cell has to end because somebody else began to talk."""
        if len(row.cells) > 1 or not row.cells[0].words:
            return False
        return any(other.start <= word.time < other.end for other in self._rivals.get(word.turn.id, ()))

    def _fits(self, row: Row, number: int, word: ShownWord) -> bool:
        cell = row.cells[number]
        return not cell.words or cell.used + 1 + cell_len(word.text) <= self._shape.cell(len(row.cells))

    def _new_row(self, word: ShownWord) -> Row:
        """Begin a row with a cell for everybody who talks, or will before the cell of this word is full."""
        time = word.time
        here = {self._lanes.get(word.turn.id, 0): word.turn}
        for other in self._rivals.get(word.turn.id, ()):
            is_here = other.start < time + self._ahead and other.end > time
            if is_here and len(here) < self._shape.most:
                here.setdefault(self._lanes[other.id], other)
        row = Row(time, [Cell(turn) for _, turn in sorted(here.items())])
        self.rows.append(row)
        return row

    def _parts(self, row: Row, word: ShownWord) -> list[ShownWord]:
        """Cut a word that is wider than a cell."""
        width = self._shape.cell(len(row.cells))
        if cell_len(word.text) <= width:
            return [word]
        cut = chop_cells(word.text, max(width, 2))
        return [ShownWord(word.turn, word.number, text, word.time, word.firm) for text in cut]


def shortened(text: str, width: int) -> str:
    """Return text in at most `width` columns, with an ellipsis where something was cut off."""
    if cell_len(text) <= width:
        return text
    return chop_cells(text, max(width - 1, 1))[0] + "…" if width > 1 else "…"


def _lanes(turns: Iterable[Turn]) -> tuple[dict[str, int], dict[str, list[Turn]]]:
    """Give each turn the lowest place that is free when it begins; return it, and with whom each turn shares time."""
    lanes: dict[str, int] = {}
    rivals: dict[str, list[Turn]] = {}
    talking: list[Turn] = []
    for turn in sorted(turns, key=lambda turn: (turn.start, turn.end, turn.id)):
        talking = [other for other in talking if other.end > turn.start]
        taken = {lanes[other.id] for other in talking}
        lanes[turn.id] = next(lane for lane in range(len(taken) + 1) if lane not in taken)
        for other in talking:
            rivals.setdefault(other.id, []).append(turn)
            rivals.setdefault(turn.id, []).append(other)
        talking.append(turn)
    return lanes, rivals
