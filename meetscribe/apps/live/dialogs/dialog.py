"""What all dialogs have in common: a frame with a title, a line that says which keys work, and Esc.

A dialog is built when it is first opened and kept: to build one, and to take it down, means to lay out and draw the
whole screen several times. Each has a method `ask` that fills it before it is drawn.
"""

from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Label, Static

FRAME = 68  # columns of the frame, where the screen is wide enough
Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer | None], Generic[Answer]):
    """A dialog that ends with an answer, or None when it was closed. It can be opened again and again."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close", show=False)]

    KEYS: ClassVar[str] = ""  # those that work in it, besides Esc

    def __init__(self) -> None:
        super().__init__()
        self._is_filled = False

    @property
    def is_current(self) -> bool:
        """Say whether it is to be drawn: not before it is filled, so that it is laid out and drawn once."""
        return self._is_filled and super().is_current

    def empty(self) -> None:
        """Be drawn no more until it is filled."""
        self._is_filled = False

    def appear(self) -> None:
        """Be drawn from now on: it is filled."""
        self._is_filled = True
        self.refresh(layout=True)

    def entitle(self, title: str) -> None:
        """Set the title."""
        self.query_one("#title", Label).update(title)

    def compose(self) -> ComposeResult:
        """Compose the frame and what is in it."""
        with Vertical(id="frame"):
            yield Label("", id="title", markup=False)
            yield from self.parts()
            yield Static(f"{self.KEYS}   Esc closes", id="keys", markup=False)

    def parts(self) -> ComposeResult:
        """Compose what is between the title and the line of keys."""
        yield Widget()
