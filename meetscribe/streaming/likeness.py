"""From the cosine of two voices to the log odds that they are one person's, given how much speech is behind each.

A logistic regression over the cosine and the logarithm of the speech behind it; `scripts/fit-speakers` estimates it on
people in training. Log odds are of equal chances: who is asked for many has to ask for more.
"""

import math
from dataclasses import dataclass

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
        length = math.log(speech_behind(one, other))
        return self.offset + self.length * length + (self.cosine + self.cosine_length * length) * cosine


def speech_behind(one: float, other: float) -> float:
    """Return how much speech a comparison rests on: little if either is short."""
    if one <= 0.0 or other <= 0.0:
        return LEAST
    return min(max(one * other / (one + other), LEAST), MOST)


def probability(odds: float) -> float:
    """Return the probability of log odds."""
    return 1.0 / (1.0 + math.exp(-min(max(odds, -50.0), 50.0)))
