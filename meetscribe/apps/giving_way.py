"""Recognition of what can wait: its streams are given audio only while the meeting that goes on keeps up."""

import asyncio
from collections.abc import AsyncIterator, Callable

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Event
from meetscribe.session.ports import Recognition, RecognitionStream
from meetscribe.timeline import SAMPLE_RATE

BEHIND = SAMPLE_RATE
"""Samples that the other meeting may be behind."""

_LOOK = 0.1  # seconds between two looks


class GivingWay:
    """Another recognition, whose streams wait while `behind` says that a meeting has too much to catch up on.

    Args:
        recognition: who transcribes both.
        behind: samples of the other meeting that are not transcribed yet.
    """

    def __init__(self, recognition: Recognition, behind: Callable[[], int]) -> None:
        self._recognition, self._behind = recognition, behind

    async def open(self, start: int = 0, label: str = "") -> RecognitionStream:
        """Begin a stream that gives way."""
        return _WaitingStream(await self._recognition.open(start, label), self._behind)

    async def close(self) -> None:
        """End everything."""
        await self._recognition.close()


class _WaitingStream:
    """One stream, which takes audio when there is time for it."""

    def __init__(self, stream: RecognitionStream, behind: Callable[[], int]) -> None:
        self._stream, self._behind = stream, behind

    @property
    def heard(self) -> int:
        """Return how many samples were transcribed so far."""
        return self._stream.heard

    async def feed(self, samples: NDArray[np.float32]) -> None:
        """Take further samples, once the other meeting keeps up."""
        while self._behind() > BEHIND:
            await asyncio.sleep(_LOOK)
        await self._stream.feed(samples)

    async def finish(self) -> None:
        """Take notice that no more audio comes."""
        await self._stream.finish()

    def close(self) -> None:
        """Give the stream up."""
        self._stream.close()

    def events(self) -> AsyncIterator[Event]:
        """Give the events."""
        return self._stream.events()
