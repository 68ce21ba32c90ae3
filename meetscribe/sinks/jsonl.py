"""Events as lines of JSON, for scripts: every durable event, and what is shown as far as the reader keeps up.

Lines are written in a thread, so that a reader who stands still does not hold up the meeting.
"""

import asyncio
import json
from typing import Any, TextIO

from meetscribe.events import Event
from meetscribe.formats.wire import dumps
from meetscribe.meeting import Meeting, apply


class JsonLinesSink:
    """Writes events, the names of speakers filled in, and answers to commands."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._meeting = Meeting()
        self._writing = asyncio.Lock()

    async def emit(self, event: Event) -> None:
        """Write an event."""
        self._meeting = apply(self._meeting, event)
        await self._write(dumps(event, self._meeting.speakers))

    async def answer(self, answer: dict[str, Any]) -> None:
        """Write the answer to a command."""
        await self._write(json.dumps(answer, ensure_ascii=False))

    async def close(self) -> None:
        """Nothing is open."""

    async def _write(self, line: str) -> None:
        def write() -> None:
            self._out.write(line + "\n")
            self._out.flush()

        async with self._writing:
            await asyncio.to_thread(write)
