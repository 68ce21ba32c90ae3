"""A dialog that asks whether something shall be done."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Label

from meetscribe.apps.live.dialogs.dialog import Dialog


class ConfirmDialog(Dialog[bool]):
    """Asks; the button with the focus does it, the other does not."""

    KEYS = "Tab changes  Enter chooses"

    def parts(self) -> ComposeResult:
        """Compose the sentence and two buttons."""
        yield Label("", id="text", markup=False)
        with Horizontal(id="buttons"):
            yield Button(id="yes", variant="primary", compact=True)
            yield Button(id="no", compact=True)

    def ask(self, title: str, text: str, yes: str, no: str) -> None:
        """Ask whether something shall be done; `yes` and `no` stand on the buttons."""
        self.entitle(title)
        self.query_one("#text", Label).update(text)
        for name, label in (("#yes", yes), ("#no", no)):
            self.query_one(name, Button).label = label
        self.query_one("#yes").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """End with the answer."""
        self.dismiss(event.button.id == "yes")
