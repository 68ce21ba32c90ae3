"""What is typed: Textual's driver, which notices sooner that an escape is one.

Other keys begin with an escape too, so that a terminal's Esc is known only when nothing has followed for a while
(`ESCDELAY`). Textual looks whether that while is over ten times a second, whatever its length: Esc took 100 ms.
Terminals with Kitty's protocol say at once which key it is.
"""

import os
import select
from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import suppress

from textual import constants
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

_LOOK = 0.1  # seconds after which it looks whether the program ends
_AFTER = 0.001  # seconds that it waits longer than the parser does
_MOST = 4096  # bytes
_ESC = b"\x1b"


class Keyboard(LinuxDriver):
    """The terminal, whose Esc counts as soon as nothing has followed it for `ESCDELAY`."""

    def run_input_thread(self) -> None:
        """Give what is typed to the app until the program ends."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        wait = _LOOK
        try:
            while not self.exit_event.is_set():
                ready, _, _ = select.select([self.fileno], [], [], wait)
                read = os.read(self.fileno, _MOST) if ready else b""
                if ready and not read:  # nothing will ever be typed again
                    self.exit_event.wait(_LOOK)
                for message in _messages(parser, decode(read)):
                    self.process_message(message)
                wait = constants.ESCAPE_DELAY + _AFTER if read.endswith(_ESC) else _LOOK
        finally:
            with suppress(ParseError):
                list(parser.feed(""))


def _messages(parser: XTermParser, typed: str) -> Iterator[Message]:
    """Yield what was typed, and what is known by now because nothing followed it."""
    if typed:
        yield from parser.feed(typed)
    yield from parser.tick()
