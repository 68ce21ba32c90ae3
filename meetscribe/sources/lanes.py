"""Several clients' audio as the one source of a meeting: lanes side by side, in meeting time.

The first lane's channels are the meeting's; those of others are added to them, which costs no second recogniser,
as it hears
two at once. Meeting time goes on when every lane has said its part: a client that is away holds the meeting up, until
its audio comes after all (nothing is lost), or it is given up.
Not covered: messages (`websocket.py`), who connects and for how long somebody may be away (`apps/serve/`).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable

import numpy as np

from meetscribe.session.ports import Block, SourceState
from meetscribe.timeline import SAMPLE_RATE

HELD = 30 * SAMPLE_RATE
"""Samples that wait for a lane that says nothing; then it is silent for as long, and says its part later."""

_AT_ONCE = SAMPLE_RATE  # samples in a block at most


class Lane:
    """One client's part: its stream's first sample has the meeting time `offset`."""

    def __init__(self, name: str, channels: int, offset: int) -> None:
        self.name, self.channels, self.offset = name, channels, offset
        self.end = offset  # up to where it has said its part
        self.present, self.over = True, False
        self._blocks: deque[Block] = deque()  # in meeting time

    @property
    def start(self) -> int | None:
        """Return where its first waiting audio begins."""
        return self._blocks[0].position if self._blocks else None

    def push(self, blocks: Iterable[Block]) -> None:
        """Take blocks of its stream, in order; what the meeting has already is dropped."""
        for block in blocks:
            position = block.position + self.offset
            known = max(self.end - position, 0)
            if known < len(block.samples):
                self._blocks.append(Block(position + known, block.samples[known:]))
                self.end = position + len(block.samples)

    def delay_to(self, position: int) -> None:
        """Say what comes next from this meeting time on."""
        if position > self.end:
            self.offset += position - self.end
            self.end = position

    def mix_into(self, block: Block) -> None:
        """Add what waits of the block's time to its samples, and forget it."""
        end = block.position + len(block.samples)
        while self._blocks and self._blocks[0].position < end:
            first = self._blocks.popleft()
            count = min(end - first.position, len(first.samples))
            at = first.position - block.position
            for channel in range(self.channels):
                target = block.samples[at : at + count, channel % block.samples.shape[1]]
                target += first.samples[:count, channel]
            if count < len(first.samples):
                self._blocks.appendleft(Block(first.position + count, first.samples[count:]))


class ClientsSource:
    """The audio of all clients of a meeting (an `AudioSource`).

    Args:
        name: what people call it.
        channels: of the meeting.
        start: the meeting time at which it begins; later than 0 in a meeting that goes on after a restart.
    """

    def __init__(self, name: str, channels: int, start: int = 0) -> None:
        self.name, self.channels, self.length = name, channels, None
        self.given = start  # up to where the meeting has it
        self._lanes: list[Lane] = []
        self._state = SourceState("listening")
        self._finished = False
        self._news, self._room = asyncio.Event(), asyncio.Event()

    @property
    def waiting(self) -> int:
        """Return how many samples the longest lane has ready."""
        return max((lane.end for lane in self._lanes), default=self.given) - self.given

    def add(self, name: str, channels: int, offset: int | None = None) -> Lane:
        """Add a lane that begins now, or whose stream began at `offset`."""
        lane = Lane(name, channels, self.given if offset is None else offset)
        lane.end = max(lane.offset, self.given)
        self._lanes.append(lane)
        self.notice()
        return lane

    def notice(self) -> None:
        """Take notice that a lane has changed: audio came, somebody left, somebody is over."""
        self._news.set()

    def finish(self) -> None:
        """Take notice that nobody will say more: what waits is the end."""
        self._finished = True
        for lane in self._lanes:
            lane.over = True
        self.notice()

    async def room(self) -> None:
        """Wait until there is room for more audio."""
        while self.waiting > 2 * HELD and not self._finished:
            self._room.clear()
            await self._room.wait()

    async def blocks(self) -> AsyncIterator[Block | SourceState]:
        """Give the audio; ends after `finish`."""
        while True:
            self._news.clear()
            state = self._current_state()
            if state != self._state:
                self._state = state
                yield state
            while (block := self.take()) is not None:
                yield block
                self._room.set()
            if self._finished:
                return
            await self._news.wait()

    def take(self) -> Block | None:
        """Return the next audio that is complete, None where it is not."""
        starts = [lane.start for lane in self._lanes if lane.start is not None]
        if not starts:
            return None
        for lane in self._lanes:
            if not lane.over and lane.end < self.given + self.waiting - HELD:
                lane.delay_to(self.given + self.waiting - HELD)
        horizon = min((lane.end for lane in self._lanes if not lane.over), default=self.given + self.waiting)
        start = max(self.given, min(starts))
        end = min(horizon, start + _AT_ONCE)
        if end <= start:
            return None
        block = Block(start, np.zeros((end - start, self.channels), np.float32))
        for lane in self._lanes:
            lane.mix_into(block)
        np.clip(block.samples, -1, 1, out=block.samples)
        self.given = end
        return block

    def _current_state(self) -> SourceState:
        away = [lane.name for lane in self._lanes if not lane.over and not lane.present]
        if not away:
            return SourceState("listening")
        return SourceState("degraded", f"not connected: {', '.join(away)}")
