"""Interpolated modified Kneser-Ney estimation, also of models that keep only some of the n-grams.

The smoothing is Chen and Goodman's (1999). Where n-grams are left out, the counts of the next lower order
take over all of what they counted instead of one for each (revised Kneser pruning: Siivola, Hirsimäki and
Virpioja 2007), without which pruning and Kneser-Ney counts go badly together. Sentences may have weights:
an n-gram's discount is then that of its unweighted count, times its mean weight.

Not covered: which n-grams to keep (`meetscribe.training.language.pruning`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meetscribe.training.language.counts import CountTable

NEVER = -99.0
"""Natural log probability of what is never predicted: `<s>`."""


@dataclass(frozen=True)
class Estimate:
    """Probabilities of the n-grams of one order.

    Attributes:
        probs: interpolated probability of each n-gram of the table, float64 [N], kept or not.
        backoffs: weight with which each n-gram as a history passes on to its suffix, float64 [N].
        keep: which n-grams are part of the model, bool [N].
    """

    probs: np.ndarray
    backoffs: np.ndarray
    keep: np.ndarray


def discounts(counts: np.ndarray) -> np.ndarray:
    """Returns the discounts of counts 0, 1, 2 and from 3, float64 [4] (Chen and Goodman 1999, equation 26).

    Where there are too few small counts for the formula, a discount is half of its count at most.
    """
    sizes = np.bincount(np.minimum(counts, 5).astype(np.int64), minlength=6)[:5].astype(np.float64)
    result = np.zeros(4)
    ratio = sizes[1] / max(1.0, sizes[1] + 2.0 * sizes[2])
    for count in (1, 2, 3):
        value = count / 2
        if sizes[count] > 0 and sizes[count + 1] > 0:
            value = count - (count + 1) * ratio * sizes[count + 1] / sizes[count]
        result[count] = min(max(value, 0.1), count - 0.05)
    return result


def _sums(places: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """Returns the sum of the values of each place, float64 [size], also where there are none at all."""
    return np.bincount(places, values, minlength=size).astype(np.float64)


def _adjusted(
    tables: Sequence[CountTable], keeps: Sequence[np.ndarray]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns (count, mass) of each order as Kneser-Ney sees them.

    Below the highest order they are of types to the left and not of tokens. What begins with `<s>` has
    nothing to its left and keeps its own count.
    """
    begin = len(tables[0].keys) - 3
    result = [(tables[-1].counts.astype(np.float64), tables[-1].masses)]
    for table, above, keep in zip(tables[-2::-1], tables[:0:-1], keeps[:0:-1], strict=True):
        counts, masses = result[0]
        passed_counts = np.where(keep, 1.0, counts)
        passed_masses = np.where(keep, masses / counts, masses)
        size = len(table.keys)
        lower_counts = _sums(above.suffixes, passed_counts, size)
        lower_masses = _sums(above.suffixes, passed_masses, size)
        initial = table.first_words == begin
        if table.order > 1:
            lower_counts[initial], lower_masses[initial] = table.counts[initial], table.masses[initial]
        else:
            lower_counts[initial] = lower_masses[initial] = 0.0
        result.insert(0, (lower_counts, lower_masses))
    return result


def _discounted(counts: np.ndarray, masses: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Returns what discounting takes from each n-gram, in units of mass."""
    seen = counts > 0
    taken = steps[np.minimum(np.floor(counts), 3).astype(np.int64)]
    return np.where(seen, taken * masses / np.where(seen, counts, 1.0), 0.0)


def estimate(
    tables: Sequence[CountTable], keeps: Sequence[np.ndarray], steps: Sequence[np.ndarray] | None = None
) -> list[Estimate]:
    """Estimates all orders of a model.

    Args:
        tables: counts of all orders.
        keeps: for each order which n-grams the model keeps; prefixes of kept ones must be kept.
        steps: discounts of each order; from the counts of these tables if None.

    Returns:
        An estimate for each order; the back-off weights of the highest are 1.
    """
    adjusted = _adjusted(tables, keeps)
    steps = full_discounts(tables) if steps is None else steps
    estimates: list[Estimate] = []
    for table, keep, (counts, masses), step in zip(tables, keeps, adjusted, steps, strict=True):
        taken = np.where(keep, _discounted(counts, masses, step), masses)
        histories = 1 if table.order == 1 else len(tables[table.order - 2].keys)
        totals, passed = _sums(table.prefixes, masses, histories), _sums(table.prefixes, taken, histories)
        seen = totals > 0
        backoffs = np.where(seen, passed / np.where(seen, totals, 1.0), 1.0)
        lower = _uniform(table) if table.order == 1 else estimates[-1].probs[table.suffixes]
        own = np.where(
            totals[table.prefixes] > 0, (masses - taken) / np.maximum(totals[table.prefixes], 1e-30), 0.0
        )
        probs = own + backoffs[table.prefixes] * lower
        if estimates:
            estimates[-1] = Estimate(estimates[-1].probs, backoffs, estimates[-1].keep)
        estimates.append(Estimate(probs, np.ones(len(table.keys)), keep))
    return estimates


def _uniform(table: CountTable) -> np.ndarray:
    """Returns equal probabilities of all words, `</s>` and `<unk>`; none for `<s>`."""
    size = len(table.keys)
    probs = np.full(size, 1.0 / (size - 1))
    probs[size - 3] = 0.0
    return probs


def full_discounts(tables: Sequence[CountTable]) -> list[np.ndarray]:
    """Returns the discounts of each order of the model that keeps all n-grams."""
    everything = [np.ones(len(table.keys), bool) for table in tables]
    return [discounts(counts) for counts, _ in _adjusted(tables, everything)]


def keep_known(tables: Sequence[CountTable]) -> list[np.ndarray]:
    """Keeps all words, and all longer n-grams that hold no `<unk>`."""
    unknown = len(tables[0].keys) - 1
    words = np.ones(len(tables[0].keys), bool)
    return [words, *(~table.contains(unknown) for table in tables[1:])]
