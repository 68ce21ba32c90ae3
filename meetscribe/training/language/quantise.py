"""Models as 8-bit tables.

Not covered: lookups (`meetscribe.lm.ngram`).
"""

from collections.abc import Sequence

import numpy as np

from meetscribe.lm.ngram import NGramTables
from meetscribe.training.language.counts import CountTable
from meetscribe.training.language.kneser_ney import NEVER, Estimate

CODES = 256
ROUNDS = 20


def codebook(values: np.ndarray, fixed: Sequence[float] = ()) -> np.ndarray:
    """Returns 256 ascending values that stand for `values` with small squared error, float32.

    Lloyd's algorithm from evenly spread quantiles and evenly spread values; `fixed` values are among the
    result.
    """
    data = np.sort(values.astype(np.float64)) if len(values) else np.zeros(1)
    sums = np.concatenate([[0.0], np.cumsum(data)])
    free = CODES - len(fixed)
    half = free // 2
    quantiles = data[np.linspace(0, len(data) - 1, half).astype(np.int64)]
    centres = np.sort(np.concatenate([quantiles, np.linspace(data[0], data[-1], free - half)]))
    for _ in range(ROUNDS):
        edges = np.searchsorted(data, (centres[1:] + centres[:-1]) / 2)
        bounds = np.concatenate([[0], edges, [len(data)]])
        sizes = np.diff(bounds)
        means = np.diff(sums[bounds]) / np.maximum(sizes, 1)
        centres = np.sort(np.where(sizes > 0, means, centres))
    return np.sort(np.concatenate([centres, fixed])).astype(np.float32)


def encode(values: np.ndarray, book: np.ndarray) -> np.ndarray:
    """Returns the number of the nearest value of a codebook for each of `values`, uint8."""
    return np.searchsorted((book[1:] + book[:-1]) / 2, values).astype(np.uint8)


def to_tables(tables: Sequence[CountTable], estimates: Sequence[Estimate]) -> NGramTables:
    """Returns what a model's file holds of the n-grams that are kept."""
    with np.errstate(divide="ignore"):
        probs = [np.maximum(np.log(own.probs[own.keep]), NEVER) for own in estimates]
        backoffs = [np.maximum(np.log(own.backoffs[own.keep]), NEVER) for own in estimates[:-1]]
    backoffs = [np.where(np.abs(values) < 1e-9, 0.0, values) for values in backoffs]
    children = []
    for own, above, table in zip(estimates[:-1], estimates[1:], tables[1:], strict=True):
        counts = np.bincount(table.prefixes[above.keep], minlength=len(own.keep))
        children.append(counts[own.keep])
    all_probs, all_backoffs = np.concatenate(probs), np.concatenate(backoffs)
    prob_values = codebook(all_probs[all_probs > NEVER], fixed=[NEVER])
    backoff_values = codebook(all_backoffs[all_backoffs != 0], fixed=[0.0])
    words = [table.last_words[own.keep] for table, own in zip(tables[1:], estimates[1:], strict=True)]
    return NGramTables(
        level_sizes=np.array([len(part) for part in probs], np.int64),
        words=np.concatenate(words).astype(np.uint16),
        prob=encode(all_probs, prob_values),
        backoff=encode(all_backoffs, backoff_values),
        children=np.concatenate(children).astype(np.uint16),
        prob_values=prob_values,
        backoff_values=backoff_values,
    )
