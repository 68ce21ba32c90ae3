"""What the network's own starts and ends of turns say, beside a search that does not have them.

As symbols of the search `<sot>` and `<eot>` cost words: every hypothesis has to pay for them in time. But the table
tells what they are worth at the best hypothesis: given that nothing was said since its last symbol, the network either
still waits, or has ended the turn, or has begun another one. These three are a small hidden Markov model whose forward
probabilities the functions here give, as log odds.
Pure functions of tables, natural log probabilities, float32 [steps, previous symbol, next symbol].
Not covered: what is made of the odds (`meetscribe.streaming.rules`, `turns`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meetscribe.lm.symbols import BLANK, END_OF_TURN, FIRST_PHONE_SYMBOL, START_OF_TURN

LIMIT = 6.0
"""Log odds are cut off at this: beyond it the network is sure, and more would drown all other evidence."""

_NEVER = -1e30


class Waiting(NamedTuple):
    """Natural log probabilities of what came, without words, after some symbol: nothing, an end, an end and a start."""

    nothing: float
    ended: float
    begun: float

    @property
    def end_odds(self) -> float:
        """Log odds that the turn has ended."""
        return limited(np.logaddexp(self.ended, self.begun) - self.nothing)

    @property
    def start_odds(self) -> float:
        """Log odds that another turn has begun."""
        return limited(self.begun - np.logaddexp(self.nothing, self.ended))


def limited(odds: float) -> float:
    """Return log odds in -LIMIT…LIMIT."""
    return float(min(max(odds, -LIMIT), LIMIT))


def waiting(scores: NDArray[np.float32], label: int) -> Waiting:
    """Return what came in some steps in which nobody said a word, after the symbol `label`.

    Before anything was said (`label` is BLANK) there is nothing that could end: a turn begins at once.
    """
    first = START_OF_TURN if label in (BLANK, END_OF_TURN) else END_OF_TURN
    stays, leaves = scores[:, label, BLANK].tolist(), scores[:, label, first].tolist()
    rests, begins = scores[:, END_OF_TURN, BLANK].tolist(), scores[:, END_OF_TURN, START_OF_TURN].tolist()
    goes = scores[:, START_OF_TURN, BLANK].tolist()
    nothing, ended, begun = 0.0, _NEVER, _NEVER
    for stay, leave, rest, begin, go in zip(stays, leaves, rests, begins, goes, strict=True):
        into = nothing + leave
        if first == START_OF_TURN:
            begun = _sum(begun + go, into)
        else:
            begun, ended = _sum(begun + go, ended + begin), _sum(ended + rest, into)
        nothing += stay
    return Waiting(nothing, ended, begun)


def boundary_odds(scores: NDArray[np.float32], label: int) -> float:
    """Return the log odds that one turn ended and another began between two symbols.

    Args:
        scores: the steps after the one of `label`, up to and including that of the next word's first symbol.
        label: the last symbol of a word.
    """
    before = waiting(scores[:-1], label)
    alone, new = (_any_phone(scores[-1, previous]) for previous in (label, START_OF_TURN))
    return limited(before.begun + new - before.nothing - alone)


def _any_phone(row: NDArray[np.float32]) -> float:
    return float(np.logaddexp.reduce(row[FIRST_PHONE_SYMBOL:].astype(np.float64)))


def _sum(first: float, second: float) -> float:
    """Return the log of the sum of two probabilities."""
    high, low = (first, second) if first > second else (second, first)
    return high + float(np.log1p(np.exp(low - high)))
