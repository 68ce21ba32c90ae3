"""The log of a running meeting: in memory, or in front of a log on disk that may fail for a while.

Not covered: the log on disk (`meetscribe.store`).
"""

import asyncio
from collections.abc import Collection, Sequence

from meetscribe.events import DurableEvent
from meetscribe.session.fanout import redacted
from meetscribe.session.ports import EventLog


class MemoryLog:
    """A log that lasts as long as the process."""

    def __init__(self, events: Sequence[DurableEvent] = ()) -> None:
        self._events = list(events)

    def append(self, event: DurableEvent) -> None:
        """Keep the next event."""
        self._events.append(event)

    def since(self, seq: int) -> Sequence[DurableEvent]:
        """Return the events with a higher number, in order."""
        return self._events[max(seq, 0) :]

    def redact(self, turns: Collection[str]) -> None:
        """Empty the finals and corrections of these turns in place."""
        self._events = [redacted(event, turns) for event in self._events]


class LogKeeper:
    """A log that goes on while the one behind it cannot be written: events wait, in order, and none is lost.

    `trouble` says why they wait, None while none does. What a failing log raises is its own (a full disk is an OSError,
    or an error of the database), so that any exception counts.
    Emptying turns on the disk takes its time (`Store` rewrites files), and is done in a thread: events that come
    meanwhile are given to readers, and wait here until the disk is free. Whoever reads, reads what is kept in memory.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._events = list(log.since(0))
        self._written = len(self._events)
        self._redactions: set[str] = set()
        self._redacting: asyncio.Task[None] | None = None
        self.trouble: str | None = None

    def append(self, event: DurableEvent) -> None:
        """Keep the next event: on the disk when this returns, unless that is not possible now."""
        self._events.append(event)
        if self._redacting is None and not self._redactions:
            self._write()

    async def retry(self) -> None:
        """Write what waits."""
        if self._redacting is None:
            self._redacting = asyncio.create_task(self._redact_and_write(), name="log")
        await asyncio.shield(self._redacting)

    @property
    def is_forgetting(self) -> bool:
        """Say whether words that were taken back may still be on the disk."""
        return bool(self._redactions)

    @property
    def waiting(self) -> list[DurableEvent]:
        """Return the events that are not on the disk yet."""
        return self._events[self._written :]

    def since(self, seq: int) -> list[DurableEvent]:
        """Return the events with a higher number, in order."""
        return self._events[max(seq, 0) :]

    async def redact(self, turns: Collection[str]) -> None:
        """Empty the finals and corrections of these turns: in memory at once, on the disk when this returns.

        Where that is not possible now, `trouble` says so, and `retry` tries again.
        """
        self._events = [redacted(event, turns) for event in self._events]
        self._redactions |= set(turns)
        await self.retry()

    async def _redact_and_write(self) -> None:
        try:
            while self._redactions:
                turns = frozenset(self._redactions)
                await asyncio.to_thread(self._log.redact, turns)
                self._redactions -= turns
        except Exception as error:
            self._complain(error)
        else:
            self._write()
        finally:
            self._redacting = None

    def _write(self) -> None:
        try:
            while self._written < len(self._events):
                self._log.append(self._events[self._written])
                self._written += 1
        except Exception as error:
            self._complain(error)
        else:
            self.trouble = None

    def _complain(self, error: Exception) -> None:
        self.trouble = f"the transcript cannot be written to disk ({error})"
