"""Counts of n-grams as sorted arrays of packed keys.

An n-gram is one 64-bit key: 16 bits a word in n-grams of up to four words, fewer for small vocabularies and
longer n-grams. The first word is highest, so that the sorted keys are in the order of a trie: by history,
then by word. Counting is sorting.

Not covered: n-grams whose words do not fit into 64 bits together.
"""

from dataclasses import dataclass

import numpy as np

from meetscribe.training.language.text import TokenText

KEY_BITS = 64


@dataclass(frozen=True)
class CountTable:
    """All n-grams of one order.

    Attributes:
        order: number of words in each.
        bits: bits of a word in a key.
        keys: packed n-grams, ascending, uint64 [N].
        counts: how often each was seen, int64 [N].
        masses: the same weighted, float64 [N].
        prefixes: index of the n-gram without its last word in the table one order lower, int64 [N].
        suffixes: the same without its first word.
    """

    order: int
    bits: int
    keys: np.ndarray
    counts: np.ndarray
    masses: np.ndarray
    prefixes: np.ndarray
    suffixes: np.ndarray

    @property
    def last_words(self) -> np.ndarray:
        """Last word of each n-gram, int64 [N]."""
        return (self.keys & np.uint64((1 << self.bits) - 1)).astype(np.int64)

    @property
    def first_words(self) -> np.ndarray:
        """First word of each n-gram, int64 [N]."""
        return (self.keys >> np.uint64(self.bits * (self.order - 1))).astype(np.int64)

    def contains(self, word: int) -> np.ndarray:
        """Tells for each n-gram whether a word is among its words, bool [N]."""
        found = np.zeros(len(self.keys), bool)
        for position in range(self.order):
            part = (self.keys >> np.uint64(self.bits * position)) & np.uint64((1 << self.bits) - 1)
            found |= part == word
        return found


def _windows(text: TokenText, order: int, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the packed keys of all windows of `order` words inside sentences, and their weights."""
    tokens = text.tokens.astype(np.uint64)
    length = max(0, len(tokens) - order + 1)
    keys = np.zeros(length, np.uint64)
    inside = np.ones(length, bool)
    for position in range(order):
        part = tokens[position : position + length]
        keys = (keys << np.uint64(bits)) | part
        if position > 0:
            inside &= part != text.vocabulary
    return keys[inside], text.weights[:length][inside]


def _unigrams(text: TokenText, bits: int) -> CountTable:
    """Counts every word of the vocabulary and the markers, also those never seen."""
    size = text.vocabulary + 3
    nowhere = np.zeros(size, np.int64)
    counts = np.bincount(text.tokens, minlength=size)
    masses = np.bincount(text.tokens, text.weights, minlength=size)
    return CountTable(1, bits, np.arange(size, dtype=np.uint64), counts, masses, nowhere, nowhere)


def count_ngrams(text: TokenText, order: int) -> list[CountTable]:
    """Counts all n-grams up to `order` that lie inside sentences; orders ascend from 1.

    Raises:
        ValueError: if the words of the longest n-grams do not fit into a key.
    """
    bits = (text.vocabulary + 2).bit_length()
    if order < 1 or order * bits > KEY_BITS:
        raise ValueError(f"n-grams of {order} words of {bits} bits do not fit into {KEY_BITS} bits")
    tables = [_unigrams(text, bits)]
    for size in range(2, order + 1):
        keys, weights = _windows(text, size, bits)
        ranks = np.argsort(keys, kind="stable")
        keys = keys[ranks]
        starts = np.flatnonzero(np.diff(keys, prepend=keys[:1] + np.uint64(1)))
        running = np.concatenate([[0.0], np.cumsum(weights[ranks], dtype=np.float64)])
        bounds = np.append(starts, len(keys))
        counts, masses = np.diff(bounds), np.diff(running[bounds])
        keys = keys[starts]
        lower, mask = tables[-1].keys, np.uint64((1 << (bits * (size - 1))) - 1)
        prefixes = np.searchsorted(lower, keys >> np.uint64(bits))
        suffixes = np.searchsorted(lower, keys & mask)
        tables.append(CountTable(size, bits, keys, counts, masses, prefixes, suffixes))
    return tables
