"""Back-off n-gram language models: compact tables, and lookups that other compiled code can call.

A model is a trie in level order: the root, all words, all pairs sorted by (parent, word), and so on.
Log probabilities and back-off weights are 8-bit codes. The semantics are those of ARPA files: a state is the
longest known end of the history, and an n-gram that is missing costs the back-off weight of its history.
Suffix links, with which backing off is one array access, are computed when a model is loaded.

Not covered: estimation and pruning (`meetscribe.training.language`); interpolation (`meetscribe.lm.mixture`).
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import njit
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from meetscribe.errors import CheckpointError

_CODE_BITS = 8
_CODE_MASK = (1 << _CODE_BITS) - 1
_MOST_NODES = 1 << (32 - _CODE_BITS)
_KINDS = frozenset({"uint8", "uint16", "uint32", "int64", "float32"})

Whole = int | np.integer
"""Whole numbers inside compiled code."""

EMPTY_STATE = 0
"""The state in which nothing is known of the history; it is the same in every model."""


class NGramArrays(NamedTuple):
    """What the kernels read: N nodes, M of them below the highest order; 0 is the root, 1 + w the word w.

    What is needed together lies together, since a look-up costs about as much as its cache misses.

    Attributes:
        words: last word of each node, uint16 or uint32 [N].
        arcs: state after a node's words were said, times 256, plus the code of its log probability, uint32 [N].
        nodes: first child, one after the last child, state to back off to, and code of the back-off weight,
            int32 [M, 4].
        prob_values: natural log probability of each code, float32 [256].
        backoff_values: natural log back-off weight of each code, float32 [256].
    """

    words: np.ndarray
    arcs: np.ndarray
    nodes: np.ndarray
    prob_values: np.ndarray
    backoff_values: np.ndarray


@dataclass(frozen=True)
class NGramTables:
    """What a model's file holds.

    Attributes:
        level_sizes: number of n-grams of each order, words first.
        words: last words of the n-grams of order 2 and more, in level order, uint16 or uint32.
        prob: codes of log probabilities of all n-grams, uint8.
        backoff: codes of back-off weights of all n-grams below the highest order, uint8.
        children: number of children of all n-grams below the highest order, uint16 or uint32.
        prob_values: natural log probability of each code, float32 [256].
        backoff_values: natural log back-off weight of each code, float32 [256].
    """

    level_sizes: np.ndarray
    words: np.ndarray
    prob: np.ndarray
    backoff: np.ndarray
    children: np.ndarray
    prob_values: np.ndarray
    backoff_values: np.ndarray


@dataclass(frozen=True)
class NGram:
    """A language model ready for lookups.

    Words are numbered by their line in the lexicon's list of words; `<s>`, `</s>`, `<unk>` follow the last.

    Attributes:
        level_sizes: number of n-grams of each order, words (with the three markers) first.
        arrays: what the kernels read.
    """

    level_sizes: tuple[int, ...]
    arrays: NGramArrays

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return len(self.level_sizes)

    @property
    def sentence_begin(self) -> int:
        """Word id of `<s>`, which is only ever history."""
        return self.level_sizes[0] - 3

    @property
    def sentence_end(self) -> int:
        """Word id of `</s>`."""
        return self.level_sizes[0] - 2

    @property
    def unknown(self) -> int:
        """Word id of `<unk>`, for all words outside the vocabulary."""
        return self.level_sizes[0] - 1

    @property
    def begin_state(self) -> int:
        """State at the start of a sentence."""
        return int(self.arrays.arcs[1 + self.sentence_begin]) >> _CODE_BITS

    def score(self, state: int, word: int) -> tuple[float, int]:
        """Returns (natural log probability of `word` in `state`, next state)."""
        log_prob, next_state = ngram_score(self.arrays, state, word)
        return float(log_prob), int(next_state)

    def unigram_log_probs(self) -> np.ndarray:
        """Returns the log probabilities of all words without history, float32 [words + 3]."""
        return self.arrays.prob_values[self.arrays.arcs[1 : 1 + self.level_sizes[0]] & _CODE_MASK]


@njit(cache=True, nogil=True)
def find_child(arrays: NGramArrays, node: Whole, word: Whole) -> Whole:
    """Returns the child of `node` with `word` as its last word, or -1. Binary search; direct at the root."""
    if node == 0:
        return word + 1
    words = arrays.words
    low = np.int64(arrays.nodes[node, 0])
    end = np.int64(arrays.nodes[node, 1])
    high = end
    while low < high:
        middle = (low + high) >> 1
        if np.int64(words[middle]) < word:
            low = middle + 1
        else:
            high = middle
    if low < end and np.int64(words[low]) == word:
        return low
    return -1


@njit(cache=True, nogil=True)
def ngram_score(arrays: NGramArrays, state: Whole, word: Whole) -> tuple[float, Whole]:
    """Returns (natural log probability of `word` in `state`, next state), backing off where needed."""
    total = 0.0
    node = np.int64(state)
    child = find_child(arrays, node, np.int64(word))
    while child < 0:
        total += arrays.backoff_values[arrays.nodes[node, 3]]
        node = np.int64(arrays.nodes[node, 2])
        child = find_child(arrays, node, np.int64(word))
    arc = np.int64(arrays.arcs[child])
    return total + arrays.prob_values[arc & _CODE_MASK], arc >> _CODE_BITS


@njit(cache=True, nogil=True)
def score_sequence(arrays: NGramArrays, state: Whole, words: np.ndarray) -> tuple[np.ndarray, Whole]:
    """Returns (log probability of each of `words` said one after another from `state`, last state)."""
    scores = np.empty(len(words), dtype=np.float32)
    node = np.int64(state)
    for position in range(len(words)):
        scores[position], node = ngram_score(arrays, node, words[position])
    return scores, node


@njit(cache=True, nogil=True)
def _seek(words: np.ndarray, low: Whole, end: Whole, word: Whole) -> Whole:
    """Returns the first place from `low` to `end` whose word is not below `word`; fast where that is near."""
    high, stride = low, 1
    while high < end and np.int64(words[high]) < word:
        low, high, stride = high + 1, high + stride, stride * 2
    high = min(high, end)
    while low < high:
        middle = (low + high) >> 1
        if np.int64(words[middle]) < word:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _link(arrays: NGramArrays, level_starts: np.ndarray) -> None:
    """Fills in the states of `arcs` and `nodes`, level by level; a node's suffix is in a lower level.

    A state without children and without back-off cost says nothing that its suffix does not say: the links skip
    it, so that more histories share a state.
    """
    inner = len(arrays.nodes)
    for level in range(len(level_starts) - 2):
        for parent in range(level_starts[level], level_starts[level + 1]):
            suffix = np.int64(arrays.nodes[parent, 2])
            place = np.int64(arrays.nodes[suffix, 0])
            for node in range(arrays.nodes[parent, 0], arrays.nodes[parent, 1]):
                state, word = np.int64(0), np.int64(arrays.words[node])
                if parent != 0:
                    place = _seek(arrays.words, place, np.int64(arrays.nodes[suffix, 1]), word)
                    if place < arrays.nodes[suffix, 1] and arrays.words[place] == word:
                        state = np.int64(arrays.arcs[place]) >> _CODE_BITS
                    else:
                        _, state = ngram_score(arrays, arrays.nodes[suffix, 2], word)
                if node < inner:
                    arrays.nodes[node, 2] = state
                    has_children = arrays.nodes[node, 0] < arrays.nodes[node, 1]
                    if has_children or arrays.backoff_values[arrays.nodes[node, 3]] != 0.0:
                        state = np.int64(node)
                arrays.arcs[node] |= np.uint32(state << _CODE_BITS)


def assemble(tables: NGramTables) -> NGram:
    """Builds the lookup arrays of a model from the tables of its file.

    Raises:
        ValueError: if the sizes of the tables contradict one another, or there are more than 2^24 n-grams.
    """
    sizes = [int(size) for size in tables.level_sizes]
    starts = np.concatenate([[0], 1 + np.concatenate([[0], np.cumsum(sizes)])]).astype(np.int64)
    total, inner = int(starts[-1]), int(starts[-2])
    counts = np.concatenate([[sizes[0]], tables.children.astype(np.int64)])
    lengths = (len(tables.prob), len(tables.words), len(tables.backoff), len(counts), int(counts.sum()))
    if lengths != (total - 1, total - 1 - sizes[0], inner - 1, inner, total - 1):
        raise ValueError("the tables of the n-gram model do not fit together")
    if total > _MOST_NODES:
        raise ValueError(f"the n-gram model has {total} n-grams, more than {_MOST_NODES}")
    begins = 1 + np.concatenate([[0], np.cumsum(counts)])
    nodes = np.zeros((inner, 4), np.int32)
    nodes[:, 0], nodes[:, 1] = begins[:-1], begins[1:]
    nodes[1:, 3] = tables.backoff
    kind = tables.words.dtype
    arrays = NGramArrays(
        words=np.concatenate([np.zeros(1, kind), np.arange(sizes[0], dtype=kind), tables.words]),
        arcs=np.concatenate([np.zeros(1, np.uint32), tables.prob.astype(np.uint32)]),
        nodes=nodes,
        prob_values=tables.prob_values.astype(np.float32),
        backoff_values=tables.backoff_values.astype(np.float32),
    )
    _link(arrays, starts)
    return NGram(tuple(sizes), arrays)


def pack_tables(tables: NGramTables) -> dict[str, np.ndarray]:
    """Returns the tables as named byte arrays for a safetensors file: deflated, which halves them."""
    packed = {
        f"{name}.{array.dtype}": zlib.compress(array.tobytes(), 9) for name, array in vars(tables).items()
    }
    return {name: np.frombuffer(content, np.uint8) for name, content in packed.items()}


def unpack_tables(packed: Mapping[str, np.ndarray]) -> NGramTables:
    """Reads what `pack_tables` gave.

    Raises:
        ValueError: if an array is damaged, missing, or is of a kind that tables do not have.
    """
    tables: dict[str, np.ndarray] = {}
    for key, content in packed.items():
        name, _, kind = key.partition(".")
        if kind not in _KINDS:
            raise ValueError(f"unknown table {key}")
        try:
            tables[name] = np.frombuffer(zlib.decompress(content.tobytes()), kind)
        except zlib.error as error:
            raise ValueError(f"table {name} is damaged") from error
    if set(tables) != set(NGramTables.__annotations__):
        raise ValueError("tables of an n-gram model are missing")
    return NGramTables(**tables)


def save_tables(tables: NGramTables, path: Path) -> None:
    """Writes the tables of a model as a safetensors file."""
    save_file(pack_tables(tables), path)


def load_ngram(path: Path) -> NGram:
    """Reads a model.

    Raises:
        CheckpointError: if the file is no n-gram model or is damaged.
        OSError: if the file cannot be read.
    """
    try:
        return assemble(unpack_tables(load_file(path)))
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} is not a usable n-gram model: install the model again") from error
