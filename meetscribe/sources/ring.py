"""A bounded ring between the thread that captures sound and the program that reads it.

One writer and one reader, no lock: each side only moves its own counter, and assigning an int is atomic in CPython.
What does not fit is dropped where it came in, counted, and leaves a hole at its place, so that times stay true.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Piece:
    """Sound as it was captured; `lost` samples are missing just before it."""

    samples: NDArray[np.float32]  # [samples, channels]
    lost: int = 0


@dataclass(frozen=True)
class Stamp:
    """At `time` (seconds of `now`) the `count`-th sample had come."""

    count: int
    time: float


def now() -> float:
    """Return seconds of a clock that never jumps and goes on while the computer sleeps, where the system has one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Ring:
    """Holds up to `capacity` samples of each of `channels` channels."""

    def __init__(self, capacity: int, channels: int, clock: Callable[[], float] = now) -> None:
        self._clock = clock
        self._memory = np.zeros((capacity, channels), np.float32)
        self._written = 0  # samples stored so far; the writer's
        self._read = 0  # samples taken so far; the reader's
        self._dropped = 0  # samples dropped since the last that was stored; the writer's
        self._holes: deque[tuple[int, int]] = deque()  # after how many stored samples, how many are missing
        self._came = 0  # samples that came, stored or not; the writer's
        self.overruns = 0  # times that sound was dropped
        self.stamp: Stamp | None = None  # when the last sample came

    def write(self, samples: NDArray[np.float32]) -> None:
        """Store samples [n, channels], all or none; this is all that the capturing thread does."""
        count, capacity = len(samples), len(self._memory)
        self._came += count
        self.stamp = Stamp(self._came, self._clock())
        if count > capacity - (self._written - self._read):
            self.overruns += not self._dropped
            self._dropped += count
            return
        if self._dropped:
            self._holes.append((self._written, self._dropped))
            self._dropped = 0
        at = self._written % capacity
        first = min(count, capacity - at)
        self._memory[at : at + first] = samples[:first]
        self._memory[: count - first] = samples[first:]
        self._written += count

    def read(self) -> list[Piece]:
        """Take everything that is there, in pieces between holes."""
        written, pieces = self._written, []
        while self._read < written:
            lost = 0
            if self._holes and self._holes[0][0] == self._read:
                lost = self._holes.popleft()[1]
            end = min(written, self._holes[0][0]) if self._holes else written
            pieces.append(Piece(self._copy(end), lost))
            self._read = end
        return pieces

    def _copy(self, end: int) -> NDArray[np.float32]:
        capacity = len(self._memory)
        start, count = self._read % capacity, end - self._read
        if start + count <= capacity:
            return self._memory[start : start + count].copy()
        return np.concatenate([self._memory[start:], self._memory[: start + count - capacity]])
