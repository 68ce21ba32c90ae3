"""A meeting in a terminal: finished turns scroll by, below them what is being said and a progress bar.

Not covered: keys, scrolling back, speakers' names (the full screen of `live` is for that).
"""

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from meetscribe.events import Event, Final, Partial, Progress, Turn
from meetscribe.timeline import clock

COLOURS = ("cyan", "magenta")  # of the two slots


class ScreenSink:
    """Shows events on a terminal until it is closed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._partials: dict[int, Partial] = {}
        self._progress = Progress(done=0)
        self._live = Live(self._picture(), console=console, refresh_per_second=10, transient=True)
        self._live.start()

    async def emit(self, event: Event) -> None:
        """Show an event."""
        match event:
            case Final(turn=turn):
                self._partials.pop(turn.slot, None)
                self._live.update(self._picture())  # first, or printing would show the partial once more
                if turn.text:
                    self._console.print(_line(turn, len(turn.text)))
            case Partial(turn=turn):
                self._partials[turn.slot] = event
            case Progress():
                self._progress = event
            case _:
                return
        self._live.update(self._picture())

    async def close(self) -> None:
        """Leave the finished turns on the screen and take the rest away."""
        self._partials.clear()
        self._live.stop()

    def _picture(self) -> RenderableType:
        """Return the lines below the finished turns: a turn per slot, and the bar."""
        lines: list[RenderableType] = [
            _line(partial.turn, len(" ".join(partial.turn.text.split()[: partial.stable])))
            for _, partial in sorted(self._partials.items())
        ]
        done, total = self._progress.done, self._progress.total
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            Text(f"{clock(done):>7}", style="bold"),
            ProgressBar(total=total, completed=done, width=40),
            Text("" if total is None else clock(total), style="dim"),
        )
        return Group(*lines, bar)


def _line(turn: Turn, stable: int) -> Text:
    """Return a turn as a line: time, text in the colour of its slot, what may still change dimmed."""
    text = Text(f"{clock(turn.start):>7}  ", style="dim")
    text.append(turn.text[:stable], style=f"not dim {COLOURS[turn.slot % 2]}")
    return text.append(turn.text[stable:], style=f"dim italic {COLOURS[turn.slot % 2]}")
