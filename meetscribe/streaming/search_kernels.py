"""The inner loops of the search: one frame after another over arrays of hypotheses, compiled.

A hypothesis is a place in the lexical tree with the words before it. In each frame every hypothesis stays
where it is (blank), goes on to a child of its node, or ends a word and goes back to the root. Hypotheses that
the future cannot tell apart (same node, same language model states, same last symbol) become one.
Not covered: the state and results that callers see (`meetscribe.streaming.search`); posteriors of words and
the care of the lattice (`meetscribe.streaming.lattice`).
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from meetscribe.lm.mixture import mixture_score
from meetscribe.lm.ngram import NGramArrays
from meetscribe.lm.symbols import BLANK
from meetscribe.lm.tree import ROOT, TreeArrays
from meetscribe.streaming.lattice import NO_WORD, POSTERIOR_EVERY, sample_posteriors

Key = Any
"""Node, states of books and conversation, last symbol: numbers that the compiled code types as it likes."""


class Knowledge(NamedTuple):
    """The tree and the language models.

    Attributes:
        tree: pronunciations.
        books: one n-gram model.
        conversation: the other, over the same words.
        vocabulary: number of words in the models; words of the tree from here on are unknown to them.
        unknown: number that stands for such words.
        prior: scaled log prior to take from each symbol's score, blank's penalty first, float32 [symbols].
    """

    tree: TreeArrays
    books: NGramArrays
    conversation: NGramArrays
    vocabulary: int
    unknown: int
    prior: np.ndarray


class Weights(NamedTuple):
    """Numbers that steer the kernels; see `meetscribe.streaming.search.SearchSettings`."""

    acoustic: float
    lm: float
    word: float
    beam: float
    symbol_beam: float
    most: int
    sum_paths: bool
    posterior: float


class Workspace(NamedTuple):
    """Scratch memory of one call: room for C candidates and a hash table of a power of two of places.

    Attributes:
        candidates: hypotheses of the next frame, HYPOTHESIS [C].
        peak: greatest score that went into each candidate, float64 [C].
        places: place of each candidate in the hash table, int64 [C].
        table: candidate in each place or -1, int32 [power of two].
        count: number of candidates, int64 [1].
        best: greatest score so far, float64 [1].
    """

    candidates: np.ndarray
    peak: np.ndarray
    places: np.ndarray
    table: np.ndarray
    count: np.ndarray
    best: np.ndarray


class Run(NamedTuple):
    """What all kernels need in one call.

    Attributes:
        work: scratch memory.
        knowledge: tree and language models.
        weights: numbers that steer the search.
        log_weights: natural logs of the shares of (books, conversation).
    """

    work: Workspace
    knowledge: Knowledge
    weights: Weights
    log_weights: tuple[float, float]


@njit(cache=True, nogil=True)
def log_add(first: float, second: float) -> float:
    """Returns log(exp(first) + exp(second))."""
    high, low = max(first, second), min(first, second)
    return high + np.log1p(np.exp(low - high))


@njit(cache=True, nogil=True)
def _find_place(work: Workspace, key: Key) -> Any:
    """Returns the place in the hash table of the candidate with this key, or of the hole where it belongs."""
    mixed = np.uint64(key[0]) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= np.uint64(key[1]) * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= np.uint64(key[2]) * np.uint64(0x165667B19E3779F9)
    mixed ^= np.uint64(key[3]) * np.uint64(0x27D4EB2F165667C5)
    mixed ^= mixed >> np.uint64(29)
    mask = np.int64(len(work.table) - 1)
    place = np.int64(mixed >> np.uint64(8)) & mask
    while work.table[place] >= 0:
        other = work.candidates[work.table[place]]
        if (
            other["node"] == key[0]
            and other["books"] == key[1]
            and other["conversation"] == key[2]
            and other["symbol"] == key[3]
        ):
            break
        place = (place + 1) & mask
    return place


@njit(cache=True, nogil=True)
def _offer(run: Run, score: float, key: Key, past: np.void, news: tuple) -> None:
    """Adds a candidate, or merges it with the one of the same key; candidates below the beam are dropped.

    Args:
        run: what all kernels need.
        score: of the candidate.
        key: its node, states of the two language models and last symbol.
        past: hypothesis that it comes from.
        news: (frame or -1 for blank, log probability of the symbol, word that ended or NO_WORD).
    """
    work = run.work
    if score < work.best[0] - run.weights.beam:
        return
    work.best[0] = max(work.best[0], score)
    place = _find_place(work, key)
    index = np.int64(work.table[place])
    if index < 0:
        index = work.count[0]
        if index == len(work.candidates):
            return
        work.count[0] += 1
        work.table[place] = index
        work.places[index] = place
        total = score
    else:
        held = work.candidates[index]["score"]
        total = log_add(held, score) if run.weights.sum_paths else max(held, score)
        work.best[0] = max(work.best[0], total)
        if score <= work.peak[index]:
            work.candidates[index]["score"] = total
            return
    work.peak[index] = score
    _fill(work.candidates, index, past, news)
    candidate = work.candidates[index]
    candidate["score"] = total
    candidate["node"], candidate["books"], candidate["conversation"], candidate["symbol"] = key


@njit(cache=True, nogil=True)
def _fill(candidates: np.ndarray, index: Any, past: np.void, news: tuple) -> None:
    """Writes the history of a candidate: that of `past`, and one more symbol unless it is a blank."""
    frame, log_prob, word = news
    candidate = candidates[index]
    candidate["link"] = past["link"]
    candidate["word"] = word
    candidate["first"] = past["first"]
    candidate["last"] = past["last"]
    candidate["acoustic"] = past["acoustic"]
    candidate["labels"] = past["labels"]
    if frame >= 0:
        if past["node"] == ROOT:
            candidate["first"] = frame
            candidate["acoustic"] = 0.0
            candidate["labels"] = 0
        candidate["last"] = frame
        candidate["acoustic"] += np.float32(log_prob)
        candidate["labels"] += 1


@njit(cache=True, nogil=True)
def _expand(run: Run, row: np.ndarray, past: np.void, frame: int) -> None:
    """Offers all that a hypothesis can become in a frame; `row` has the scores after its last symbol."""
    work, knowledge, weights = run.work, run.knowledge, run.weights
    node = past["node"]
    books, conversation = past["books"], past["conversation"]
    score = past["score"] + weights.acoustic * row[BLANK] - knowledge.prior[BLANK]
    _offer(run, score, (node, books, conversation, past["symbol"]), past, (-1, 0.0, NO_WORD))
    tree = knowledge.tree
    paid = weights.lm * tree.lookahead[node]
    for edge in range(tree.child_begin[node], tree.child_begin[node + 1]):
        symbol = tree.child_symbol[edge]
        if row[symbol] < -weights.symbol_beam:
            continue
        child = tree.child_node[edge]
        score = past["score"] + weights.acoustic * row[symbol] - knowledge.prior[symbol]
        score += weights.lm * tree.lookahead[child] - paid
        _offer(run, score, (child, books, conversation, symbol), past, (frame, row[symbol], NO_WORD))
    for leaf in range(tree.exit_begin[node], tree.exit_begin[node + 1]):
        symbol = tree.exit_symbol[leaf]
        if row[symbol] < -weights.symbol_beam:
            continue
        score = past["score"] + weights.acoustic * row[symbol] - knowledge.prior[symbol] - paid + weights.word
        if score >= work.best[0] - weights.beam:
            _end_words(run, past, (score, leaf, frame, row[symbol]))


@njit(cache=True, nogil=True)
def _end_words(run: Run, past: np.void, leaf: tuple) -> None:
    """Offers the words of an exit; `leaf` is (score without language model, exit, frame, log probability)."""
    knowledge, weights = run.knowledge, run.weights
    score, row, frame, log_prob = leaf
    tree = knowledge.tree
    symbol = tree.exit_symbol[row]
    states: Any = (np.int64(past["books"]), np.int64(past["conversation"]))
    for position in range(tree.word_begin[row], tree.word_begin[row + 1]):
        word = tree.word[position]
        known = word if word < knowledge.vocabulary else knowledge.unknown
        lm, after, _ = mixture_score(knowledge.books, knowledge.conversation, run.log_weights, states, known)
        total = score + weights.lm * (lm + tree.word_log_prob[position])
        _offer(run, total, (ROOT, after[0], after[1], symbol), past, (frame, log_prob, word))


@njit(cache=True, nogil=True)
def _cutoff(work: Workspace, weights: Weights) -> float:
    """Returns the score from which candidates live on: the beam's edge, raised until few enough do."""
    bins = 512
    edge = work.best[0] - weights.beam
    histogram = np.zeros(bins, np.int64)
    step = weights.beam / bins
    for index in range(work.count[0]):
        depth = (work.best[0] - work.candidates[index]["score"]) / step
        if depth < bins:
            histogram[np.int64(depth)] += 1
    kept = 0
    for place in range(bins):
        kept += histogram[place]
        if kept > weights.most and place > 0:
            return work.best[0] - place * step
    return edge


