"""Dialogs that ask for a text: a note, a correction."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input, Label, TextArea

from meetscribe.apps.live.dialogs.dialog import Dialog
from meetscribe.apps.live.field import Field


class NoteDialog(Dialog[str]):
    """Asks for a note; it may be empty."""

    KEYS = "Enter saves"

    def parts(self) -> ComposeResult:
        """Compose a line to write in."""
        yield Field(placeholder="a note, or nothing", compact=True)

    def ask(self, title: str) -> None:
        """Ask for the note of what `title` says."""
        self.entitle(title)
        field = self.query_one(Field)
        field.value = ""
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """End with the note."""
        self.dismiss(event.value.strip())


class OneText(TextArea):
    """A text of several lines on the screen and a single one in the end: Enter submits it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Save", priority=True)]

    class Submitted(Message):
        """The text is written."""

    def action_submit(self) -> None:
        """Submit the text."""
        self.post_message(self.Submitted())


class CorrectDialog(Dialog[str]):
    """Asks for the right text of a turn."""

    KEYS = "Enter saves"

    def parts(self) -> ComposeResult:
        """Compose the text to be corrected."""
        area = OneText("", soft_wrap=True, show_line_numbers=False, compact=True)
        area.cursor_blink = False
        yield area
        yield Label("", id="complaint")

    def ask(self, speaker: str, time: str, text: str) -> None:
        """Ask for the right text of what somebody said."""
        self.entitle(f"Correct what {speaker} said at {time}")
        area = self.query_one(OneText)
        area.load_text(text)
        area.move_cursor(area.document.end)
        area.focus()
        self.query_one("#complaint", Label).update("")

    def on_one_text_submitted(self) -> None:
        """End with the text, if there is one."""
        text = " ".join(self.query_one(OneText).text.split())
        if text:
            self.dismiss(text)
        else:
            self.query_one("#complaint", Label).update(
                "Write what was said; to take it away, use “off the record”."
            )
