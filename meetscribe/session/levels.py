"""How loud the channels are, a few times a second: what a level meter shows."""

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import SILENCE_DBFS, Level
from meetscribe.timeline import SAMPLE_RATE

_EVERY = SAMPLE_RATE // 5  # samples


def dbfs(samples: NDArray[np.float32]) -> tuple[float, ...]:
    """Return the level of each channel: float32 [samples, channels] -> dB below a full-scale square wave."""
    power = np.mean(np.square(samples, dtype=np.float64), axis=0)
    with np.errstate(divide="ignore"):
        return tuple(np.maximum(10 * np.log10(power), SILENCE_DBFS).tolist())


class Levels:
    """Puts blocks together until there is a level to show."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.float32]] = []
        self._length = 0

    def hear(self, samples: NDArray[np.float32], at: int) -> Level | None:
        """Take audio that ends at `at`; return a level where it is time for one."""
        self._parts.append(samples)
        self._length += len(samples)
        if self._length < _EVERY:
            return None
        heard = np.concatenate(self._parts)
        self._parts, self._length = [], 0
        return Level(at=at, levels=dbfs(heard))
