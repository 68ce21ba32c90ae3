"""A dialog that asks whether something shall be done."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Label

from meetscribe.apps.live.dialogs.dialog import Dialog


class ConfirmDialog(Dialog[bool]):
    """Asks; the button with the focus does it, the other does not."""

    def __init__(self, title: str, text: str, yes: str, no: str) -> None:
        super().__init__(title, "Tab changes  Enter chooses")
        self._text, self._yes, self._no = text, yes, no

    def parts(self) -> ComposeResult:
        """Compose the sentence and two buttons."""
        yield Label(self._text, id="text", markup=False)
        with Horizontal(id="buttons"):
            yield Button(self._yes, id="yes", variant="primary", compact=True)
            yield Button(self._no, id="no", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """End with the answer."""
        self.dismiss(event.button.id == "yes")
