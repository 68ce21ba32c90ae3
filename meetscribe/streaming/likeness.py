"""From the cosine of two voices to the log odds that they are one person's, given how much speech is behind each.

A logistic regression over the cosine and the logarithm of the speech behind it; `scripts/export-embedder` estimates it
on people who are not in training. Log odds are of equal chances: who is asked for many has to ask for more.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST, MOST = 0.2, 6.0
"""Seconds of speech between which more of it counts."""


@dataclass(frozen=True)
class Likeness:
    """Weights of the regression."""

    offset: float = -3.0
    cosine: float = 8.0
    length: float = -0.5
    cosine_length: float = 2.0

    def __call__(self, cosine: float, one: float, other: float) -> float:
        """Return the log odds of two voices with so many seconds of speech."""
        return float(self.each(cosine, one, other))

    def each(self, cosines: ArrayLike, one: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
        """Return the log odds of many pairs of voices."""
        length = np.log(speech_behind(one, other))
        slope = self.cosine + self.cosine_length * length
        return self.offset + self.length * length + slope * np.asarray(cosines, float)


def speech_behind(one: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
    """Return how much speech comparisons rest on: little if either is short."""
    first, second = np.maximum(np.asarray(one, float), 0.0), np.maximum(np.asarray(other, float), 0.0)
    return np.clip(first * second / np.maximum(first + second, LEAST), LEAST, MOST)


def probability(odds: float) -> float:
    """Return the probability of log odds."""
    return 1.0 / (1.0 + math.exp(-min(max(odds, -50.0), 50.0)))
