"""Finished turns as plain lines, for pipes and logs.

A line comes when its turn closes, so a word thrown in comes before the long turn that it was thrown into; start and end
stand in front, and show who spoke at the same time.
Not covered: partials, renames of what was written, sorting by start (`formats/text.py` has the whole meeting).
"""

from typing import TextIO

from meetscribe.events import Event, Final, Turn
from meetscribe.meeting import shown_speaker
from meetscribe.timeline import clock, fine_clock


def heading(turn: Turn) -> str:
    """Return what stands before a turn's text: `[00:12.4-00:15.0] A: `, or the speaker's id where it is known."""
    return f"[{fine_clock(turn.start)}-{fine_clock(turn.end)}] {shown_speaker(turn, {})}: "


class LineSink:
    """Writes a line for every finished turn: from when to when, who, what."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    async def emit(self, event: Event) -> None:
        """Write a final turn, and nothing else."""
        if isinstance(event, Final) and event.turn.text:
            self._out.write(f"{heading(event.turn)}{' '.join(event.turn.text.split())}\n")
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
