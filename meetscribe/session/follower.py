"""Follows one channel, or the mix of all: gives its audio to streams, and what they say to the meeting.

When the engine is lost it opens a new stream and goes back to where nothing is lost; when somebody takes something
back, too.
Not covered: whose turn is whose (`course.py`), where the audio waits (`backlog.py`).
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from meetscribe.errors import EngineLost, MeetscribeError
from meetscribe.events import Event
from meetscribe.session.backlog import Backlog, Break, Piece
from meetscribe.session.course import Course
from meetscribe.session.ports import Recognition, RecognitionStream
from meetscribe.timeline import SAMPLE_RATE

MOST = SAMPLE_RATE // 2
"""Samples that are fed at once."""

_AGAIN = 0.05  # seconds before another attempt, if the engine itself does not wait

T = TypeVar("T")


def mix(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of all channels: float32 [samples, channels] -> float32 [samples]."""
    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0])
    return samples.mean(axis=1, dtype=np.float32)


class Host(Protocol):
    """What a follower needs of its meeting."""

    def publish(self, event: Event) -> None:
        """Take the next event."""
        ...

    def lost(self, error: EngineLost) -> None:
        """Take notice that the engine is gone; it is being started again."""
        ...

    def moved(self) -> None:
        """Take notice that audio was handed on."""
        ...


class Follower:
    """Gives a channel's audio to one stream after another.

    `position` is up to where audio was handed on, `heard` up to where it was transcribed; `behind_since` is up to where
    it has to be heard until the loss of an engine is made good (None: all is well).
    """

    def __init__(
        self, channel: int | None, backlog: Backlog, recognition: Recognition, course: Course, host: Host
    ) -> None:
        self.channel, self._backlog, self._recognition = channel, backlog, recognition
        self.course, self._host = course, host
        self.position = 0
        self.behind_since: int | None = None
        self._stream: RecognitionStream | None = None
        self._stream_start = 0
        self._collecting: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._has_opened = self._halted = False
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()

    @property
    def heard(self) -> int:
        """Return up to where audio was transcribed."""
        return self.position if self._stream is None else self._stream_start + self._stream.heard

    @property
    def resume(self) -> int:
        """Return where another stream would begin: no audio before that will be needed again."""
        return self.course.resume(self.heard)

    async def run(self) -> None:
        """Follow the channel to the end of the meeting."""
        while True:
            await self._may_go_on.wait()
            self._reading = asyncio.create_task(self._read(), name=f"follow channel {self.channel}")
            try:
                await asyncio.wait({self._reading})
            except asyncio.CancelledError:
                self._reading.cancel()
                raise
            if self._reading.cancelled() and self._halted:
                self._halted = False
                continue
            try:
                return self._reading.result()
            except EngineLost as error:
                self._go_back()
                self._host.lost(error)
                await asyncio.sleep(_AGAIN)

    async def halt(self) -> None:
        """Give the stream up and wait for `go_on`; turns that are open come again, as others."""
        self._may_go_on.clear()
        reading = self._reading
        if reading is not None and not reading.done():
            self._halted = True
            reading.cancel()
            await asyncio.wait({reading})
        self._go_back()

    def go_on(self) -> None:
        """Go on after `halt`, with what the backlog holds now."""
        self._may_go_on.set()

    def _go_back(self) -> None:
        """Return to where nothing is lost, and take away what was shown of open turns."""
        behind, back = self.position, self.resume
        self._drop_stream()
        for event in self.course.withdraw(back):
            self._host.publish(event)
        self.position = back  # which may be after what `behind` was: audio that was being fed was heard
        self.behind_since = max(behind, self.behind_since or 0)

    async def _read(self) -> None:
        try:
            while True:
                waiting = self._backlog.next(self.position, MOST, self._stream is not None)
                match await self._unless_lost(waiting):
                    case Piece() as piece:
                        await self._feed(piece)
                    case Break():
                        await self._finish_stream()
                    case None:
                        return await self._finish_stream()
        finally:
            if self._collecting is not None:
                self._collecting.cancel()

    async def _feed(self, piece: Piece) -> None:
        if self._stream is None:
            await self._open_stream(piece.position)
        assert self._stream is not None
        samples = mix(piece.samples) if self.channel is None else piece.samples[:, self.channel]
        await self._unless_lost(self._stream.feed(np.ascontiguousarray(samples)))
        self.position = piece.position + len(samples)
        self._host.moved()

    async def _open_stream(self, start: int) -> None:
        label = "" if self.channel is None else str(self.channel)
        try:
            self._stream = await self._recognition.open(start, label)
        except EngineLost:
            raise
        except MeetscribeError as error:
            if not self._has_opened:
                raise  # nobody has spoken yet, and somebody looks
            raise EngineLost(str(error)) from error
        self._has_opened = True
        self._stream_start = start
        self.course.begin(start)
        self._collecting = asyncio.create_task(
            self._collect(self._stream), name=f"events of {label or 'mix'}"
        )

    async def _collect(self, stream: RecognitionStream) -> None:
        async for said in stream.events():
            for event in self.course.place(said):
                self._host.publish(event)

    async def _finish_stream(self) -> None:
        if self._stream is None or self._collecting is None:
            return
        await self._unless_lost(self._stream.finish())
        await self._collecting
        self._stream = self._collecting = None

    def _drop_stream(self) -> None:
        if self._collecting is not None:
            self._collecting.cancel()
        if self._stream is not None:
            self._stream.close()
        self._stream = self._collecting = None

    async def _unless_lost(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something, unless the stream's events end in an error first."""
        collecting = self._collecting
        if collecting is None:
            return await work
        doing = asyncio.create_task(work)
        try:
            await asyncio.wait({doing, collecting}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                collecting.result()
            return await doing
        finally:
            doing.cancel()
