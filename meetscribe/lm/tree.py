"""The pronunciations of all words as one prefix tree of flat arrays, which the search walks.

The inside phones of a pronunciation are edges between nodes; its last, word-end symbol is an *exit*: it leads
to the words that are spoken so (homophones share an exit) and back to the root. A phrase is a pronunciation too: it
goes on after its words' last symbols, and the nodes there know which word ended. Nodes are numbered in depth-first
order, so that a parent's number is below its children's.
Not covered: where pronunciations come from (`meetscribe.lm.lexicon`); scores that depend on earlier words.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from meetscribe.lm.symbols import NUMBER_OF_SYMBOLS, is_word_end

ROOT = 0
IMPOSSIBLE = -1e30
"""Look-ahead of a node that no word lies behind: finite, so that differences of scores stay numbers."""

INNER = NUMBER_OF_SYMBOLS
"""From here on symbols of a pronunciation are numbers of inner ends: word-end symbols after which it goes on."""

NO_WORD = -1


@dataclass(frozen=True)
class InnerEnd:
    """A word-end symbol inside a pronunciation, and the word that ends there (NO_WORD: a part of one)."""

    symbol: int
    word: int = NO_WORD


@dataclass(frozen=True)
class Pronunciations:
    """The ways to say the words, one row each.

    Attributes:
        words: word of each row, int32 [P].
        begin: symbols of row p are symbols[begin[p]:begin[p + 1]], int64 [P + 1].
        symbols: inside symbols of phones, then one word-end symbol, for each row; before it also inner ends,
            INNER and their number; uint8 or uint16 [S].
        log_prob: natural log probability of saying the word so, float32 [P].
        inner: inner ends.
    """

    words: np.ndarray
    begin: np.ndarray
    symbols: np.ndarray
    log_prob: np.ndarray
    inner: tuple[InnerEnd, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[tuple[int, Sequence[int]]]) -> "Pronunciations":
        """Builds the rows from (word, symbols) pairs, all ways to say a word being equally likely."""
        rows = [(word, tuple(symbols)) for word, symbols in entries]
        begin = np.concatenate([[0], np.cumsum([len(symbols) for _, symbols in rows])]).astype(np.int64)
        flat = [symbol for _, symbols in rows for symbol in symbols]
        words = np.array([word for word, _ in rows], np.int32)
        return cls(words, begin, np.array(flat, np.uint8), np.zeros(len(rows), np.float32))

    def with_phrases(self, entries: Iterable[tuple[int, Sequence[int | InnerEnd]]]) -> "Pronunciations":
        """Returns these rows and further ones, whose symbols may be inner ends."""
        rows = list(entries)
        numbers = {end: place for place, end in enumerate(dict.fromkeys(self.inner), INNER)}
        flat: list[int] = []
        for symbol in (symbol for _, symbols in rows for symbol in symbols):
            if isinstance(symbol, InnerEnd):
                numbers.setdefault(symbol, INNER + len(numbers))
            flat.append(numbers[symbol] if isinstance(symbol, InnerEnd) else symbol)
        ends = self.begin[-1] + np.cumsum([len(symbols) for _, symbols in rows])
        return Pronunciations(
            words=np.concatenate([self.words, np.array([word for word, _ in rows], np.int32)]),
            begin=np.concatenate([self.begin, ends.astype(np.int64)]),
            symbols=np.concatenate([self.symbols, np.array(flat, np.uint16)]).astype(np.uint16),
            log_prob=np.concatenate([self.log_prob, np.zeros(len(rows), np.float32)]),
            inner=tuple(numbers),
        )


class TreeArrays(NamedTuple):
    """What the kernels read: N nodes, E exits, X words at exits, M rows of children; node 0 is the root.

    Attributes:
        child_begin: children of node n are rows child_begin[n] to child_begin[n + 1] - 1, int32 [N + 1].
        child_symbol: inside symbol that leads to a child, int32 [M].
        child_node: number of the child, int32 [M].
        exit_begin: exits of node n are rows exit_begin[n] to exit_begin[n + 1] - 1, int32 [N + 1].
        exit_symbol: word-end symbol of an exit, int32 [E].
        word_begin: words of exit e are rows word_begin[e] to word_begin[e + 1] - 1, int32 [E + 1].
        word: words of the exits, int32 [X].
        word_log_prob: natural log probability of saying that word so, float32 [X].
        unigram: natural log probability of that word, whatever came before, float32 [X].
        lookahead: greatest unigram log probability of the words behind a node; 0 at the root, whose
            look-ahead nothing has to pay, float32 [N].
        parent: parent of each node, -1 for the root, int32 [N].
        ended: word of a phrase that ends where a node is reached, NO_WORD for most, int32 [N].
    """

    child_begin: np.ndarray
    child_symbol: np.ndarray
    child_node: np.ndarray
    exit_begin: np.ndarray
    exit_symbol: np.ndarray
    word_begin: np.ndarray
    word: np.ndarray
    word_log_prob: np.ndarray
    unigram: np.ndarray
    lookahead: np.ndarray
    parent: np.ndarray
    ended: np.ndarray


def build_tree(pronunciations: Pronunciations, unigram: np.ndarray) -> TreeArrays:
    """Merges equal beginnings of pronunciations into nodes.

    Args:
        pronunciations: P ways to say words.
        unigram: natural log probability of each word, whatever came before, float32 [words].

    Raises:
        ValueError: if a row is empty, or does not have its one word-end symbol at the end.
    """
    order, spelled, lengths = _sorted_rows(pronunciations)
    node_at, parent, symbol, depth = _number_nodes(spelled, lengths)
    last = spelled[np.arange(len(order)), lengths - 1].astype(np.int32)
    from_node = node_at[np.arange(len(order)), lengths - 1]
    words = pronunciations.words[order].astype(np.int32)
    word_log_prob = pronunciations.log_prob[order].astype(np.float32)
    exit_order = np.lexsort((words, last, from_node))
    from_node, last, words = from_node[exit_order], last[exit_order], words[exit_order]
    fresh = np.ones(len(words), bool)
    fresh[1:] = (from_node[1:] != from_node[:-1]) | (last[1:] != last[:-1])
    first = np.flatnonzero(fresh)
    child_order = np.argsort(parent[1:], kind="stable")
    nodes = len(parent)
    symbol, ended = _without_inner(symbol, pronunciations.inner)
    return TreeArrays(
        child_begin=_begin(parent[1:][child_order], nodes),
        child_symbol=np.ascontiguousarray(symbol[1:][child_order]),
        child_node=(1 + child_order).astype(np.int32),
        exit_begin=_begin(from_node[first], nodes),
        exit_symbol=np.ascontiguousarray(last[first]),
        word_begin=np.append(first, len(words)).astype(np.int32),
        word=np.ascontiguousarray(words),
        word_log_prob=np.ascontiguousarray(word_log_prob[exit_order]),
        unigram=unigram[words].astype(np.float32),
        lookahead=_lookahead(parent, depth, from_node, unigram[words]),
        parent=parent,
        ended=ended,
    )


def _without_inner(symbol: np.ndarray, inner: Sequence[InnerEnd]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the real symbols that lead to nodes, and the words that end there, int32 [N] each."""
    real = np.array([*range(INNER), *(end.symbol for end in inner)], np.int32)
    words = np.array([NO_WORD] * INNER + [end.word for end in inner], np.int32)
    return real[symbol], words[symbol]


