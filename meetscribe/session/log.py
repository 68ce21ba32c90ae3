"""The log of a running meeting: in memory, or in front of a log on disk that may fail for a while.

Not covered: the log on disk (`meetscribe.store`).
"""

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
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._waiting: list[DurableEvent] = []
        self._redactions: set[str] = set()
        self.trouble: str | None = None

    def append(self, event: DurableEvent) -> None:
        """Keep the next event, now or as soon as that is possible."""
        self._waiting.append(event)
        self.retry()

    def retry(self) -> None:
        """Write what waits."""
        try:
            if self._redactions:
                self._log.redact(self._redactions)
                self._redactions = set()
            while self._waiting:
                self._log.append(self._waiting[0])
                del self._waiting[0]
        except Exception as error:
            self.trouble = f"the transcript cannot be written to disk ({error})"
        else:
            self.trouble = None

    def since(self, seq: int) -> list[DurableEvent]:
        """Return the events with a higher number, in order."""
        waiting = [event for event in self._waiting if event.seq > seq]
        kept = self._log.since(seq)
        return [*(redacted(event, self._redactions) for event in kept), *waiting]

    def redact(self, turns: Collection[str]) -> None:
        """Empty the finals and corrections of these turns, now or as soon as that is possible."""
        self._waiting = [redacted(event, turns) for event in self._waiting]
        self._redactions |= set(turns)
        self.retry()
