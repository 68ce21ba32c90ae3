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

    def __init__(self, title: str) -> None:
        super().__init__(title, "Enter saves")

    def parts(self) -> ComposeResult:
        """Compose a line to write in."""
        yield Field(placeholder="a note, or nothing", compact=True)

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

    def __init__(self, speaker: str, time: str, text: str) -> None:
        super().__init__(f"Correct what {speaker} said at {time}", "Enter saves")
        self._text = text

    def parts(self) -> ComposeResult:
        """Compose the text to be corrected."""
        area = OneText(self._text, soft_wrap=True, show_line_numbers=False, compact=True)
        area.cursor_blink = False
        area.move_cursor(area.document.end)
        yield area
        yield Label("", id="complaint")

    def on_one_text_submitted(self) -> None:
        """End with the text, if there is one."""
        text = " ".join(self.query_one(OneText).text.split())
        if text:
            self.dismiss(text)
        else:
            self.query_one("#complaint", Label).update(
                "Write what was said; to take it away, use “off the record”."
            )
