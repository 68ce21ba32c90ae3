"""A line to write in, with a cursor that stands still: a screen that is open all day does not blink."""

from textual.reactive import reactive
from textual.widgets import Input


class Field(Input):
    """A line of text."""

    cursor_blink = reactive(False, init=False)
