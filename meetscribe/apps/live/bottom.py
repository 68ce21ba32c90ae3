"""The last lines of the screen: what came below, search, how loud each channel is, the keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.app import RenderResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Label

from meetscribe.apps.live.field import Field
from meetscribe.apps.live.transcript.layout import shortened

_QUIET, _LOUD = -60.0, 0.0  # dBFS at the two ends of a meter
_SILENT = -90.0  # dBFS below which a channel gives nothing at all
_CLIPS = -1.0
_PARTS = " ▏▎▍▌▋▊▉█"


class Below(Widget):
    """Says that the transcript does not follow, and how many turns have come below; it lies on the last line of it."""

    missed = reactive(0)

    class Clicked(Message):
        """The reader wants to follow again."""

    def render(self) -> RenderResult:
        """Return the line."""
        news = {0: "nothing new", 1: "1 new turn"}.get(self.missed, f"{self.missed} new turns")
        return Content.assemble((f" ↓ {news} below ", "bold"), (" End follows the meeting again", ""))

    def on_click(self, event: events.Click) -> None:
        """Follow again."""
        event.stop()
        self.post_message(self.Clicked())


class Meters(Widget):
    """A level meter for each input channel."""

    levels: reactive[tuple[float, ...]] = reactive(())
    names: reactive[tuple[str, ...]] = reactive(())

    def render(self) -> RenderResult:
        """Return the meters side by side, as long as there is room."""
        if not self.levels:
            return Content("")
        each = max(self.size.width // len(self.levels), 1)
        return Content.assemble(*(part for n in range(len(self.levels)) for part in self._meter(n, each)))

    def _meter(self, number: int, room: int) -> Sequence[tuple[str, str]]:
        """Return one channel's name, bar and level in `room` columns."""
        level = self.levels[number]
        name = self.names[number] if number < len(self.names) else f"channel {number}"
        figure = "silent" if level <= _SILENT else f"{level:.0f} dB"
        name = shortened(name, max(min(room // 3, 20), 4))
        width = min(room - cell_len(name) - 11, 30)
        if width < 3:
            return [(f" {figure:<{max(room - 1, 1)}}"[:room], "")]
        bar = _bar(level, width)
        colour = "$error" if level >= _CLIPS else "$success"
        text = [
            (f" {name} ", "$text-muted"),
            (bar, f"{colour} on $panel"),
            (f" {figure:>6}  ", "$text-muted"),
        ]
        return [*text, (" " * max(room - sum(cell_len(part) for part, _ in text), 0), "")]


def _bar(level: float, width: int) -> str:
    """Return a bar of `width` columns, in eighths."""
    share = min(max((level - _QUIET) / (_LOUD - _QUIET), 0.0), 1.0)
    eighths = round(share * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_PARTS[rest] if rest else "")).ljust(width)


class SearchBar(Horizontal):
    """A line to search in; it is there while somebody searches."""

    class Stepped(Message):
        """Go to the turn with the query before (-1) or after (1) the selected one."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class Closed(Message):
        """The search is over."""

    def compose(self):
        """Compose the line."""
        yield Label(" / ", id="slash")
        yield Field(placeholder="words", compact=True, id="query")
        yield Label("", id="found")

    def say(self, text: str) -> None:
        """Show which of the turns is selected."""
        self.query_one("#found", Label).update(f" {text}  ↑↓ step  Esc closes ", layout=False)

    def on_key(self, event: events.Key) -> None:
        """Step with the arrow keys, close with Esc."""
        steps = {"up": -1, "enter": -1, "down": 1}
        if event.key in steps:
            self.post_message(self.Stepped(steps[event.key]))
        elif event.key == "escape":
            self.post_message(self.Closed())
        else:
            return
        event.stop()
        event.prevent_default()


@dataclass(frozen=True)
class Key:
    """A key as the last line shows it: what to press, what for, and the action behind it."""

    key: str
    text: str
    action: str


class KeyBar(Widget):
    """The keys, as many as there is room for; the last ones are always there. They can be clicked."""

    def __init__(self, keys: Sequence[Key], always: Sequence[Key], id: str) -> None:
        super().__init__(id=id)
        self._keys, self._always = tuple(keys), tuple(always)

    def render(self) -> RenderResult:
        """Return the keys."""
        room = self.size.width - sum(_width(key) for key in self._always)
        shown: list[Key] = []
        for key in self._keys:
            room -= _width(key)
            if room < 0:
                break
            shown.append(key)
        parts = []
        for key in (*shown, *self._always):
            click = f"[@click={key.action}]"
            escaped = key.key.replace("[", r"\[")
            parts.append(f"{click}[bold $accent] {escaped}[/] {key.text} [/]")
        return Content.from_markup("".join(parts))


def _width(key: Key) -> int:
    return cell_len(key.key) + cell_len(key.text) + 3
