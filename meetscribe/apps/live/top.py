"""The first lines of the screen: in what state the meeting is and why, its title, its time, the lag."""

from rich.cells import cell_len
from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from meetscribe.apps.live.transcript.layout import shortened
from meetscribe.apps.live.transcript.view import Condition
from meetscribe.timeline import SAMPLE_RATE, clock

_LOOKS = {
    "starting": ("…", "starting", "$foreground on $panel"),
    "listening": ("●", "listening", "$background on $success"),
    "paused": ("‖", "paused", "$background on $warning"),
    "off the record": ("⊘", "off the record", "$background on $warning"),
    "degraded": ("▲", "degraded", "$background on $warning"),
    "device_lost": ("✖", "device lost", "$background on $error"),
    "recovering": ("↻", "recovering", "$background on $warning"),
    "finishing": ("…", "finishing the last turn", "$background on $primary"),
    "stopped": ("■", "stopped", "$foreground on $panel"),
}
_LATE = 3 * SAMPLE_RATE  # samples of lag that stand out


class StateBar(Widget):
    """One line: state, title, lag, time."""

    condition = reactive(Condition("starting"))
    title = reactive("")
    now = reactive(0)
    behind: reactive[int | None] = reactive(None)

    def render(self) -> RenderResult:
        """Return the line; the title gives way first, then the lag."""
        symbol, word, look = _LOOKS.get(self.condition.name, _LOOKS["stopped"])
        state = f" {symbol} {word} "
        time = f"{clock(self.now)} "
        lag = "" if self.behind is None else f"lag {self.behind / SAMPLE_RATE:.1f} s"
        room = self.size.width - cell_len(state) - cell_len(time) - 1
        if lag and room < len(lag) + 2:
            lag = ""
        room -= cell_len(lag) + 2 if lag else 0
        title = shortened(self.title, room) if room > 3 else ""
        fill = " " * max(room - cell_len(title), 0)
        late = "bold $error" if (self.behind or 0) >= _LATE else "$text-muted"
        return Content.assemble(
            (state, f"bold {look}"),
            (f" {title}{fill}", "bold"),
            (lag, late),
            ("  " if lag else "", ""),
            (time, "bold"),
        )


class Reason(Widget):
    """Says why the meeting does not simply listen, in up to three lines; it is not there while it does."""

    condition = reactive(Condition("starting"), layout=True)

    def watch_condition(self, condition: Condition) -> None:
        """Come and go."""
        self.display = bool(condition.reason) and condition.name != "listening"
        self.set_class(condition.name == "device_lost", "-grave")

    def render(self) -> RenderResult:
        """Return the reason."""
        return Content(self.condition.reason or "")
