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

    def __init__(self, folder: Path, stem: str) -> None:
        super().__init__("Export the transcript so far", "↑↓ format  Enter writes  Tab to the file's name")
        self._folder, self._stem = folder, stem

    def parts(self) -> ComposeResult:
        """Compose the formats and a line for the file."""
        lines = [f"{known.name:<8} {known.extension}" for known in FORMATS]
        yield OptionList(*(Option(line) for line in lines), compact=True)
        yield Label("to", id="ask")
        yield Field(compact=True)

    def on_mount(self) -> None:
        """Begin with the first format."""
        self.query_one(OptionList).highlighted = 0
        self.query_one(OptionList).focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Name the file after the format."""
        known = FORMATS[event.option_index]
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
