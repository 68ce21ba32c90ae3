"""Which features of a turn tell its talker's voice, and what came of them.

Words of the final pass say where a turn's talker speaks; where nobody else does meanwhile there is the most to learn,
so that only these steps are heard if there are enough of them. A long turn is heard as it is finished, piece by piece.
Not covered: what a voice is (`nn/embedder.py`), whose it is (`speakers.py`), turns of several people (`splitting.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Voice
from meetscribe.streaming.recent import Recent
from meetscribe.streaming.search import FoundWord
from meetscribe.streaming.steps import STEP_FRAMES, STEP_SAMPLES
from meetscribe.streaming.told import Told

LEAST = 5
"""Steps of words that are worth hearing."""

MOST = 500
"""Steps that are heard at once: as much as tells a voice, however long a turn is."""

ENOUGH = 25
"""Steps in which nobody else speaks that make do without the others."""

QUIET = 0.5
"""Activity of another slot up to which its talker counts as silent."""


class Stretch(NamedTuple):
    """Steps first … last - 1 of a turn, that hold finished words."""

    first: int
    last: int


@dataclass
class TurnVoice:
    """The voice of one turn so far: sums of its pieces by seconds, and up to which step it was heard."""

    until: int = 0
    total: NDArray[np.float64] | None = field(default=None, repr=False)
    spectrum: NDArray[np.float64] | None = field(default=None, repr=False)
    seconds: float = 0.0

    def next(self, words: Sequence[FoundWord]) -> Stretch | None:
        """Return what finished words are still to be heard."""
        fresh = [word for word in words if word.end > self.until * STEP_SAMPLES]
        if not fresh:
            return None
        first = max(self.until, fresh[0].start // STEP_SAMPLES)
        last = -(-fresh[-1].end // STEP_SAMPLES)
        return Stretch(max(first, last - MOST), last) if last - first >= LEAST else None

    def receive(self, told: Told, last: int) -> None:
        """Take what speech tells, the last of which came before step `last`."""
        part, spectrum = told.voice * told.seconds, told.spectrum * told.seconds
        self.total = part if self.total is None else self.total + part
        self.spectrum = spectrum if self.spectrum is None else self.spectrum + spectrum
        self.seconds += told.seconds
        self.until = last

    def voice(self, embedder: str) -> Voice | None:
        """Return what is known of the voice; None where nothing was heard."""
        if self.total is None or self.spectrum is None:
            return None
        length = max(float(np.linalg.norm(self.total)), 1e-9)
        vector, spectrum = self.total / length, self.spectrum / self.seconds
        return Voice(_rounded(vector), self.seconds, embedder, _rounded(spectrum))


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 5) for value in values)


def alone(features: NDArray[np.float32], stretch: Stretch, others: Sequence[Recent]) -> NDArray[np.float32]:
    """Return the features [4 T, F] of the steps in which no other slot is active, or all if those are too few."""
    free = np.ones(stretch.last - stretch.first, bool)
    for activity in others:
        first = max(stretch.first, activity.first)
        free[first - stretch.first :] &= activity.read(first, stretch.last) < QUIET
    if np.count_nonzero(free) < ENOUGH or free.all():
        return features
    return features.reshape(len(free), STEP_FRAMES, -1)[free].reshape(-1, features.shape[1])
