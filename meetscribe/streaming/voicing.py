"""Which features of a turn tell its talker's voice, what came of them, and where another voice goes on.

Words of the final pass say where a turn's talker speaks; where nobody else does meanwhile there is the most to learn,
so that only these steps are heard if there are enough of them. A long turn is heard as it is finished, piece by piece.
People answer each other without a pause, so that words of two of them may have become one turn: the voice before a word
is compared with the voice from there on, and where they are less alike than people are to strangers the turn is split.
Not covered: what a voice is (`nn/embedder.py`), whose it is (`speakers.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Voice
from meetscribe.streaming.likeness import Likeness
from meetscribe.streaming.recent import Recent
from meetscribe.streaming.search import FoundWord
from meetscribe.streaming.steps import STEP_FRAMES, STEP_SAMPLES
from meetscribe.timeline import SAMPLE_RATE

LEAST = 5
"""Steps of words that are worth hearing."""

MOST = 500
"""Steps that are heard at once: as much as tells a voice, however long a turn is."""

ENOUGH = 25
"""Steps in which nobody else speaks that make do without the others."""

QUIET = 0.5
"""Activity of another slot up to which its talker counts as silent."""


@dataclass(frozen=True)
class SplitSettings:
    """When another person goes on in the middle of a turn; times in steps.

    Attributes:
        likeness: how alike two voices are.
        alike: score of the voices on both sides of a word's beginning below which the turn is split there.
        pause: what a second of pause before the word takes off the score.
        most_pause: seconds of pause that count.
        heard: steps of words that are heard on either side.
        least: steps of words without which a side is not judged.
        apart: steps between splits, and from either end of the turn.
    """

    likeness: Likeness
    alike: float = -1.0
    pause: float = 1.0
    most_pause: float = 0.5
    heard: int = 40
    least: int = 12
    apart: int = 20


class Boundary(NamedTuple):
    """The beginning of a word, where somebody else may go on, and the steps of words on both sides of it."""

    word: int
    before: NDArray[np.int64]
    after: NDArray[np.int64]


def boundaries(
    words: Sequence[FoundWord], first: int, ended: bool, settings: SplitSettings
) -> tuple[list[Boundary], int]:
    """Return the beginnings of words that can be judged now, and the first word to look at next time.

    Args:
        words: of a turn, firm.
        first: number of the first word that was not looked at yet.
        ended: whether no more words come; else those wait that have not enough after them.
        settings: how much is heard.
    """
    spans = [np.arange(w.start // STEP_SAMPLES, -(-w.end // STEP_SAMPLES)) for w in words]
    found: list[Boundary] = []
    for number in range(max(first, 1), len(words)):
        after = np.unique(np.concatenate(spans[number : number + settings.heard]))[: settings.heard]
        if len(after) < settings.heard and not ended:
            return found, number
        before = np.unique(np.concatenate(spans[max(0, number - settings.heard) : number]))
        before = before[before < after[0]][-settings.heard :]
        if min(len(before), len(after)) >= settings.least:
            found.append(Boundary(number, before, after))
    return found, max(first, len(words))


def splits(
    words: Sequence[FoundWord], scores: dict[int, float], ended: bool, settings: SplitSettings
) -> list[int]:
    """Return the numbers of the words with which somebody else goes on, ascending.

    Args:
        words: of a turn.
        scores: how alike the voices before and from a word on are, by its number.
        ended: whether the last word is the turn's last.
        settings: which are too little alike.
    """
    taken = [words[0].start, words[-1].end] if ended else [words[0].start]
    chosen = []
    for number, score in sorted(scores.items(), key=lambda pair: pair[1]):
        start = words[number].start
        pause = min(max((start - words[number - 1].end) / SAMPLE_RATE, 0.0), settings.most_pause)
        far = all(abs(start - other) >= settings.apart * STEP_SAMPLES for other in taken)
        if score - settings.pause * pause < settings.alike and far:
            chosen.append(number)
            taken.append(start)
    return sorted(chosen)


class Stretch(NamedTuple):
    """Steps first … last - 1 of a turn, that hold finished words."""

    first: int
    last: int


@dataclass
class TurnVoice:
    """The voice of one turn so far: the sum of its pieces by seconds, and up to which step it was heard."""

    until: int = 0
    total: NDArray[np.float64] | None = field(default=None, repr=False)
    seconds: float = 0.0

    def next(self, words: Sequence[FoundWord]) -> Stretch | None:
        """Return what finished words are still to be heard."""
        fresh = [word for word in words if word.end > self.until * STEP_SAMPLES]
        if not fresh:
            return None
        first = max(self.until, fresh[0].start // STEP_SAMPLES)
        last = -(-fresh[-1].end // STEP_SAMPLES)
        return Stretch(max(first, last - MOST), last) if last - first >= LEAST else None

    def receive(self, voice: NDArray[np.float32], steps: int, last: int) -> None:
        """Take the voice of so many steps, the last of which came before step `last`."""
        seconds = steps * STEP_SAMPLES / SAMPLE_RATE
        part = voice.astype(np.float64) * seconds
        self.total = part if self.total is None else self.total + part
        self.seconds += seconds
        self.until = last

    def voice(self, embedder: str) -> Voice | None:
        """Return what is known of the voice; None where nothing was heard."""
        if self.total is None:
            return None
        length = max(float(np.linalg.norm(self.total)), 1e-9)
        return Voice(tuple(round(float(x), 5) for x in self.total / length), self.seconds, embedder)


def alone(features: NDArray[np.float32], stretch: Stretch, others: Sequence[Recent]) -> NDArray[np.float32]:
    """Return the features [4 T, F] of the steps in which no other slot is active, or all if those are too few."""
    free = np.ones(stretch.last - stretch.first, bool)
    for activity in others:
        first = max(stretch.first, activity.first)
        free[first - stretch.first :] &= activity.read(first, stretch.last) < QUIET
    if np.count_nonzero(free) < ENOUGH or free.all():
        return features
    return features.reshape(len(free), STEP_FRAMES, -1)[free].reshape(-1, features.shape[1])
