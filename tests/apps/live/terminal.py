"""A real terminal for a program: a pseudo-terminal, and pyte to read what stands on it."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parents[3]


class Terminal:
    """Runs Python code, or a module with arguments, in a terminal of its own; use it in a `with`."""

    def __init__(self, *arguments, size=(80, 24), environment=None):
        self.columns, self.rows = size
        self._screen = pyte.Screen(self.columns, self.rows)
        self._stream = pyte.ByteStream(self._screen)
        self._arguments = [sys.executable, *arguments]
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self._environment = kept | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": path}
        self._environment |= environment or {}
        self.written = b""

    def __enter__(self):
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.execve(self._arguments[0], self._arguments, self._environment)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))
        return self

    def __exit__(self, *_):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if not self._gone:
            os.close(self._master)

    code = None
    _gone = False

    def hang_up(self):
        """Close the terminal's window; a process that another one would hide behind gets the signal itself."""
        os.close(self._master)
        self._gone = True

    def press(self, keys):
        """Type on the keyboard."""
        os.write(self._master, keys.encode())

    @property
    def lines(self):
        """The lines of the screen, without spaces at their ends."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def cells(self):
        """The screen's characters with their looks, by row and column."""
        return self._screen.buffer

    def read(self, seconds):
        """Take what the program writes for so long at most; return whether it is still there."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return True
        try:
            written = os.read(self._master, 65536)
        except OSError:  # the program has ended
            written = b""
        self.written += written
        self._stream.feed(written)
        return bool(written)

    def wait_for(self, condition, seconds=60):
        """Read until a condition holds of the lines; fails with the screen when that takes too long."""
        until = time.monotonic() + seconds
        while not condition(self.lines):
            if time.monotonic() > until or not self.read(0.2):
                if condition(self.lines):
                    return
                raise AssertionError("it was not seen; on the screen stands:\n" + "\n".join(self.lines))

    def wait_for_end(self, seconds=60):
        """Read until the program has ended; return its exit code."""
        until = time.monotonic() + seconds
        while self.code is None:
            assert time.monotonic() < until, "it does not end; on the screen stands:\n" + "\n".join(
                self.lines
            )
            if self._gone:
                time.sleep(0.1)
            else:
                self.read(0.1)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code
