"""Several recordings of one meeting as the channels of one source, each put where it belongs in time.

Times count from the start of the recording that began first. A recording that fails ends there, and the error is raised
when the others have been read.
Not covered: how clocks are found (`clocks.py`).
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from meetscribe.errors import AudioError
from meetscribe.session.ports import Block
from meetscribe.sources.clocks import Clock, compare
from meetscribe.sources.file import FileSource
from meetscribe.timeline import SAMPLE_RATE

_BLOCK = SAMPLE_RATE // 2
_NO_STRETCH = 1e-6


def measured_clocks(paths: Sequence[Path]) -> list[Clock]:
    """Return the clock of each recording, on the time of the one that began first.

    Raises:
        AudioError: one cannot be read, or has nothing in common with the first.
    """

    def reading(path: Path) -> Iterator[NDArray[np.float32]]:
        return (block.samples.mean(axis=1) for block in FileSource(path).read())

    first = paths[0]
    clocks = [Clock(0.0)] + [
        compare(lambda: reading(first), lambda other=path: reading(other), str(path)) for path in paths[1:]
    ]
    earliest = min(clock.offset for clock in clocks)
    return [Clock(clock.offset - earliest, clock.stretch) for clock in clocks]


class BesideSource:
    """Recordings side by side; their channels follow each other in the order of the files."""

    def __init__(self, paths: Sequence[Path], clocks: Sequence[Clock]) -> None:
        self._files = [FileSource(path) for path in paths]
        self._clocks = clocks

    @property
    def name(self) -> str:
        """Return the names of the files."""
        return ", ".join(file.name for file in self._files)

    @property
    def channels(self) -> int:
        """Return the number of channels of all files."""
        return sum(file.channels for file in self._files)

    @property
    def length(self) -> int | None:
        """Return where the last file ends, None where a header does not say."""
        ends = [
            None if file.length is None else round(clock.place(file.length))
            for file, clock in zip(self._files, self._clocks, strict=True)
        ]
        known = [end for end in ends if end is not None]
        return max(known) if len(known) == len(ends) else None

    def read(self) -> Iterator[Block]:
        """Give the audio of all files, once.

        Raises:
            AudioError: the rest of a file cannot be used; the blocks so far are good.
        """
        lines = [_Line(file, clock) for file, clock in zip(self._files, self._clocks, strict=True)]
        position = 0
        while True:
            parts = [line.take(_BLOCK) for line in lines]
            longest = max(map(len, parts))
            if not longest:
                break
            padded = [np.pad(part, ((0, longest - len(part)), (0, 0))) for part in parts]
            yield Block(position, np.concatenate(padded, axis=1))
            position += longest
        for line in lines:
            if line.failure is not None:
                raise line.failure

    async def blocks(self) -> AsyncIterator[Block]:
        """Give the audio of all files, letting other tasks run between blocks."""
        for block in self.read():
            yield block
            await asyncio.sleep(0)


class _Line:
    """One file from the meeting's start on, at the meeting's pace."""

    def __init__(self, file: FileSource, clock: Clock) -> None:
        self.failure: AudioError | None = None
        self._held = np.zeros((max(0, round(clock.offset)), file.channels), np.float32)
        self._sound = self._stretched(file, clock.stretch)

    def take(self, count: int) -> NDArray[np.float32]:
        """Return the next samples, fewer at the end."""
        parts, there = [self._held], len(self._held)
        while there < count and (block := next(self._sound, None)) is not None:
            parts.append(block)
            there += len(block)
        whole = np.concatenate(parts)
        self._held = whole[count:]
        return whole[:count]

    def _stretched(self, file: FileSource, stretch: float) -> Iterator[NDArray[np.float32]]:
        channels = file.channels
        if abs(stretch) < _NO_STRETCH:
            yield from self._sound_of(file)
            return
        resampler = soxr.ResampleStream(SAMPLE_RATE / (1 + stretch), SAMPLE_RATE, channels, dtype="float32")
        for samples in self._sound_of(file):
            yield resampler.resample_chunk(np.ascontiguousarray(samples)).reshape(-1, channels)
        rest = np.zeros((0, channels), np.float32)
        yield resampler.resample_chunk(rest, last=True).reshape(-1, channels)

    def _sound_of(self, file: FileSource) -> Iterator[NDArray[np.float32]]:
        try:
            for block in file.read():
                yield block.samples
        except AudioError as error:
            self.failure = error