@njit(cache=True, nogil=True)
def _new_link(links: np.ndarray, index: int, candidate: np.void) -> None:
    """Writes the link of the word that ended in this frame, and hangs the hypothesis on it."""
    link = links[index]
    link["word"] = candidate["word"]
    link["previous"] = candidate["link"]
    link["first"] = candidate["first"]
    link["last"] = candidate["last"]
    link["acoustic"] = candidate["acoustic"]
    link["labels"] = candidate["labels"]
    link["posterior"] = 0.0
    link["samples"] = 0
    candidate["link"] = index
    candidate["word"] = NO_WORD


@njit(cache=True, nogil=True)
def _select(
    work: Workspace, weights: Weights, hypotheses: np.ndarray, links: np.ndarray, link_count: int
) -> tuple:
    """Moves the candidates that live on into `hypotheses`, the best one first; new words get their links.

    Returns:
        The number of hypotheses, and that of links.
    """
    cutoff = _cutoff(work, weights)
    best = 0
    for index in range(work.count[0]):
        work.table[work.places[index]] = -1
        if work.candidates[index]["score"] > work.candidates[best]["score"]:
            best = index
    kept = 1
    for index in range(work.count[0]):
        candidate = work.candidates[index]
        if index != best and (candidate["score"] < cutoff or kept == len(hypotheses)):
            continue
        if candidate["word"] != NO_WORD:
            _new_link(links, link_count, candidate)
            link_count += 1
        if index == best:
            hypotheses[0] = candidate
        else:
            hypotheses[kept] = candidate
            kept += 1
    return kept, link_count


@njit(cache=True, nogil=True)
def search_frames(run: Run, scores: np.ndarray, beam: tuple, frame: int) -> tuple:
    """Moves all hypotheses through the frames of a chunk.

    Args:
        run: what all kernels need.
        scores: natural log probabilities, float32 [frame, previous symbol, next symbol].
        beam: (hypotheses, their number, links, their number); the arrays are changed, and have room for
            `weights.most` hypotheses and as many new links in each frame.
        frame: number of the first of these frames.

    Returns:
        The number of hypotheses, and that of links.
    """
    work, weights = run.work, run.weights
    hypotheses, count, links, link_count = beam
    for offset in range(len(scores)):
        work.count[0] = 0
        work.best[0] = -np.inf
        for index in range(count):
            past = hypotheses[index]
            row = scores[offset, past["symbol"]]
            _expand(run, row, past, frame + offset)
        count, link_count = _select(work, weights, hypotheses, links, link_count)
        if (frame + offset) % POSTERIOR_EVERY == 0:
            sample_posteriors(hypotheses[:count], links[:link_count], weights.posterior, frame + offset)
    return count, link_count
