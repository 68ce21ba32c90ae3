"""How likely two voices are one person's: a cosine, judged by a cohort, and how much speech is behind each.

A voice in a strange language or through a strange microphone is nearer to everybody else's than others are, so that no
one threshold fits. Where a model has a cohort, the cosine of two voices is counted in standard deviations above those
that each of them has with its nearest voices there (adaptive symmetric normalisation, Matějka et al., Interspeech
2017). A logistic regression over that score and the logarithm of the speech behind it gives log odds;
`scripts/export-embedder` estimates both on people who are not in training. Log odds are of equal chances: who is asked
for many has to ask for more.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST, MOST = 0.2, 6.0
"""Seconds of speech between which more of it counts."""

NEAREST = 60
"""Voices of the cohort by which a voice is judged."""

_REMEMBERED = 4096  # voices whose standing is not computed again


class Cohort:
    """Voices of many people, (N, E) of unit length, none of whom is looked for."""

    def __init__(self, voices: NDArray[Any]) -> None:
        self.voices = np.asarray(voices, np.float32)
        self._standing = lru_cache(_REMEMBERED)(self._measured)

    def __reduce__(self) -> tuple[type["Cohort"], tuple[NDArray[np.float32]]]:
        """Send the voices alone to other processes."""
        return Cohort, (self.voices,)

    def standing(self, voices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return mean and deviation of the cosines of voices (N, E) with their nearest ones, (2, N)."""
        found = [self._standing(voice.astype(np.float32).tobytes()) for voice in voices]
        return np.array(found).T

    def measured(self, voices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the same of voices that are not met again."""
        cosines = voices.astype(np.float32) @ self.voices.T
        nearest = np.partition(cosines, -NEAREST)[:, -NEAREST:] if len(self.voices) > NEAREST else cosines
        return np.stack([nearest.mean(1), np.maximum(nearest.std(1), 1e-3)]).astype(np.float64)

    def around(self, voice: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean of the voices nearest to one (E,), of any length: what others like it sound like."""
        cosines = self.voices @ voice
        return self.voices[np.argsort(-cosines, kind="stable")[:NEAREST]].mean(0).astype(np.float64)

    def _measured(self, voice: bytes) -> tuple[float, float]:
        mean, deviation = self.measured(np.frombuffer(voice, np.float32)[None].astype(np.float64))
        return float(mean[0]), float(deviation[0])


class Judged(NamedTuple):
    """Voices of length one (N, E), and mean and deviation (N,) of their cosines with the nearest of the cohort."""

    voices: NDArray[np.float64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def take(self, chosen: NDArray[Any]) -> "Judged":
        """Return some of them."""
        return Judged(self.voices[chosen], self.mean[chosen], self.deviation[chosen])


@dataclass(frozen=True)
class Likeness:
    """Weights of the regression, and whom voices are judged by; without a cohort a score is a cosine."""

    offset: float = -3.0
    score: float = 8.0
    length: float = -0.5
    score_length: float = 2.0
    cohort: Cohort | None = None

    @classmethod
    def stated(cls, weights: Mapping[str, float], cohort: NDArray[Any] | None) -> "Likeness":
        """Return the likeness that a model's embedder states (`models.embedder_facts`)."""
        judges = None if cohort is None else Cohort(cohort)
        return cls(
            weights["offset"], weights["score"], weights["length"], weights["score_length"], cohort=judges
        )

    @property
    def weights(self) -> dict[str, float]:
        """What is stated of it, without the cohort."""
        return {
            "offset": self.offset,
            "score": self.score,
            "length": self.length,
            "score_length": self.score_length,
        }

    def between(self, one: ArrayLike, seconds: float, other: ArrayLike, others: float) -> float:
        """Return the log odds that two voices are one person's.

        Args:
            one: a voice, or a sum of voices (E,); its length does not matter.
            seconds: speech behind it.
            other: another one.
            others: speech behind that.
        """
        return float(self.with_each(np.asarray(one)[None], seconds, other, others)[0])

    def with_each(
        self, voices: ArrayLike, seconds: ArrayLike, other: ArrayLike, others: float
    ) -> NDArray[np.float64]:
        """Return the log odds of many voices (N, E), with so many seconds (N,) each, and another one."""
        return self.odds(self.scores(voices, other), seconds, others)

    def judged(self, voices: ArrayLike) -> "Judged":
        """Return voices (N, E), or sums of voices, ready to be compared often."""
        ones = _unit(voices)
        if self.cohort is None:
            return Judged(ones, np.zeros(len(ones)), np.ones(len(ones)))
        return Judged(ones, *self.cohort.measured(ones))

    def of_all(
        self, ones: "Judged", seconds: ArrayLike, others: "Judged", spoken: ArrayLike
    ) -> NDArray[np.float64]:
        """Return the log odds of each voice with each of others, (N, M), of so many seconds (N,) and (M,)."""
        standing = np.stack([ones.mean, ones.deviation])[:, :, None]
        scores = _normalised(ones.voices @ others.voices.T, standing, (others.mean, others.deviation))
        return self.odds(scores, np.asarray(seconds)[:, None], spoken)

    def of_pairs(
        self, ones: "Judged", seconds: ArrayLike, others: "Judged", spoken: ArrayLike
    ) -> NDArray[np.float64]:
        """Return the log odds of each voice with the one in the same place, (N,)."""
        cosines = (ones.voices * others.voices).sum(1)
        scores = _normalised(cosines, (ones.mean, ones.deviation), (others.mean, others.deviation))
        return self.odds(scores, seconds, spoken)

    def scores(self, voices: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
        """Return the scores (N,) of voices (N, E) with another one (E,)."""
        ones, against = _unit(voices), _unit(other)
        cosines = ones @ against
        if self.cohort is None:
            return cosines
        return _normalised(cosines, self.cohort.standing(ones), self.cohort.standing(against[None]))

    def odds(self, scores: ArrayLike, one: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
        """Return the log odds of scores, with so many seconds of speech on either side."""
        length = np.log(speech_behind(one, other))
        slope = self.score + self.score_length * length
        return self.offset + self.length * length + slope * np.asarray(scores, float)


def _normalised(cosines: NDArray[np.float64], one: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
    """Return cosines in deviations above the mean, of either side's standing, (2, …), and of both on average."""
    (mean, deviation), (others, spread) = np.asarray(one), np.asarray(other)
    return ((cosines - mean) / deviation + (cosines - others) / spread) / 2


def speech_behind(one: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
    """Return how much speech comparisons rest on: little if either is short."""
    first, second = np.maximum(np.asarray(one, float), 0.0), np.maximum(np.asarray(other, float), 0.0)
    return np.clip(first * second / np.maximum(first + second, LEAST), LEAST, MOST)


def probability(odds: float) -> float:
    """Return the probability of log odds."""
    return 1.0 / (1.0 + math.exp(-min(max(odds, -50.0), 50.0)))


def _unit(voices: ArrayLike) -> NDArray[np.float64]:
    found = np.asarray(voices, np.float64)
    return found / np.maximum(np.linalg.norm(found, axis=-1, keepdims=True), 1e-9)
