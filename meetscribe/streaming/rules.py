"""Small logistic rules that weigh what speaks for the end of a turn: silence, activity, the network's own marks.

Each model brings its own weights, fitted on simulated meetings of training speakers (`scripts/fit-turns`); a model
whose marks are worth nothing gets weights without them.
Pure functions. Not covered: how the evidence is gathered (`meetscribe.streaming.turns`, `marks`).
"""

from dataclasses import dataclass

LONGEST = 25
"""Steps of silence that count; more says nothing new."""


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
    """

    length: int
    still: int
    marks: float

    @property
    def values(self) -> tuple[float, ...]:
        """The evidence as `SplitRule` weighs it."""
        return float(min(self.length, LONGEST)), float(min(self.still, LONGEST)), self.marks


@dataclass(frozen=True)
class SplitRule:
    """Log odds that two words are of two turns: a weight for each kind of evidence; `threshold` splits them."""

    bias: float = -8.0
    length: float = 0.5
    still: float = 0.2
    marks: float = 0.0
    threshold: float = 0.0

    def odds(self, seen: Gap) -> float:
        """Return the log odds that one turn ended and another began."""
        weights = (self.length, self.still, self.marks)
        return self.bias + sum(weight * value for weight, value in zip(weights, seen.values, strict=True))
