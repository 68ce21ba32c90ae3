"""What speech tells of its talker: the voice, and how it sounds where they are.

Not covered: whose it is (`resemblance.py`, `speakers.py`), which features of a turn are heard (`voicing.py`).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meetscribe.streaming.steps import STEP_FRAMES, STEP_SAMPLES
from meetscribe.timeline import SAMPLE_RATE


class Told(NamedTuple):
    """What some speech tells: its voice (E,) of unit length, its mean log-mel energies (F,), and how long it is."""

    voice: NDArray[np.float64]
    spectrum: NDArray[np.float64]
    seconds: float

    @classmethod
    def of(cls, voice: NDArray[np.float32], features: NDArray[np.float32]) -> "Told":
        """Return what speech with these features [4 T, F] tells, whose voice is known."""
        seconds = len(features) // STEP_FRAMES * STEP_SAMPLES / SAMPLE_RATE
        return cls(voice.astype(np.float64), features.mean(0, dtype=np.float64), seconds)


@dataclass
class Sound:
    """The average spectrum of all speech of a stream so far: its sum by seconds."""

    total: NDArray[np.float64] | float = 0.0
    seconds: float = 0.0

    def add(self, told: Told, share: float = 1.0) -> None:
        """Take further speech; with a share of -1 take some back."""
        self.total = self.total + share * told.spectrum * told.seconds
        self.seconds += share * told.seconds

    def with_(self, *more: Told) -> NDArray[np.float64]:
        """Return the average of all speech so far and of more, of which there is some."""
        total = self.total + sum(told.spectrum * told.seconds for told in more)
        return np.asarray(total / (self.seconds + sum(told.seconds for told in more)))
