"""Finished turns as plain lines, for pipes and logs. Not covered: partials, renames of what was written."""

from typing import TextIO

from meetscribe.events import Event, Final
from meetscribe.timeline import clock


class LineSink:
    """Writes a line with the time for every finished turn."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    async def emit(self, event: Event) -> None:
        """Write a final turn, and nothing else."""
        if isinstance(event, Final) and event.turn.text:
            self._out.write(f"{clock(event.turn.start):>7}  {event.turn.text}\n")
            self._out.flush()

    async def close(self) -> None:
        """Nothing is open."""


class TenthsSink:
    """Says every tenth of a recording that is done, for logs that cannot show a bar."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._said = out, 0

    async def emit(self, event: Event) -> None:
        """Write a line when another tenth is done."""
        done, total = getattr(event, "done", 0), getattr(event, "total", None)
        if total and done * 10 // total > self._said:
            self._said = done * 10 // total
            self._out.write(f"{self._said * 10:3d} % of {clock(total)}\n")
            self._out.flush()

    async def close(self) -> None:
        """Nothing is open."""
