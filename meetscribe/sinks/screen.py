"""A meeting in a terminal, two people side by side: slot A on the left, slot B on the right, time running downwards.

What will not change any more scrolls by; below it stands what is being said, words that may still change dimmed, and a
progress bar. Terminals of fewer than 60 columns get one column, with a line for every turn.
Not covered: keys, scrolling back, speakers' names (the full screen of `live` is for that).
"""

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from meetscribe.events import Event, Final, Partial, Progress, Turn, TurnEnd, TurnStart
from meetscribe.sinks.columns import SLOTS, Cell, Columns, Row
from meetscribe.sinks.lines import heading
from meetscribe.timeline import clock

COLOURS = ("cyan", "magenta")  # of the two slots
NARROWEST = 60  # columns of a terminal that shows two people side by side
_STAMP = 8  # columns for the time at which a turn began
_BETWEEN = " │ "


class ScreenSink:
    """Shows events on a terminal until it is closed.

    It draws when something happens, and only then: rich's thread that draws at any time garbles what is printed at that
    moment.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._columns = Columns()
        self._progress = Progress(done=0)
        self._now = 0
        if self._is_wide:
            console.print(self._title(), no_wrap=True)
        self._live = Live(self._picture(), console=console, auto_refresh=False, transient=True)
        self._live.start()

    async def emit(self, event: Event) -> None:
        """Show an event."""
        self._now = max(self._now, event.at)
        match event:
            case Final(turn=turn):
                self._columns.finish(turn)
            case Partial(turn=turn, stable=stable):
                self._columns.update(turn, stable)
            case TurnStart(turn=name, slot=slot, start=start):
                self._columns.update(Turn(id=name, slot=slot, start=start, end=start, text=""), 0)
            case TurnEnd(turn=name):
                self._columns.drop(name)
                return  # its final words, if it has any, are the next event
            case Progress():
                if not self._moves(event):
                    return
                self._progress = event
            case _:
                return
        self._scroll()

    async def close(self) -> None:
        """Leave the finished turns on the screen and take the rest away."""
        for turn, _ in self._columns.unfinished():
            self._columns.drop(turn.id)
        self._scroll()
        self._live.stop()

    def _moves(self, progress: Progress) -> bool:
        """Say whether progress is seen: in seconds, not with every block of audio."""
        old = self._progress
        return (clock(progress.done), progress.total) != (clock(old.done), old.total)

    @property
    def _is_wide(self) -> bool:
        return self._console.width >= NARROWEST

    @property
    def _side(self) -> int:
        """Return the columns of one half of the terminal."""
        return (self._console.width - len(_BETWEEN)) // SLOTS

    def _scroll(self) -> None:
        """Print what will not change any more, and draw the rest below it."""
        lines: list[Text] = []
        if self._is_wide:
            lines = [self._line(row) for row in self._columns.take(self._side - _STAMP, self._now)]
        else:
            lines = [_turn_line(turn, len(turn.text)) for turn in self._columns.take_finished() if turn.text]
        self._live.update(self._picture())  # first, or printing would show once more what is printed now
        if lines:
            self._console.print(*lines, sep="\n", no_wrap=self._is_wide)
        else:
            self._live.refresh()

    def _picture(self) -> RenderableType:
        """Return what stands below the finished turns: what is being said, and the bar."""
        lines: list[RenderableType] = []
        if self._is_wide:
            room = max(self._console.height - 2, 1)
            lines += [self._line(row) for row in self._columns.rows(self._side - _STAMP)[-room:]]
        else:
            for turn, stable in self._columns.unfinished():
                if turn.text:
                    lines.append(_turn_line(turn, len(" ".join(turn.text.split()[:stable]))))
        done, total = self._progress.done, self._progress.total
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            Text(f"{clock(done):>7}", style="bold"),
            ProgressBar(total=total, completed=done, width=40),
            Text("" if total is None else clock(total), style="dim"),
        )
        return Group(*lines, bar)

    def _title(self) -> Text:
        """Return the letters over the columns."""
        letters = zip("AB", COLOURS, strict=True)
        left, right = (Text(" " * _STAMP).append(letter, f"bold {colour}") for letter, colour in letters)
        return self._joined(left, right)

    def _line(self, row: Row) -> Text:
        """Return a row of both columns as a line."""
        left, right = (_cell(cell, colour) for cell, colour in zip(row.cells, COLOURS, strict=True))
        return self._joined(left, right)

    def _joined(self, left: Text, right: Text) -> Text:
        left.pad_right(max(self._side - left.cell_len, 0))
        return Text.assemble(left, (_BETWEEN, "dim"), right)


def _cell(cell: Cell, colour: str) -> Text:
    """Return a cell: when its turn began, if it is the turn's first, and its words."""
    stamp = clock(cell.words[0].turn.start) if cell.begins else ""
    text = Text().append(f"{stamp:>{_STAMP - 1}} ", style="dim")
    for number, word in enumerate(cell.words):
        style = colour if word.firm else f"dim italic {colour}"
        text.append(f"{' ' if number else ''}{word.text}", style=style)
    return text


def _turn_line(turn: Turn, firm: int) -> Text:
    """Return a turn as a line of its own: from when to when, who, and what may still change dimmed."""
    text = Text(heading(turn), style="dim")
    text.append(turn.text[:firm], style=f"not dim {COLOURS[turn.slot % SLOTS]}")
    return text.append(turn.text[firm:], style=f"dim italic {COLOURS[turn.slot % SLOTS]}")
