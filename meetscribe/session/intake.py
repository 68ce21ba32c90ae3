"""What a meeting takes in: blocks of its source become the recording and the backlog, and what is missing a gap.

Short gaps become silence, so that times stay true. While people do not want to be heard, nothing is taken.
Not covered: who transcribes what was taken (`follower.py`), how the parts' states become one (`condition.py`).
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from meetscribe.errors import RecordingError
from meetscribe.events import Event, Gap, OffRecord, State
from meetscribe.session.backlog import LONGEST_SILENCE, Backlog
from meetscribe.session.levels import Levels
from meetscribe.session.ports import AudioSource, Block, Recorder, SourceState
from meetscribe.session.samples import tidied
from meetscribe.timeline import Interval, to_grid


class IntakeHost(Protocol):
    """What an intake needs of its meeting."""

    def publish(self, event: Event) -> None:
        """Take the next event."""
        ...

    def say(self, part: str, state: State, reason: str | None = None) -> None:
        """Take notice of how a part of the meeting is."""
        ...

    async def taken(self) -> None:
        """Take notice that the backlog has more; the next block waits until this returns."""
        ...


@dataclass(frozen=True)
class _Away:
    """Nothing is recorded since `start`, because somebody said so."""

    reason: str
    start: int


class Intake:
    """Takes the audio of a source.

    Args:
        source: where it comes from.
        backlog: where it waits to be transcribed.
        recorder: where it is kept, None for nowhere.
        host: the meeting.
        tells_levels: somebody looks at a meter.
    """

    def __init__(
        self,
        source: AudioSource,
        backlog: Backlog,
        recorder: Recorder | None,
        host: IntakeHost,
        *,
        tells_levels: bool,
    ) -> None:
        self._source, self._backlog, self._recorder, self._host = source, backlog, recorder, host
        self._levels = Levels() if tells_levels else None
        self._away: _Away | None = None
        self._source_is = SourceState("listening")
        self._last_block = 0.0  # on the loop's clock
        self.now = backlog.end
        """The source has given audio up to here."""

    @property
    def away(self) -> str | None:
        """Return why nothing is taken now; None while all is."""
        return None if self._away is None else self._away.reason

    def silent_for(self, now: float) -> float:
        """Return for how many seconds nothing has come, on the loop's clock."""
        return now - self._last_block

    async def run(self, stopping: asyncio.Event) -> Exception | None:
        """Take the source's audio until it ends or somebody stops the meeting; return what it failed with."""
        reading = asyncio.create_task(self._read(), name="source")
        stopped = asyncio.create_task(stopping.wait(), name="stop")
        try:
            await asyncio.wait({reading, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            reading.cancel()
            await asyncio.wait({reading})
        failure = None if reading.cancelled() else reading.exception()
        if failure is not None and not isinstance(failure, Exception):
            raise failure
        return failure

    def leave(self, reason: str) -> None:
        """Neither record nor transcribe from here on."""
        self._away = _Away(reason, self._backlog.end)
        self._backlog.interrupt()
        self._host.say("people", "paused", None if reason == "paused" else reason)

    def come_back(self) -> None:
        """Record and transcribe again, and say what is missing."""
        if self._away is None:
            return
        away, self._away = self._away, None
        missing = Interval(away.start, self.now)
        if away.reason == "paused":
            self._publish_gap(missing, away.reason)
        else:
            self._host.publish(OffRecord(at=missing.end, start=missing.start, end=missing.end))
        self._backlog.skip(self.now)
        self._host.say("people", "listening")

    async def _read(self) -> None:
        self._last_block = asyncio.get_running_loop().time()
        async with aclosing(self._source.blocks()) as blocks:  # type: ignore[type-var]
            async for given in blocks:
                if isinstance(given, SourceState):
                    await self._hear_of_source(given)
                else:
                    await self._hear(given)

    async def _hear_of_source(self, given: SourceState) -> None:
        """Show how the source is; while its device is gone, what was said is finished."""
        self._source_is = given
        self._host.say("source", given.state, given.reason)
        for hole in given.holes:
            start, end, reason = hole.start, hole.end, hole.reason
            self._host.publish(Gap(at=self.now, start=start, end=end, reason=reason, channel=hole.channel))
        if given.state == "device_lost":
            self._backlog.interrupt()
            await self._backlog.announce()

    async def _hear(self, block: Block) -> None:
        """Take a block: record it, and let it be transcribed."""
        self._last_block = asyncio.get_running_loop().time()
        self._host.say("stall", "listening")
        block = tidied(block, self._backlog.channels)
        end = block.position + len(block.samples)
        if self._away is not None:
            self.now = max(self.now, end)
            return
        self._miss(block.position)
        if self._source_is.state == "listening":
            self._source_is = SourceState("listening")  # its reason was that of the gap before this block
        fresh = (
            block.samples[self._backlog.end - block.position :]
            if end > self._backlog.end
            else block.samples[:0]
        )
        if not len(fresh):
            return
        recorded = self._record(Block(self._backlog.end, fresh))
        self._backlog.append(fresh, recorded)
        self.now = self._backlog.end
        await self._backlog.announce()
        await self._host.taken()
        if self._levels is not None and (level := self._levels.hear(fresh, self.now)) is not None:
            self._host.publish(level)

    def _miss(self, position: int) -> None:
        """Take notice of what is missing before `position`."""
        missing = Interval(self._backlog.end, max(position, self._backlog.end))
        if to_grid(missing.end) > to_grid(missing.start):
            self._publish_gap(missing, self._source_is.reason or "audio missing")
        if missing.duration > LONGEST_SILENCE:
            self._backlog.skip(position)
        elif missing.duration:
            silence = np.zeros((missing.duration, self._backlog.channels), np.float32)
            self._backlog.append(silence, recorded=self._recorder is not None)

    def _publish_gap(self, missing: Interval, reason: str) -> None:
        self._host.publish(Gap(at=missing.end, start=missing.start, end=missing.end, reason=reason))

    def _record(self, block: Block) -> bool:
        if self._recorder is None:
            return False
        try:
            self._recorder.write(block)
        except RecordingError as error:
            self._host.say("recording", "degraded", f"{error}; the transcript goes on")
            return False
        complaint = self._recorder.complaint
        self._host.say("recording", "listening" if complaint is None else "degraded", complaint)
        return True
