"""A client's audio straight to the recogniser and back: no meeting, no log, nothing kept.

What other services' streaming protocols need and a meeting does not have: `flush` finishes what was said now. When the
engine is lost, what it had not finished is heard again from memory.
Not covered: messages (`vosk.py`, `deepgram.py`), sockets (`sockets.py`).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from meetscribe.errors import EngineLost
from meetscribe.events import Event, Final, Partial
from meetscribe.session.ports import Block, Recognition, RecognitionStream
from meetscribe.timeline import SAMPLE_RATE

_KEPT = 120 * SAMPLE_RATE  # samples kept for another hearing; no turn lasts so long
_CLOSE = SAMPLE_RATE // 2  # samples by which what is heard may be behind what was fed, when a reply is due
_LOOK = 0.01  # seconds between two looks at how far it is


class Dictation:
    """One channel of a client.

    Args:
        recognition: who transcribes.
        tell: takes every event.
        channel: the number that its turns get, None for none.
    """

    def __init__(
        self, recognition: Recognition, tell: Callable[[Event], None], channel: int | None = None
    ) -> None:
        self._recognition, self._tell, self._channel = recognition, tell, channel
        self._stream: RecognitionStream | None = None
        self._collecting: asyncio.Task[None] | None = None
        self._kept: deque[Block] = deque()
        self._stream_start = self._firm = 0  # where the stream begins; up to where all is final
        self.position = 0

    async def feed(self, samples: NDArray[np.float32]) -> None:
        """Take further mono samples at 16 kHz."""
        self._kept.append(Block(self.position, samples))
        self.position += len(samples)
        while self._kept[0].position + len(self._kept[0].samples) <= max(self._firm, self.position - _KEPT):
            self._kept.popleft()
        try:
            if self._stream is not None:
                await self._stream.feed(samples)
                return
        except EngineLost:
            self._drop()
        await self._open()

    async def nearly_heard(self) -> None:
        """Wait until almost everything that was fed is transcribed."""
        while (
            self._stream is not None
            and self._collecting is not None
            and not self._collecting.done()
            and self._stream_start + self._stream.heard < self.position - _CLOSE
        ):
            await asyncio.sleep(_LOOK)

    async def flush(self) -> None:
        """Finish what was said: its finals are told when this returns."""
        while self._stream is not None and self._collecting is not None:
            try:
                await self._stream.finish()
                await self._collecting
            except EngineLost:
                self._drop()
                await self._open()
            else:
                self._drop()
        self._firm = self.position
        self._kept.clear()

    def close(self) -> None:
        """Give up what is under way."""
        self._drop()

    async def _open(self) -> None:
        """Begin a stream, and give it what is not final yet."""
        while True:
            self._stream_start = self._kept[0].position if self._kept else self.position
            try:
                self._stream = await self._recognition.open(self._stream_start, "dictation")
                self._collecting = asyncio.create_task(self._collect(self._stream), name="dictation")
                for block in list(self._kept):
                    await self._stream.feed(block.samples)
                return
            except EngineLost:
                self._drop()
                await asyncio.sleep(_LOOK)

    async def _collect(self, stream: RecognitionStream) -> None:
        async for event in stream.events():
            if isinstance(event, (Final, Partial)):
                self._tell(replace(event, turn=replace(event.turn, channel=self._channel)))
            else:
                self._tell(event)
            if isinstance(event, Final):
                self._firm = max(self._firm, event.turn.end)

    def _drop(self) -> None:
        if self._collecting is not None:
            self._collecting.cancel()
        if self._stream is not None:
            self._stream.close()
        self._stream = self._collecting = None
