"""Small logistic rules that weigh what speaks for the end of a turn: silence, activity, the network's own marks.

Each model brings its own weights, fitted on simulated meetings of training speakers (`scripts/fit-turns`); a model
whose marks are worth nothing gets weights without them.
Pure functions. Not covered: how the evidence is gathered (`meetscribe.streaming.turns`, `marks`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONGEST = 25
"""Steps of silence that count; more says nothing new."""

SECOND = 25
"""Steps of speech in which a voice varies by one."""

SLOW = 0.3
"""Part of the variation of one person's voice that stays in long stretches."""

MOST = 15.0
"""Log likelihood ratios of voices are cut off at this."""


@dataclass(frozen=True)
class Silence:
    """What is known while nothing is said in an open turn; lengths in steps of 40 ms.

    Attributes:
        silence: since the last symbol of a word in the best hypothesis.
        agreed: the same, the least of all good hypotheses.
        still: for so long the slot's activity has been low.
        ended: log odds that the turn has ended, by the network's marks.
    """

    silence: int
    agreed: int
    still: int
    ended: float

    @property
    def values(self) -> tuple[float, ...]:
        """The evidence as `ClosingRule` weighs it."""
        lengths = (min(length, LONGEST) for length in (self.silence, self.agreed, self.still))
        return (*(float(length) for length in lengths), self.ended)


@dataclass(frozen=True)
class ClosingRule:
    """Log odds that a turn is over: a weight for each kind of evidence; it closes at `threshold`."""

    bias: float = -8.0
    silence: float = 0.3
    agreed: float = 0.2
    still: float = 0.2
    ended: float = 0.0
    threshold: float = 0.0

    def odds(self, seen: Silence) -> float:
        """Return the log odds that the turn is over."""
        weights = (self.silence, self.agreed, self.still, self.ended)
        return self.bias + sum(weight * value for weight, value in zip(weights, seen.values, strict=True))


@dataclass(frozen=True)
class Gap:
    """What is known of the time between two words of a turn; lengths in steps of 40 ms.

    Attributes:
        length: from the last symbol of the one to the first of the other.
        still: steps of it in which the slot's activity was low.
        marks: log odds that a turn ended and another began, by the network's marks.
        voice: log likelihood ratio of two voices, before and after.
    """

    length: int
    still: int
    marks: float
    voice: float = 0.0

    @property
    def values(self) -> tuple[float, ...]:
        """The evidence as `SplitRule` weighs it."""
        return float(min(self.length, LONGEST)), float(min(self.still, LONGEST)), self.marks, self.voice


@dataclass(frozen=True)
class SplitRule:
    """Log odds that two words are of two turns: a weight for each kind of evidence; `threshold` splits them.

    `spread` is how much more each number of a voice varies between people than within a second of one.
    """

    bias: float = -8.0
    length: float = 0.5
    still: float = 0.2
    marks: float = 0.0
    voice: float = 0.0
    threshold: float = 0.0
    spread: tuple[float, ...] = ()

    def odds(self, seen: Gap) -> float:
        """Return the log odds that one turn ended and another began."""
        weights = (self.length, self.still, self.marks, self.voice)
        return self.bias + sum(weight * value for weight, value in zip(weights, seen.values, strict=True))


def voices_differ(
    before: tuple[NDArray[np.float32], float],
    after: tuple[NDArray[np.float32], float],
    spread: Sequence[float],
) -> float:
    """Return the log likelihood ratio that two stretches of speech are of two people rather than of one.

    Each is the mean voice, float32 [D], and for how many steps it was heard: means of short stretches vary more. Part
    of the variation of one person (`SLOW`) does not go away with time.
    """
    if min(before[1], after[1]) < 1.0 or not spread:
        return 0.0
    within = sum(SLOW + (1.0 - SLOW) * SECOND / steps for _, steps in (before, after))
    apart = within + 2.0 * np.asarray(spread)
    square = np.square((before[0] - after[0]).astype(np.float64))
    ratio = 0.5 * float((square / within - square / apart - np.log(apart / within)).sum())
    return min(max(ratio, -MOST), MOST)
