"""Word error rates as counts that add, and the edit distance behind them.

The counts are kept and the ratio is derived, so that sums over recordings weigh every word alike.
Not covered: which words are compared with which; that is decided by `score.py` and `multitalker.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Errors against `length` reference words; `errors` is the sum of the three kinds."""

    errors: int = 0
    length: int = 0
    insertions: int = 0
    deletions: int = 0
    substitutions: int = 0

    def __post_init__(self) -> None:
        if self.errors != self.insertions + self.deletions + self.substitutions:
            raise ValueError("errors are not the sum of insertions, deletions and substitutions")

    def __add__(self, other: "ErrorRate") -> "ErrorRate":
        return ErrorRate(
            self.errors + other.errors,
            self.length + other.length,
            self.insertions + other.insertions,
            self.deletions + other.deletions,
            self.substitutions + other.substitutions,
        )

    @property
    def rate(self) -> float | None:
        """Return errors per reference word; None without reference words."""
        return self.errors / self.length if self.length else None

    def as_dict(self) -> dict[str, int | float | None]:
        """Return the three figures that results carry: errors, length and rate."""
        return {"errors": self.errors, "length": self.length, "rate": rounded(self.rate)}


def rounded(value: float | None, digits: int = 4) -> float | None:
    """Return a figure as results show it; None stays None."""
    return None if value is None else round(float(value), digits)


@numba.njit(cache=True)
def _edit_distance(reference: np.ndarray, hypothesis: np.ndarray) -> tuple[int, int]:
    """Return the least number of edits, and among such paths the number of substitutions.

    Levenshtein's recurrence, row by row. On any path insertions less deletions is the difference of the
    lengths, so that the edits alone fix all three counts but for substitutions, which are carried along.
    """
    columns = len(hypothesis) + 1
    cost = np.arange(columns)
    substitutions = np.zeros(columns, dtype=np.int64)
    for row in range(1, len(reference) + 1):
        diagonal_cost, diagonal_subs = cost[0], substitutions[0]
        cost[0], substitutions[0] = row, 0
        for column in range(1, columns):
            differs = 1 if reference[row - 1] != hypothesis[column - 1] else 0
            best, subs = diagonal_cost + differs, diagonal_subs + differs
            if cost[column] + 1 < best:
                best, subs = cost[column] + 1, substitutions[column]
            if cost[column - 1] + 1 < best:
                best, subs = cost[column - 1] + 1, substitutions[column - 1]
            diagonal_cost, diagonal_subs = cost[column], substitutions[column]
            cost[column], substitutions[column] = best, subs
    return cost[-1], substitutions[-1]


def word_error_rate(reference: Sequence[str], hypothesis: Sequence[str]) -> ErrorRate:
    """Compare two word sequences by their edit distance."""
    numbers: dict[str, int] = {}
    coded = [
        np.array([numbers.setdefault(word, len(numbers)) for word in words], dtype=np.int64)
        for words in (reference, hypothesis)
    ]
    errors, substitutions = (int(count) for count in _edit_distance(*coded))
    surplus = len(hypothesis) - len(reference)
    insertions = (errors - substitutions + surplus) // 2
    deletions = errors - substitutions - insertions
    return ErrorRate(errors, len(reference), insertions, deletions, substitutions)
