"""The audio of a meeting that is not transcribed yet: the newest in memory, older on disk.

Streams read it from any position on. Where audio is missing for long, or a pause begins, there is a break: what was
said before it is finished, and what follows is a stream of its own.
Memory is bounded: what is recorded leaves it after `RECORDED_KEPT`, what is not (no recorder, or a full disk) after
`UNRECORDED_KEPT`; what a stream asks for after that is silence, and is counted in `lost`.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meetscribe.session.ports import Recorder
from meetscribe.timeline import SAMPLE_RATE, Interval

RECORDED_KEPT = 10 * SAMPLE_RATE
UNRECORDED_KEPT = 600 * SAMPLE_RATE
LONGEST_SILENCE = 10 * SAMPLE_RATE
"""Missing audio that a stream hears as silence; after more of it a new stream begins."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Audio to be transcribed next: float32 [samples, channels] from `position`."""

    position: int
    samples: NDArray[np.float32]


@dataclass(frozen=True)
class Break:
    """The stream ends here."""


@dataclass(eq=False)
class _Chunk:
    position: int
    samples: NDArray[np.float32]
    recorded: bool

    @property
    def end(self) -> int:
        return self.position + len(self.samples)


class Backlog:
    """What was heard so far, to be read by streams.

    Args:
        channels: of the audio.
        recorder: where older audio is read from; what it holds already is there from the beginning.
        end: the position after the audio that the recorder holds.
        holes: where it holds nothing.
    """

    def __init__(
        self, channels: int, recorder: Recorder | None = None, end: int = 0, holes: Sequence[Interval] = ()
    ) -> None:
        self.channels, self.end, self.lost = channels, end, 0
        self._recorder = recorder
        self._chunks: deque[_Chunk] = deque()
        self._in_memory = 0
        self._breaks: list[int] = []
        self._holes = sorted(holes, key=lambda hole: hole.start)
        self.has_ended = False
        self._news = asyncio.Condition()

    def append(self, samples: NDArray[np.float32], recorded: bool = False) -> None:
        """Take the next audio, float32 [samples, channels], and say whether the recorder has it."""
        self._chunks.append(_Chunk(self.end, samples, recorded))
        self._in_memory += len(samples)
        self.end += len(samples)
        self._trim()

    def skip(self, position: int) -> None:
        """Take notice that nothing comes before `position`."""
        if position > self.end:
            self._holes.append(Interval(self.end, position))
            self.end = position

    def interrupt(self) -> None:
        """Let streams end here."""
        if not self._breaks or self._breaks[-1] < self.end:
            self._breaks.append(self.end)

    def erase(self, start: int, end: int) -> None:
        """Make what is in memory silent from `start` to `end`."""
        for chunk in self._chunks:
            if chunk.position < end and start < chunk.end:
                chunk.samples = chunk.samples.copy()
                chunk.samples[max(start - chunk.position, 0) : end - chunk.position] = 0.0

    def release(self, position: int) -> None:
        """Take notice that no stream will ask for what lies before `position`."""
        while self._chunks and self._chunks[0].end <= position:
            self._in_memory -= len(self._chunks.popleft().samples)

    async def finish(self) -> None:
        """Take notice that no audio follows."""
        self.has_ended = True
        await self.announce()

    async def announce(self) -> None:
        """Wake the streams that wait for audio, or for what `skip` and `interrupt` said."""
        async with self._news:
            self._news.notify_all()

    async def next(self, position: int, most: int, is_open: bool) -> Piece | Break | None:
        """Wait for what a stream has to do at `position`.

        Args:
            position: up to where it has read.
            most: samples that it takes at once.
            is_open: it has read something since the last break.

        Returns:
            Audio; a break, where an open stream ends; None where the meeting does.
        """
        async with self._news:
            await self._news.wait_for(lambda: self.has_ended or self._is_known(position, is_open))
        hole = self._hole_at(position)
        if is_open and (position in self._breaks or hole is not None):
            return Break()
        start = position if hole is None else hole.end
        end = min([self.end, start + most, *self._bounds_after(start)])
        return Piece(start, await self._read(start, end)) if end > start else None

    def _is_known(self, position: int, is_open: bool) -> bool:
        hole = self._hole_at(position)
        if is_open and (position in self._breaks or hole is not None):
            return True
        return (position if hole is None else hole.end) < self.end

    def _hole_at(self, position: int) -> Interval | None:
        found = None
        for hole in self._holes:
            if hole.start <= position < hole.end:
                position, found = hole.end, Interval(hole.start, hole.end)
        return found

    def _bounds_after(self, position: int) -> list[int]:
        places = [*self._breaks, *(hole.start for hole in self._holes)]
        return [place for place in places if place > position]

    async def _read(self, start: int, end: int) -> NDArray[np.float32]:
        """Return float32 [samples, channels], from memory as far as it is there."""
        first = self._chunks[0].position if self._chunks else self.end
        if start < first:
            return await self._read_recorded(start, min(end, first))
        parts = [
            chunk.samples[max(start - chunk.position, 0) : end - chunk.position]
            for chunk in self._chunks
            if chunk.position < end and start < chunk.end
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    async def _read_recorded(self, start: int, end: int) -> NDArray[np.float32]:
        recorder = self._recorder
        if recorder is None:
            self.lost += end - start
            return np.zeros((end - start, self.channels), np.float32)

        def read() -> NDArray[np.float32]:
            return np.stack([recorder.read(channel, start, end) for channel in range(self.channels)], axis=1)

        return await asyncio.to_thread(read)

    def _trim(self) -> None:
        """Forget the oldest audio in memory when there is too much of it."""
        while self._chunks:
            limit = RECORDED_KEPT if self._chunks[0].recorded else UNRECORDED_KEPT
            if self._in_memory <= limit:
                return
            self._in_memory -= len(self._chunks.popleft().samples)
