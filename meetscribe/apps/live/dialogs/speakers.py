"""Dialogs about who is who: give a speaker a name, or say that two are the same person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from meetscribe.apps.live.dialogs.dialog import FRAME, Answer, Dialog
from meetscribe.apps.live.field import Field
from meetscribe.apps.live.palette import Palette
from meetscribe.apps.live.transcript.layout import shortened


@dataclass(frozen=True)
class Person:
    """Somebody in the meeting: `turn` stands for one whose speaker_id nobody knows; `quote`: what they said."""

    name: str
    number: int
    quote: str
    speaker_id: str | None = None
    turn: str | None = None
    is_named: bool = False

    def line(self, palette: Palette, room: int) -> Text:
        """Return the person as a line of at most `room` columns: name in colour, quote."""
        name = shortened(f"▎ {self.name}", room)
        quote = shortened(self.quote, max(room - cell_len(name) - 4, 1))
        return Text.assemble(
            (name, palette.speaker(self.number) + palette.strong),
            (f"  “{quote}”" if len(quote) > 1 else "", palette.faint),
        )


@dataclass(frozen=True)
class Naming:
    """A person and the name that they shall have."""

    person: Person
    name: str


class PeopleDialog(Dialog[Answer], Generic[Answer]):
    """A dialog about some of the people in a meeting, one of whom is chosen."""

    def __init__(self) -> None:
        super().__init__()
        self._people: Sequence[Person] = ()
        self._chosen, self._palette = 0, Palette(is_dark=True)

    def _be_about(self, people: Sequence[Person], chosen: int, palette: Palette) -> None:
        self._people, self._chosen, self._palette = people, chosen, palette

    def line(self, person: Person) -> Text:
        """Return a person as a line that fits into the frame."""
        return person.line(self._palette, min(FRAME, self.app.size.width * 96 // 100) - 8)


class RenameDialog(PeopleDialog[Naming]):
    """Asks for the name of one of several people; the arrow keys choose the person while one writes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False, priority=True),
        Binding("down", "choose(1)", show=False, priority=True),
    ]

    KEYS = "↑↓ choose  Enter saves"

    def parts(self) -> ComposeResult:
        """Compose the people and a line for the name."""
        options = OptionList(compact=True)
        options.can_focus = False
        yield options
        yield Label("is called", id="ask")
        yield Field(compact=True, placeholder="name")

    def ask(self, people: Sequence[Person], chosen: int, palette: Palette) -> None:
        """Ask for the name of one of several people, at first of the one with the number `chosen`."""
        self.entitle("Who is this?")
        self._be_about(people, chosen, palette)
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(self.line(person)) for person in people])
        self._show()
        self.query_one(Input).focus()

    def action_choose(self, step: int) -> None:
        """Choose another person."""
        self._chosen = (self._chosen + step) % len(self._people)
        self._show()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose the person that was clicked."""
        self._chosen = event.option_index
        self._show()
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """End with the name, if there is one."""
        if name := " ".join(event.value.split()):
            self.dismiss(Naming(self._people[self._chosen], name))

    def _show(self) -> None:
        person = self._people[self._chosen]
        self.query_one(OptionList).highlighted = self._chosen
        field = self.query_one(Input)
        field.value = person.name if person.is_named else ""
        field.action_select_all()


class MergeDialog(PeopleDialog[tuple[Person, Person]]):
    """Asks who is the same person as somebody; left and right choose that somebody."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "other(-1)", show=False, priority=True),
        Binding("right", "other(1)", show=False, priority=True),
    ]

    KEYS = "←→ who  ↑↓ same as  Enter merges"

    def parts(self) -> ComposeResult:
        """Compose who is merged, and those into whom."""
        yield Label("", id="who")
        yield Label("is the same person as", id="ask")
        yield OptionList(compact=True)

    def ask(self, people: Sequence[Person], chosen: int, palette: Palette) -> None:
        """Ask who is the same person as somebody, at first as the one with the number `chosen`."""
        self.entitle("Two are the same person")
        self._be_about(people, chosen, palette)
        self._show()
        self.query_one(OptionList).focus()

    def action_other(self, step: int) -> None:
        """Merge somebody else."""
        self._chosen = (self._chosen + step) % len(self._people)
        self._show()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """End with both."""
        self.dismiss((self._people[self._chosen], self._others()[event.option_index]))

    def _others(self) -> list[Person]:
        return [person for number, person in enumerate(self._people) if number != self._chosen]

    def _show(self) -> None:
        self.query_one("#who", Label).update(self.line(self._people[self._chosen]))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(self.line(person)) for person in self._others()])
        options.highlighted = 0