def _sorted_rows(pronunciations: Pronunciations) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the rows' alphabetical order, symbols padded with 0 (uint8 or uint16 [P, L]), and lengths."""
    lengths = np.diff(pronunciations.begin)
    rows = len(lengths)
    if lengths.min(initial=1) < 1:
        raise ValueError("a pronunciation needs at least one symbol")
    row = np.repeat(np.arange(rows), lengths)
    column = np.arange(len(row)) - np.repeat(pronunciations.begin[:-1], lengths)
    known = [is_word_end(symbol) for symbol in range(INNER)] + [False] * len(pronunciations.inner)
    ends = np.array(known)[pronunciations.symbols]
    if not np.array_equal(ends, column == lengths[row] - 1):
        raise ValueError("a pronunciation has inside symbols and ends with its only word-end symbol")
    kind = np.dtype("u1" if pronunciations.symbols.dtype == np.uint8 else ">u2")  # as bytes in order of size
    spelled = np.zeros((rows, int(lengths.max(initial=1))), kind)
    spelled[row, column] = pronunciations.symbols
    order = np.argsort(spelled.view(f"S{spelled.shape[1] * kind.itemsize}").ravel(), kind="stable")
    return order, spelled[order].astype(pronunciations.symbols.dtype), lengths[order]


def _number_nodes(spelled: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, ...]:
    """Numbers the nodes of sorted rows.

    Returns:
        Node before each symbol of each row, int32 [P, L]; of all nodes the parents, the symbols that lead to
        them, and their depths, int32 [N] each.
    """
    rows, longest = spelled.shape
    same = np.zeros((rows, longest), bool)
    same[1:] = np.logical_and.accumulate(spelled[1:] == spelled[:-1], axis=1)
    inside = np.arange(longest) < lengths[:, None] - 1
    fresh = inside & ~same
    number = np.where(fresh, np.cumsum(fresh).reshape(rows, longest), 0).astype(np.int32)
    after = np.maximum.accumulate(number, axis=0)
    node_at = np.concatenate([np.zeros((rows, 1), np.int32), after[:, :-1]], axis=1)
    parent = np.concatenate([[-1], node_at[fresh]]).astype(np.int32)
    symbol = np.concatenate([[0], spelled[fresh]]).astype(np.int32)
    depth = np.concatenate([[0], 1 + np.nonzero(fresh)[1]]).astype(np.int32)
    return node_at, parent, symbol, depth


def _begin(keys: np.ndarray, nodes: int) -> np.ndarray:
    """Returns where the rows of each node begin, given the ascending node numbers of all rows."""
    return np.searchsorted(keys, np.arange(nodes + 1)).astype(np.int32)


def _lookahead(
    parent: np.ndarray, depth: np.ndarray, from_node: np.ndarray, log_prob: np.ndarray
) -> np.ndarray:
    """Returns the greatest log probability behind each node, float32 [N], from those of the exits' words."""
    best = np.full(len(parent), IMPOSSIBLE, np.float32)
    np.maximum.at(best, from_node, log_prob)
    for deep in range(int(depth.max()), 0, -1):
        nodes = np.flatnonzero(depth == deep)
        np.maximum.at(best, parent[nodes], best[nodes])
    best[ROOT] = 0.0
    return best
