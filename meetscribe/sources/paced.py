"""Another source's audio at the pace of a clock, as a microphone would give it.

Not covered: catching up: when the listener is slow, blocks wait and nothing is dropped.
"""

import asyncio
from collections.abc import AsyncIterator

from meetscribe.session.ports import AudioSource, Block, SourceState
from meetscribe.timeline import SAMPLE_RATE

BLOCK = SAMPLE_RATE // 10  # samples in a block


class PacedSource:
    """Gives a source's audio `speed` times as fast as it was recorded, in blocks of 0.1 s."""

    def __init__(self, source: AudioSource, speed: float) -> None:
        if not 0 < speed < float("inf"):
            raise ValueError(f"a speed must be a positive number, not {speed}")
        self._source, self._speed = source, speed

    @property
    def name(self) -> str:
        """Return the source's name."""
        return self._source.name

    @property
    def length(self) -> int | None:
        """Return the source's length in samples."""
        return self._source.length

    @property
    def channels(self) -> int:
        """Return the source's number of channels."""
        return self._source.channels

    async def blocks(self) -> AsyncIterator[Block | SourceState]:
        """Give the audio; a block comes when its last sample would have been recorded."""
        clock = asyncio.get_running_loop()
        began = clock.time()
        async for whole in self._source.blocks():
            if isinstance(whole, SourceState):
                yield whole
                continue
            for at in range(0, len(whole.samples), BLOCK):
                block = Block(whole.position + at, whole.samples[at : at + BLOCK])
                due = (block.position + len(block.samples)) / (SAMPLE_RATE * self._speed)
                await asyncio.sleep(max(0.0, began + due - clock.time()))
                yield block
