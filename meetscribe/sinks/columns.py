"""Two people side by side: turns of both slots become rows in which time runs downwards for both.

Words are put into rows by their time, slot 0 into the left cell and slot 1 into the right one, and a row ends for both
when a cell is full. A turn begins a new row, unless somebody is talking already: then it begins in the other cell of
the same row. Two cells of one row are thus said at about the same time.
Pure: no terminal, no colours (`screen.py` draws). Not covered: more than two slots, names of speakers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rich.cells import cell_len, chop_cells

from meetscribe.events import Turn
from meetscribe.timeline import SAMPLE_RATE

SLOTS = 2
_SETTLED = (
    2 * SAMPLE_RATE
)  # samples after which nobody is expected to turn out to have begun to speak earlier


@dataclass(frozen=True, slots=True)
class ShownWord:
    """A word of a turn: the `number`-th, said at sample `time`; `firm`: it will not change."""

    turn: Turn
    number: int
    text: str
    time: int
    firm: bool


@dataclass(slots=True)
class Cell:
    """The words of one slot in a row, all of one turn; `begins`: the turn was not in the row before."""

    words: list[ShownWord] = field(default_factory=list)
    begins: bool = False

    @property
    def width(self) -> int:
        """Return how many columns of a terminal the words take."""
        return sum(cell_len(word.text) + 1 for word in self.words) - 1 if self.words else 0

    def holds_other(self, turn: Turn) -> bool:
        """Say whether there are words of another turn than this."""
        return bool(self.words) and self.words[0].turn.id != turn.id


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the screen: a cell for each slot."""

    cells: tuple[Cell, Cell] = field(default_factory=lambda: (Cell(), Cell()))

    @property
    def words(self) -> list[ShownWord]:
        """Return the words of both cells."""
        return [word for cell in self.cells for word in cell.words]

    def takes(self, word: ShownWord, width: int, is_new: bool) -> bool:
        """Say whether the row can hold one more word in a cell of `width`; `is_new`: its turn begins with it."""
        cell, other = (self.cells[side] for side in (word.turn.slot % SLOTS, 1 - word.turn.slot % SLOTS))
        if cell.holds_other(word.turn):
            return False
        if cell.words:
            return cell.width + 1 + cell_len(word.text) <= width
        return not (is_new and other.words) or word.turn.start < other.words[0].turn.end


