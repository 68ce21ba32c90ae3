"""The recording of a meeting of the past as a source, on the same time line.

What lies in `holes` (pauses, lost devices, off the record) is left out, so that nobody listens to hours of silence.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import numpy as np

from meetscribe.session.ports import Block
from meetscribe.session.recorder import Recording
from meetscribe.timeline import SAMPLE_RATE, Interval

_BLOCK = SAMPLE_RATE


class RecordedSource:
    """A meeting's recording, from its first sample to its last."""

    def __init__(self, recording: Recording, name: str, holes: Sequence[Interval] = ()) -> None:
        self.name = name
        self._recording, self._holes = recording, holes

    @property
    def length(self) -> int:
        """Return the number of samples."""
        return self._recording.length

    @property
    def channels(self) -> int:
        """Return the number of channels that were recorded."""
        return self._recording.channels

    def read(self) -> Iterator[Block]:
        """Give the audio in blocks of a second."""
        for start in range(0, self.length, _BLOCK):
            end = min(start + _BLOCK, self.length)
            if any(hole.start <= start and end <= hole.end for hole in self._holes):
                continue
            columns = [self._recording.read(channel, start, end) for channel in range(self.channels)]
            yield Block(start, np.stack(columns, axis=1))

    async def blocks(self) -> AsyncIterator[Block]:
        """Give the audio, letting other tasks run between blocks."""
        for block in self.read():
            yield block
            await asyncio.sleep(0)
