"""The semantics of ARPA files, slowly: n-grams in a dictionary, backing off by recursion."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from meetscribe.lm.ngram import NGramTables

Grams = Mapping[tuple[int, ...], tuple[float, float]]
"""(log probability, back-off weight) of n-grams; all their beginnings are there too."""


@dataclass(frozen=True)
class SlowModel:
    """A back-off model that does exactly what the definition says."""

    grams: Grams
    order: int

    def score(self, history: tuple[int, ...], word: int) -> float:
        """Returns the log probability of a word after a history of any length."""
        history = history[max(0, len(history) - self.order + 1) :]
        if (*history, word) in self.grams:
            return self.grams[(*history, word)][0]
        backoff = self.grams[history][1] if history in self.grams else 0.0
        return backoff + self.score(history[1:], word)


def to_tables(grams: Grams, words: int, values: np.ndarray) -> NGramTables:
    """Returns the tables of a model whose numbers are all in `values`, which ascend."""
    order = max(len(gram) for gram in grams)
    levels = [sorted(gram for gram in grams if len(gram) == size) for size in range(1, order + 1)]
    every = [gram for level in levels for gram in level]
    inner = [gram for gram in every if len(gram) < order]
    children = [sum(1 for other in grams if other[:-1] == gram) for gram in inner]
    assert len(levels[0]) == words
    return NGramTables(
        level_sizes=np.array([len(level) for level in levels], np.int64),
        words=np.array([gram[-1] for gram in every if len(gram) > 1], np.uint16),
        prob=np.searchsorted(values, [grams[gram][0] for gram in every]).astype(np.uint8),
        backoff=np.searchsorted(values, [grams[gram][1] for gram in inner]).astype(np.uint8),
        children=np.array(children, np.uint16),
        prob_values=values.astype(np.float32),
        backoff_values=values.astype(np.float32),
    )