def words_of(turn: Turn, stable: int) -> Iterator[ShownWord]:
    """Yield a turn's words with times that never run backwards; the first `stable` are firm.

    Where the words' times do not belong to the text, they are spread evenly over the turn.
    """
    texts, latest = turn.text.split(), turn.start
    own = [word.start for word in turn.words]
    if len(own) != len(texts):
        own = [turn.start + (turn.end - turn.start) * n // len(texts) for n in range(len(texts))]
    for number, (text, time) in enumerate(zip(texts, own, strict=True)):
        latest = max(latest, time)
        yield ShownWord(turn, number, text, latest, number < stable)


def in_rows(words: Iterable[ShownWord], width: int, shown: tuple[str, str] = ("", "")) -> list[Row]:
    """Return rows with cells of at most `width` columns.

    Args:
        words: of all turns, by time.
        width: of a cell's text; longer words are cut into several.
        shown: the turn that each slot's column ended with above these rows; it goes on without beginning again.
    """
    rows: list[Row] = []
    last: list[str] = list(shown)
    for word in words:
        side = word.turn.slot % SLOTS
        for part in _parts(word, width):
            is_new = last[side] != word.turn.id
            if not rows or not rows[-1].takes(part, width, is_new):
                rows.append(Row())
            cell = rows[-1].cells[side]
            cell.begins |= is_new
            cell.words.append(part)
            last[side] = word.turn.id
    return rows


def _parts(word: ShownWord, width: int) -> list[ShownWord]:
    """Cut a word that is wider than a cell."""
    if cell_len(word.text) <= width:
        return [word]
    return [
        ShownWord(word.turn, word.number, text, word.time, word.firm) for text in chop_cells(word.text, width)
    ]


class Columns:
    """What is being said and what was said just now; rows that will not change are taken off for good."""

    def __init__(self) -> None:
        self._open: dict[
            str, tuple[Turn, int]
        ] = {}  # turns in progress, and how many of their words are firm
        self._done: dict[str, Turn] = {}  # finished turns that were not taken whole
        self._taken: dict[str, int] = {}  # words of them that were taken
        self._shown: tuple[str, str] = ("", "")  # the turn that each column ended with when rows were taken

    def update(self, turn: Turn, stable: int) -> None:
        """Take a turn in progress, whose first `stable` words are firm."""
        self._open[turn.id] = (turn, stable)

    def finish(self, turn: Turn) -> None:
        """Take a finished turn."""
        self.drop(turn.id)
        self._done[turn.id] = turn

    def drop(self, turn_id: str) -> None:
        """Forget what a turn in progress says: it is over, and finished words may follow or not."""
        self._open.pop(turn_id, None)

    def rows(self, width: int) -> list[Row]:
        """Return the rows that were not taken, with cells of `width` columns."""
        return in_rows(self._words(), width, self._shown)

    def take(self, width: int, now: int) -> list[Row]:
        """Take off the first rows, as far as they will not change; `now` is the meeting time (samples).

        While nobody speaks these are all rows. Else they are those before the last one whose words are all firm, older
        than the first word that is not, and so old that no turn can turn out to have begun meanwhile.
        """
        rows = self.rows(width)
        if self._open:
            limits = [_firm_until(turn, stable) for turn, stable in self._open.values()]
            rows = rows[: _count_before(rows, min(now - _SETTLED, *limits))]
        self._take(rows)
        return rows

    def take_finished(self) -> list[Turn]:
        """Take off all finished turns, by start, for a screen without columns."""
        turns = sorted(self._done.values(), key=lambda turn: (turn.start, turn.id))
        for turn in turns:
            del self._done[turn.id]
            self._taken.pop(turn.id, None)
        return turns

    def unfinished(self) -> list[tuple[Turn, int]]:
        """Return the turns in progress by slot, each with the number of its firm words."""
        return sorted(self._open.values(), key=lambda held: (held[0].slot, held[0].start))

    def _words(self) -> list[ShownWord]:
        held = [*((turn, len(turn.text.split())) for turn in self._done.values()), *self._open.values()]
        words = [
            word
            for turn, stable in held
            for word in words_of(turn, stable)
            if word.number >= self._taken.get(turn.id, 0)
        ]
        return sorted(words, key=lambda word: (word.time, word.turn.start, word.turn.id))

    def _take(self, rows: list[Row]) -> None:
        """Remember what was taken."""
        shown: list[str] = list(self._shown)
        for row in rows:
            for word in row.words:
                self._taken[word.turn.id] = word.number + 1
                shown[word.turn.slot % SLOTS] = word.turn.id
        self._shown = (shown[0], shown[1])
        for turn in list(self._done.values()):
            if self._taken.get(turn.id, 0) >= len(turn.text.split()):
                del self._done[turn.id]
                self._taken.pop(turn.id, None)


def _firm_until(turn: Turn, stable: int) -> int:
    """Return the sample up to which a turn in progress will not change."""
    loose = (word.time for word in words_of(turn, stable) if not word.firm)
    return next(loose, turn.end)


def _count_before(rows: list[Row], limit: int) -> int:
    """Return how many of the first rows, never the last, are firm and before sample `limit`."""
    ready = 0
    while ready < len(rows) - 1 and all(word.firm and word.time < limit for word in rows[ready].words):
        ready += 1
    while ready > 0 and _share_a_word(rows[ready - 1], rows[ready]):
        ready -= 1
    return ready


def _share_a_word(upper: Row, lower: Row) -> bool:
    """Say whether a word that is wider than a cell begins in one row and goes on in the next."""
    above = {(word.turn.id, word.number) for word in upper.words}
    return any((word.turn.id, word.number) in above for word in lower.words)
