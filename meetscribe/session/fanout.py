"""Events to many readers of different speeds; a slow one never holds up the meeting.

Durable events always arrive, in order. What is only shown is replaced while it waits: a newer partial of a turn, a
newer level. What replaces an event takes its place at the end, so that numbers never go back.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import replace
from typing import Self

from meetscribe.errors import MeetscribeError
from meetscribe.events import (
    Correction,
    DurableEvent,
    EphemeralEvent,
    Event,
    Final,
    Partial,
    TurnEnd,
    TurnStart,
)

LIMIT = 10_000
"""Durable events that may wait for one reader."""


class TooSlow(MeetscribeError):  # noqa: N818 - what happened, to be caught by name
    """A reader did not take its events for so long that no more are kept for it."""


class Subscription:
    """One reader's events: those of the log that it has not seen, then what happens.

    An async iterator that ends when the meeting has ended. `skipped` counts what was replaced before it was read.
    """

    def __init__(
        self, missed: Sequence[DurableEvent], limit: int, on_close: Callable[["Subscription"], None]
    ) -> None:
        self._missed = deque(missed)
        self._waiting: dict[Hashable, Event] = {}  # in order
        self._durable, self._limit, self._on_close = 0, limit, on_close
        self._news = asyncio.Event()
        self._ended = self._overrun = False
        self.skipped = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while True:
            if self._overrun:
                raise TooSlow(
                    f"more than {self._limit} events were not read; connect again with the last seq"
                )
            if self._missed:
                return self._missed.popleft()
            if self._waiting:
                event = self._waiting.pop(next(iter(self._waiting)))
                self._durable -= isinstance(event, DurableEvent)
                return event
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()

    def close(self) -> None:
        """Stop reading: nothing more is kept, and the iterator ends."""
        self._missed.clear()
        self._waiting.clear()
        self.end()
        self._on_close(self)

    def end(self) -> None:
        """Take notice that no event follows."""
        self._ended = True
        self._news.set()

    def push(self, event: Event) -> None:
        """Take the next event."""
        if self._ended or self._overrun:
            return
        if isinstance(event, DurableEvent):
            self._push_durable(event)
        elif isinstance(event, EphemeralEvent):
            self._push_ephemeral(event)
        self._news.set()

    def redact(self, turns: Collection[str]) -> None:
        """Empty what waits of these turns."""
        self._missed = deque(redacted(event, turns) for event in self._missed)
        for key, event in list(self._waiting.items()):
            if isinstance(event, Partial) and event.turn.id in turns:
                del self._waiting[key]
            elif isinstance(event, DurableEvent):
                self._waiting[key] = redacted(event, turns)

    def _push_durable(self, event: DurableEvent) -> None:
        if isinstance(event, Final):
            self._drop((Partial, event.turn.id))
        if self._durable >= self._limit:
            self._overrun = True
            self._waiting.clear()
            return
        self._durable += 1
        self._waiting[event.seq] = event

    def _push_ephemeral(self, event: EphemeralEvent) -> None:
        if isinstance(event, TurnEnd):
            self._drop((Partial, event.turn))
            if self._drop((TurnStart, event.turn)):
                return  # the reader never knew of it
        key = _key(event)
        self._drop(key)
        self._waiting[key] = event

    def _drop(self, key: Hashable) -> bool:
        there = self._waiting.pop(key, None) is not None
        self.skipped += there
        return there


def _key(event: EphemeralEvent) -> Hashable:
    """Return what an event replaces: the same kind, of the same turn."""
    if isinstance(event, Partial):
        return Partial, event.turn.id
    if isinstance(event, (TurnStart, TurnEnd)):
        return type(event), event.turn
    return type(event)


def redacted(event: DurableEvent, turns: Collection[str]) -> DurableEvent:
    """Return the event as it is after these turns went off the record."""
    if isinstance(event, Final) and event.turn.id in turns:
        return replace(event, turn=event.turn.redact())
    if isinstance(event, Correction) and event.turn in turns:
        return event.redact()
    return event


class Fanout:
    """All readers of one meeting."""

    def __init__(self) -> None:
        self._readers: set[Subscription] = set()
        self._ended = False

    def __len__(self) -> int:
        return len(self._readers)

    def subscribe(self, missed: Sequence[DurableEvent], limit: int = LIMIT) -> Subscription:
        """Return a new reader, who first gets the events that it missed."""
        reader = Subscription(missed, limit, self._readers.discard)
        self._readers.add(reader)
        if self._ended:
            reader.end()
        return reader

    def publish(self, event: Event) -> None:
        """Give an event to every reader."""
        for reader in self._readers:
            reader.push(event)

    def redact(self, turns: Collection[str]) -> None:
        """Empty what waits of these turns, for every reader."""
        for reader in self._readers:
            reader.redact(turns)

    def end(self) -> None:
        """Tell every reader that no event follows."""
        self._ended = True
        for reader in self._readers:
            reader.end()
