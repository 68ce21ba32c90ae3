"""Which n-grams a small model keeps.

The measure is the weighted difference (Seymore and Rosenfeld 1996): how much log likelihood of the text an
n-gram is worth over backing off, by its discounted count. One threshold holds for all orders.

Not covered: estimation of the smaller model (`meetscribe.training.language.kneser_ney`).
"""

from collections.abc import Sequence

import numpy as np

from meetscribe.training.language.counts import CountTable
from meetscribe.training.language.kneser_ney import Estimate

BISECTIONS = 30


def worth(tables: Sequence[CountTable], estimates: Sequence[Estimate]) -> list[np.ndarray]:
    """Returns for each order what each n-gram saves, in nats over the text; words are worth infinity."""
    values = [np.full(len(tables[0].keys), np.inf)]
    for table, lower, own in zip(tables[1:], estimates[:-1], estimates[1:], strict=True):
        backed_off = lower.backoffs[table.prefixes] * lower.probs[table.suffixes]
        history_mass = np.bincount(table.prefixes, table.masses)[table.prefixes]
        gain = history_mass * own.probs * (np.log(own.probs) - np.log(backed_off))
        values.append(np.where(own.keep, gain, -np.inf))
    return values


def closed_selection(
    tables: Sequence[CountTable], values: Sequence[np.ndarray], threshold: float
) -> list[np.ndarray]:
    """Returns which n-grams are worth more than a threshold or are the beginning of one that is."""
    keeps: list[np.ndarray] = []
    for index in range(len(tables) - 1, -1, -1):
        keep = values[index] > threshold
        if keeps:
            above = tables[index + 1]
            keep = keep | (np.bincount(above.prefixes[keeps[0]], minlength=len(keep)) > 0)
        keeps.insert(0, keep)
    return keeps


def select(
    tables: Sequence[CountTable], estimates: Sequence[Estimate], costs: Sequence[float], budget: float
) -> list[np.ndarray]:
    """Keeps the n-grams worth most, up to a budget.

    Args:
        tables: counts of all orders.
        estimates: the model that keeps everything.
        costs: cost of an n-gram of each order, in any unit.
        budget: largest sum of costs.

    Returns:
        For each order which n-grams to keep; their beginnings are kept with them.
    """
    values = worth(tables, estimates)
    low, high = -12.0, 12.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        keeps = closed_selection(tables, values, np.exp(middle))
        spent = sum(cost * int(keep.sum()) for cost, keep in zip(costs, keeps, strict=True))
        low, high = (middle, high) if spent > budget else (low, middle)
    return closed_selection(tables, values, np.exp(high))
