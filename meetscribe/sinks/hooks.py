"""Commands of a person's own, run when a turn is final or a meeting has ended; they read the event as JSON from stdin.

One after another, each with a time limit. When a command is slower than the meeting, later turns wait, and beyond
`MOST_WAITING` are left out, which is logged. What a command prints goes to stderr; what it fails with is logged and
changes nothing.
"""

import asyncio
import os
import signal
from dataclasses import dataclass
from typing import Any

from meetscribe.events import End, Event, Final
from meetscribe.formats import wire
from meetscribe.meeting import Meeting, apply

MOST_WAITING = 1000
TIME_LIMIT = 60.0  # seconds for one run


@dataclass(frozen=True)
class Hooks:
    """Shell commands; None where there is none."""

    on_final: str | None = None
    on_end: str | None = None


class HookSink:
    """Runs the hooks of one meeting (an `EventSink`).

    Args:
        hooks: the commands.
        log: says what fails, never what was said.
        time_limit: seconds for one run.
        known: the meeting so far, where it goes on after a restart: names of speakers are not told again.
    """

    def __init__(
        self, hooks: Hooks, log: Any, time_limit: float = TIME_LIMIT, known: Meeting | None = None
    ) -> None:
        self._hooks, self._log, self._time_limit = hooks, log, time_limit
        self._meeting = known or Meeting()
        self._waiting: asyncio.Queue[tuple[str, str] | None] = asyncio.Queue()
        self._running = asyncio.create_task(self._run_all(), name="hooks")
        self.dropped = 0

    async def emit(self, event: Event) -> None:
        """Take an event."""
        self._meeting = apply(self._meeting, event)
        if isinstance(event, Final) and self._hooks.on_final is not None:
            self._put(self._hooks.on_final, event)
        elif isinstance(event, End) and self._hooks.on_end is not None:
            self._put(self._hooks.on_end, event)

    async def close(self) -> None:
        """Wait for what is left to run."""
        self._waiting.put_nowait(None)
        await self._running

    def _put(self, command: str, event: Event) -> None:
        if self._waiting.qsize() >= MOST_WAITING and not isinstance(event, End):
            self.dropped += 1
            self._log.warning("hook left out: it is slower than the meeting", dropped=self.dropped)
            return
        self._waiting.put_nowait((command, wire.dumps(event, self._meeting.speakers)))

    async def _run_all(self) -> None:
        while (job := await self._waiting.get()) is not None:
            await self._run(*job)

    async def _run(self, command: str, line: str) -> None:
        try:
            process = await asyncio.create_subprocess_shell(
                command,
                stdin=asyncio.subprocess.PIPE,
                stdout=2,
                start_new_session=True,  # so that what it starts ends with it
            )
        except OSError as error:
            self._log.warning("hook failed to start", error=str(error))
            return
        try:
            async with asyncio.timeout(self._time_limit):
                await process.communicate(line.encode() + b"\n")
            if process.returncode:
                self._log.warning("hook failed", code=process.returncode)
        except TimeoutError:
            self._log.warning("hook took too long and was ended", seconds=self._time_limit)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
