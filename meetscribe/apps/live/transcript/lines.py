"""Rows as lines of a terminal: names in their speakers' colours, loose words dim, doubtful ones underlined."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from meetscribe.apps.live.palette import Palette
from meetscribe.apps.live.transcript.finding import Found
from meetscribe.apps.live.transcript.layout import LEAD, Cell, Row, Shape, shortened
from meetscribe.events import Turn
from meetscribe.sinks.columns import ShownWord
from meetscribe.timeline import clock

DOUBTFUL = 0.5  # a word heard with less confidence is marked
BAR = "▎"
_SYMBOLS = {
    "gap": "≈",
    "bookmark": "★",
    "off_record": "⊘",
    "end": "■",
    "state listening": "●",
    "state paused": "‖",
}


@dataclass(frozen=True)
class Painter:
    """Draws rows; `number` gives the number of a turn's speaker, `selected` and `found` stand out."""

    palette: Palette
    number: Callable[[Turn], int]
    selected: str | None = None
    found: Mapping[str, Found] = field(default_factory=dict)  # by turn

    def line(self, row: Row, shape: Shape) -> Strip:
        """Return a row as a line of the width of its shape."""
        if row.marker is not None:
            return self._marker(row, shape)
        segments = list(self._gutter(row, shape)) if shape.gutter else []
        for number, cell in enumerate(row.cells):
            place = shape.left(len(row.cells), number)
            _pad(segments, place)
            if cell.words:
                segments += self._cell(cell, inline=bool(number) or not shape.name)
        return Strip(segments).adjust_cell_length(shape.width)

    def _gutter(self, row: Row, shape: Shape) -> Iterator[Segment]:
        """Yield when somebody in the row began, and who has its first cell."""
        time = next((clock(cell.turn.start) for cell in row.cells if cell.begins), "")
        yield Segment(f"{time:>{shape.time - 1}} ", self.palette.faint)
        first = row.cells[0]
        name = first.label.ljust(shape.name - cell_len(first.label) + len(first.label))
        yield Segment(name, self._speaker(first.turn) + Style(bold=True))

    def _cell(self, cell: Cell, inline: bool) -> Iterator[Segment]:
        """Yield a cell: a bar in its speaker's colour, their name where it is new, the words."""
        ground = self.palette.selected if cell.turn.id == self.selected else Style.null()
        yield Segment(BAR + " " * (LEAD - 1), self._speaker(cell.turn))
        space = ""
        if inline and cell.label:
            yield Segment(cell.label, ground + self._speaker(cell.turn) + Style(bold=True))
            space = " "
        for word in cell.words:
            if space:
                yield Segment(space, ground)
            yield Segment(word.text, ground + self._word(word))
            space = " "

    def _word(self, word: ShownWord) -> Style:
        style = Style.null() if word.firm else self.palette.loose
        if is_doubtful(word):
            style += self.palette.doubtful
        if (hit := self.found.get(word.turn.id)) and word.number in hit.words:
            style += self.palette.found
        return style

    def _marker(self, row: Row, shape: Shape) -> Strip:
        """Return a marker as a line: when, a symbol, what."""
        marker = row.marker
        assert marker is not None
        style = self.palette.marker(marker.kind)
        symbol = _SYMBOLS.get(marker.kind, "▲")
        room = shape.width - shape.time
        text = shortened(f"{symbol} {marker.text} ", room)
        time = f"{clock(marker.at):>{shape.time - 1}} " if shape.time else ""
        rule = "─" * max(min(room - cell_len(text), 60), 0)
        return Strip(
            [Segment(time, self.palette.faint), Segment(text, style), Segment(rule, self.palette.faint)]
        ).adjust_cell_length(shape.width)

    def _speaker(self, turn: Turn) -> Style:
        return self.palette.speaker(self.number(turn))


def is_doubtful(word: ShownWord) -> bool:
    """Say whether a word was heard with low confidence; where a turn was corrected nobody doubts its words."""
    heard = word.turn.words
    if word.number >= len(heard) or len(heard) != len(word.turn.text.split()):
        return False
    one = heard[word.number]
    return one.confidence < DOUBTFUL and word.text in one.word


def _pad(segments: list[Segment], place: int) -> None:
    """Fill up with spaces up to a column."""
    length = sum(segment.cell_length for segment in segments)
    if length < place:
        segments.append(Segment(" " * (place - length)))
