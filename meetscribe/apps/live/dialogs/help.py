"""The page that explains the keys and the marks."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from meetscribe.apps.live.dialogs.dialog import Dialog

_HELP = """\
[b]p[/b]   pause, and go on
[b]b B[/b] bookmark this moment, B with a note
[b]o[/b]   off the record, until o again
[b]u[/b]   unsay: erase the last 30 seconds
[b]r[/b]   rename a speaker
[b]m[/b]   merge two speakers
[b]c[/b]   correct a turn
[b]/[/b]   search
[b]e[/b]   export
[b]t[/b]   dark or light
[b]q[/b]   stop and leave

[b]↑ ↓[/b] select a turn, for r, m and c;
    without one they act on the last
[b]PgUp PgDn Home[/b] or the wheel: back
[b]End l Esc[/b] jump to live

One row is one moment: who stands
side by side spoke at the same time.
[dim italic]Words like this[/] may still change.
[u]Words like this[/u] were hard to hear.
≈ missing  ★ bookmark  ⊘ off record
"""


class HelpDialog(Dialog[None]):
    """Explains; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,question_mark,f1,enter", "dismiss(None)", show=False)]

    KEYS = "↑↓ scroll"

    def parts(self) -> ComposeResult:
        """Compose the page."""
        with VerticalScroll(id="page"):
            yield Static(_HELP)

    def ask(self) -> None:
        """Begin at the top; the arrow keys scroll."""
        self.entitle("Keys and marks")
        page = self.query_one("#page")
        page.scroll_home(animate=False)
        page.focus()
