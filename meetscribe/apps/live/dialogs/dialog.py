"""What all dialogs have in common: a frame with a title, a line that says which keys work, and Esc."""

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
    """A dialog that ends with an answer, or None when it was closed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close", show=False)]

    def __init__(self, title: str, keys: str) -> None:
        super().__init__()
        self._title, self._keys = title, keys

    def compose(self) -> ComposeResult:
        """Compose the frame and what is in it."""
        with Vertical(id="frame"):
            yield Label(self._title, id="title", markup=False)
            yield from self.parts()
            yield Static(f"{self._keys}   Esc closes", id="keys", markup=False)

    def parts(self) -> ComposeResult:
        """Compose what is between the title and the line of keys."""
        yield Widget()
