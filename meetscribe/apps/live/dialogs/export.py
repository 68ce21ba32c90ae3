"""A dialog that asks where to write the transcript; the extension says in which format."""

from pathlib import Path

from textual.app import ComposeResult
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from meetscribe.apps.live.dialogs.dialog import Dialog
from meetscribe.apps.live.field import Field
from meetscribe.formats.registry import FORMATS


class ExportDialog(Dialog[Path]):
    """Asks for a file; choosing a format changes its extension."""

    KEYS = "↑↓ format  Enter writes  Tab to the file's name"

    def __init__(self) -> None:
        super().__init__()
        self._folder, self._stem = Path(), ""

    def parts(self) -> ComposeResult:
        """Compose the formats and a line for the file."""
        lines = [f"{known.name:<8} {known.extension}" for known in FORMATS]
        yield OptionList(*(Option(line) for line in lines), compact=True)
        yield Label("to", id="ask")
        yield Field(compact=True)

    def ask(self, folder: Path, stem: str) -> None:
        """Ask for a file; at first one in `folder` of the first format, named `stem`."""
        self.entitle("Export the transcript so far")
        self._folder, self._stem = folder, stem
        self.query_one(OptionList).highlighted = 0
        self._propose(0)
        self.query_one(OptionList).focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Name the file after the format."""
        self._propose(event.option_index)

    def _propose(self, number: int) -> None:
        known = FORMATS[number]
        self.query_one(Input).value = str(self._folder / f"{self._stem}{known.extension}")

    def on_option_list_option_selected(self) -> None:
        """End with the file."""
        self._end()

    def on_input_submitted(self) -> None:
        """End with the file."""
        self._end()

    def _end(self) -> None:
        if path := self.query_one(Input).value.strip():
            self.dismiss(Path(path).expanduser())
