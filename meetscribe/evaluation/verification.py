"""How well scores tell same from different: equal error rates, and what a threshold misses and lets in.

Not covered: which pairs are tried (`training/trials.py`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class OperatingPoint(NamedTuple):
    """What happens at one threshold: the share of same pairs that fall below it, and of different ones above."""

    threshold: float
    missed: float
    false: float


def operating_curve(scores: Sequence[float], same: Sequence[bool]) -> list[OperatingPoint]:
    """Return all operating points, by rising threshold; pairs at the threshold count as found."""
    order = np.argsort(scores, kind="stable")
    values, own = np.asarray(scores, float)[order], np.asarray(same, bool)[order]
    missed = np.concatenate([[0], np.cumsum(own)]) / max(1, own.sum())
    false = 1.0 - np.concatenate([[0], np.cumsum(~own)]) / max(1, (~own).sum())
    thresholds = np.concatenate([values, [np.inf]])
    first = np.concatenate([[True], values[1:] != values[:-1], [True]])  # equal scores share a point
    return [
        OperatingPoint(*map(float, row))
        for row in zip(thresholds[first], missed[first], false[first], strict=True)
    ]


def equal_error_rate(scores: Sequence[float], same: Sequence[bool]) -> float:
    """Return the rate at which as many same pairs are missed as different ones let in, between two points if need be.

    Raises:
        ValueError: pairs of one kind are missing.
    """
    if all(same) or not any(same):
        raise ValueError("an equal error rate needs pairs of one person and pairs of two")
    curve = operating_curve(scores, same)
    after = next(number for number, point in enumerate(curve) if point.missed >= point.false)
    low, high = curve[max(after - 1, 0)], curve[after]
    before, past = low.false - low.missed, high.missed - high.false
    if before + past == 0:
        return high.missed
    between = low.missed + (high.missed - low.missed) * before / (before + past)
    return min(max(between, low.missed), high.missed)  # whatever rounding makes of it
