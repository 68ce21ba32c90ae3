"""The transcript on the screen: scrolls, follows what is said, and draws only the lines that can be seen.

It follows the end until the reader scrolls up, and again when they come back to it. A turn can be selected, with the
arrow keys or the mouse; keys that change a turn act on it.
Not covered: what is shown of which event (`view.py`), and keys that are commands (`app.py`).
"""

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from meetscribe.apps.live.palette import Palette
from meetscribe.apps.live.transcript.finding import Found, find
from meetscribe.apps.live.transcript.lines import Painter
from meetscribe.apps.live.transcript.view import View
from meetscribe.events import Event, Final, Partial, TurnEnd


class TranscriptPane(ScrollView, can_focus=True):
    """Shows a view; `follows`: it keeps to the end, `missed`: turns that came below since it does not."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "select(-1)", "Turn before", show=False),
        Binding("down,j", "select(1)", "Turn after", show=False),
        Binding("pageup", "scroll_by(-1)", "Page up", show=False),
        Binding("pagedown,space", "scroll_by(1)", "Page down", show=False),
        Binding("home,g", "to_start", "Beginning", show=False),
        Binding("end,G,l", "follow", "Jump to live", show=False),
        Binding("escape", "follow", "Jump to live", show=False),
    ]

    follows = reactive(True)
    missed = reactive(0)
    selected: reactive[str | None] = reactive(None)

    def __init__(self, view: View, id: str) -> None:
        super().__init__(id=id)
        self.view = view
        self.palette = Palette(is_dark=True)
        self.found: dict[str, Found] = {}  # by turn, in the order of time
        self._waiting: list[Event] = []
        self._new: set[str] = set()
        self._moves = False

    def take(self, event: Event) -> None:
        """Take an event; `redraw` shows what came of it, so that lines are never drawn of half-changed pages."""
        self._waiting.append(event)

    def _take_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        self.view.take(*waiting)
        for event in waiting:
            self._count(event)
        self.missed = len(self._new)

    def _count(self, event: Event) -> None:
        """Count the turns that come below while the reader is elsewhere."""
        if self.follows:
            return
        match event:
            case Final(turn=turn) | Partial(turn=turn):
                if turn.text:
                    self._new.add(turn.id)
            case TurnEnd(turn=name):
                self._new.discard(name)

    def redraw(self) -> None:
        """Bring the lines up to date and keep to the end, or to what the reader looks at."""
        pages, top = self.view.pages, round(self.scroll_y)
        anchor = pages.row(top).time if top < len(pages) else None
        self._take_waiting()
        pages.resize(self.scrollable_content_region.width)
        changed = pages.lay_out(self.view.now)
        self._moves = True  # not the reader
        self.virtual_size = Size(self.scrollable_content_region.width, len(pages))
        if self.follows:
            self._keep_to_end()
        elif anchor is not None and changed <= top and pages.row(min(top, len(pages) - 1)).time != anchor:
            self.scroll_to(y=pages.row_at(anchor), animate=False, force=True)
        self._moves = False
        self.refresh()

    def _keep_to_end(self) -> None:
        moved, self._moves = self._moves, True
        self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
        self._moves = moved

    def render_line(self, y: int) -> Strip:
        """Return a line that can be seen."""
        pages, number = self.view.pages, y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if number >= len(pages) or pages.shape.width != width:
            return Strip([Segment(" " * width, self.rich_style)])
        painter = Painter(self.palette, self.view.number, self.selected, self.found)
        return painter.line(pages.row(number), pages.shape).apply_style(self.rich_style)

    def search(self, query: str) -> None:
        """Let the words of a query stand out, and select the last turn that has them."""
        pages = self.view.pages
        said = [said for name in self.view.finished if (said := pages.said(name))]
        self.found = {found.turn: found for found in find(query, said)}
        if self.found:
            self.choose(next(reversed(self.found)))
        self.refresh()

    def step_found(self, step: int) -> None:
        """Select the turn with the query before or after the selected one."""
        names = list(self.found)
        if names:
            place = names.index(self.selected) + step if self.selected in names else len(names) - 1
            self.choose(names[place % len(names)])

    @property
    def place_of_found(self) -> str:
        """Return which of the turns with the query is selected, as `3 of 17`."""
        names = list(self.found)
        if not names:
            return "nothing found"
        return f"{names.index(self.selected) + 1 if self.selected in names else '–'} of {len(names)}"

    def choose(self, turn: str | None) -> None:
        """Select a turn and bring it into view."""
        self.selected = turn
        rows = self.view.pages.rows_of(turn) if turn else []
        top, height = round(self.scroll_y), self.scrollable_content_region.height - (not self.follows)
        if rows and not (top <= rows[0] and rows[-1] < top + height):
            y = rows[0] - height // 3 if rows[0] < top or len(rows) > height else rows[-1] - height + 2
            self.scroll_to(y=y, animate=False, force=True)
        self.refresh()

    def action_select(self, step: int) -> None:
        """Select the turn before or after the selected one."""
        if step < 0 or self.selected is not None:
            self.choose(self.view.neighbour(self.selected, step))

    def action_scroll_by(self, pages: int) -> None:
        """Scroll by pages, one line of the old one staying."""
        height = self.scrollable_content_region.height - 1  # a line that says what comes lies on the last one
        self.scroll_to(y=self.scroll_y + pages * max(height - 1, 1), animate=False, force=True)

    def action_to_start(self) -> None:
        """Scroll to the beginning of the meeting."""
        self.scroll_to(y=0, animate=False, force=True)

    def action_follow(self) -> None:
        """Select nothing and follow what is said."""
        self.selected = None
        self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
        self.follows = True

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end when the reader is there, and only then."""
        super().watch_scroll_y(old_value, new_value)
        if not self._moves:
            self.follows = round(new_value) >= self.max_scroll_y

    def watch_follows(self, follows: bool) -> None:
        """Count the turns below anew."""
        if follows:
            self._new.clear()
            self.missed = 0

    def watch_selected(self) -> None:
        """Show which turn is selected."""
        self.refresh()

    def on_resize(self) -> None:
        """Lay the transcript out in its new width; in a new height it stands as it did, or keeps to the end."""
        if self.scrollable_content_region.width != self.view.pages.shape.width:
            self.redraw()
        elif self.follows:
            self._keep_to_end()

    def on_click(self, event: events.Click) -> None:
        """Select the turn that was clicked, or nothing."""
        pages = self.view.pages
        number = event.y + round(self.scroll_y)
        if number >= len(pages):
            return
        row = pages.row(number)
        places = [pages.shape.left(len(row.cells), n) for n in range(len(row.cells))]
        hit = [
            cell for cell, left in zip(row.cells, places, strict=True) if left <= event.x or left == places[0]
        ]
        if hit:
            said = pages.said(hit[-1].turn.id)
            self.selected = hit[-1].turn.id if said and said.final else None
