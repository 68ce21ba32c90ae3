"""One meeting from its first block to its end: source → transcriber and engine → numbered log → sinks.

The session alone numbers events. Audio that is missing becomes silence and a `gap`, so that times stay true.
When the source fails, what it gave is transcribed to the end before the error is raised.
Not covered: commands, recording, several sinks of different speeds, several input channels kept apart.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from meetscribe.errors import MeetscribeError
from meetscribe.events import DurableEvent, End, Event, Gap, Progress, Session, numbered
from meetscribe.session.ports import AudioSource, Block, Engine, EventSink, Transcriber
from meetscribe.timeline import SAMPLE_RATE, to_grid

_SILENCE_AT_ONCE = 10 * SAMPLE_RATE  # samples of a gap that are filled in one go


def mix(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of all channels: float32 [samples, channels] -> float32 [samples]."""
    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0])
    return samples.mean(axis=1, dtype=np.float32)


@dataclass
class MeetingSession:
    """A meeting in progress; `start` (a `session` event) names it, `log` holds its durable events so far."""

    start: Session
    source: AudioSource
    transcriber: Transcriber
    engine: Engine
    sinks: Sequence[EventSink] = ()
    log: list[DurableEvent] = field(default_factory=list, init=False)
    heard: int = field(default=0, init=False)  # samples of audio that the transcriber was given

    async def run(self) -> list[DurableEvent]:
        """Run the meeting to its end and return its log.

        Raises:
            MeetscribeError: the source failed; the log holds what it gave until then.
        """
        failure: MeetscribeError | None = None
        await self._publish(self.start)
        try:
            async for block in self.source.blocks():
                await self._hear(block)
                await self._publish(Progress(at=self.heard, done=self.heard, total=self.source.length))
        except MeetscribeError as error:
            failure = error
        self.transcriber.receive_eof()
        await self._think()
        reason = "end of the audio" if failure is None else "the audio failed"
        await self._publish(End(at=self.heard, reason=reason, duration=self.heard))
        for sink in self.sinks:
            await sink.close()
        if failure is not None:
            raise failure
        return self.log

    async def _hear(self, block: Block) -> None:
        """Give a block to the transcriber, after silence for what is missing before it."""
        if block.position > self.heard:
            gap = Gap(at=block.position, start=self.heard, end=block.position, reason="audio missing")
            if to_grid(gap.end) > to_grid(gap.start):
                await self._publish(gap)
        while self.heard < block.position:
            missing = min(block.position - self.heard, _SILENCE_AT_ONCE)
            await self._feed(np.zeros(missing, np.float32))
        await self._feed(mix(block.samples)[self.heard - block.position :])

    async def _feed(self, samples: NDArray[np.float32]) -> None:
        self.transcriber.receive_audio(samples)
        self.heard += len(samples)
        await self._think()

    async def _think(self) -> None:
        """Run the network's steps that can run, and publish what came of them."""
        while requests := self.transcriber.requests():
            for result in await asyncio.to_thread(self.engine.run, requests):
                self.transcriber.receive_result(result)
        for event in self.transcriber.events():
            await self._publish(event)

    async def _publish(self, event: Event) -> None:
        """Number an event, keep it if it is durable, and give it to every sink."""
        event = numbered(event, self.start.session, len(self.log))
        if isinstance(event, DurableEvent):
            self.log.append(event)
        for sink in self.sinks:
            await sink.emit(event)
