"""The inner loops of the search: one frame after another over arrays of hypotheses, compiled.

A hypothesis is a place in the lexical tree with the words before it. In each frame every hypothesis stays
where it is (blank), goes on to a child of its node, or ends a word and goes back to the root. At the root it may
also emit a turn's start, where nothing or a turn's end came last, or a turn's end, where a word did. Hypotheses
that the future cannot tell apart (same node, same language model states, same last symbol) become one.

Each kernel works on a whole frame: calls in the innermost loops would cost more than the work (numba counts
references to every array that a call is given).
Not covered: the state and results that callers see (`meetscribe.streaming.search`); posteriors of words and
the care of the lattice (`meetscribe.streaming.lattice`).
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from meetscribe.lm.mixture import mixture_score
from meetscribe.lm.ngram import NGramArrays
from meetscribe.lm.symbols import BLANK, END_OF_TURN, FIRST_PHONE_SYMBOL, START_OF_TURN
from meetscribe.lm.tree import ROOT, TreeArrays
from meetscribe.streaming.lattice import (
    HYPOTHESIS,
    NO_FRAME,
    NO_ROW,
    NO_WORD,
    POSTERIOR_EVERY,
    sample_posteriors,
)

STEP = np.dtype(
    [
        ("score", np.float64),
        ("source", np.int32),  # hypothesis that it comes from
        ("node", np.int32),  # that it goes to; the exit, until language models have been asked
        ("books", np.int32),  # state of that language model afterwards
        ("conversation", np.int32),
        ("symbol", np.int32),  # last one that was no blank
        ("word", np.int32),  # word that ends here, or NO_WORD
        ("new", np.int32),  # what comes in this frame: NOTHING, PHONE or MARK
        ("log_prob", np.float32),  # of that symbol
        ("lm", np.float32),  # of the word that ends here in the language models; NaN: as part of a hot phrase
    ],
    align=True,
)
"""A way to go on from a hypothesis in a frame."""

ANSWER = np.dtype(
    [
        ("books", np.int32),
        ("conversation", np.int32),
        ("word", np.int32),
        ("books_after", np.int32),
        ("conversation_after", np.int32),
        ("log_prob", np.float32),
    ],
    align=True,
)
"""What the language models said when they were asked for a word: hypotheses that wait ask again."""


ENTRY = np.dtype(
    [
        ("word", np.int32),  # that ends with it: a phrase's last
        ("books", np.int32),  # state of that language model afterwards
        ("conversation", np.int32),
        ("log_prob", np.float32),  # of the whole phrase
    ],
    align=True,
)
"""A hot word or phrase."""

NOTHING, PHONE, MARK = 0, 1, 2
"""What a step emits: blank, a symbol of a word, or a turn's start or end."""

CALLED_SOURCES = "e756eada11a9"
"""Digest of the modules whose functions are compiled into these. What numba keeps on disk is made anew when this
file changes, not when those do: a change there has to change this line. A test says what it should be."""

NEARLY_FULL = 0.8
"""From this share of the greatest number of hypotheses on it is taken for reached."""

NARROWING_SLACK = 2.0
"""How much further from the best a step may be than the worst hypothesis was."""


class Knowledge(NamedTuple):
    """The tree and the language models.

    Attributes:
        tree: pronunciations.
        books: one n-gram model.
        conversation: the other, over the same words.
        vocabulary: number of words in the models; words of the tree from here on are unknown to them.
        unknown: number that stands for such words.
        first_entry: from here on words of the tree are entries of hot words, which the models are not asked for.
        entries: ENTRY of each.
        prior: what to take from each symbol's score: penalties of blank and of a turn's start and end, then the
            phones' scaled log priors, float32 [symbols].
    """

    tree: TreeArrays
    books: NGramArrays
    conversation: NGramArrays
    vocabulary: int
    unknown: int
    first_entry: int
    entries: np.ndarray
    prior: np.ndarray


class Weights(NamedTuple):
    """Numbers that steer the kernels; see `meetscribe.streaming.search.SearchSettings`."""

    acoustic: float
    lm: float
    word: float
    beam: float
    margin: float
    symbol_beam: float
    most: int
    sum_paths: bool
    posterior: float
    marks: bool


class Workspace(NamedTuple):
    """Scratch memory of one call.

    Attributes:
        steps: ways to go on, STEP [room].
        exits: ways to end a word, before the language models have been asked, STEP [room].
        chosen: best step of each new hypothesis, int32 [room].
        total: score of each new hypothesis, float64 [room].
        place: place of each new hypothesis in the hash table, int64 [room].
        table: new hypothesis in each place or -1, int32 [power of two].
        answers: of the language models, ANSWER [power of two].
        previous: hypotheses of the frame before, HYPOTHESIS [most].
    """

    steps: np.ndarray
    exits: np.ndarray
    chosen: np.ndarray
    total: np.ndarray
    place: np.ndarray
    table: np.ndarray
    answers: np.ndarray
    previous: np.ndarray


def new_workspace(most: int) -> Workspace:
    """Returns scratch memory for a search with at most so many hypotheses."""
    room = 64 * most + 4096
    answers = np.zeros(1 << 13, ANSWER)
    answers["word"] = NO_WORD
    return Workspace(
        steps=np.empty(room, STEP),
        exits=np.empty(room, STEP),
        chosen=np.empty(room, np.int32),
        total=np.empty(room, np.float64),
        place=np.empty(room, np.int64),
        table=np.full(1 << (2 * room - 1).bit_length(), -1, np.int32),
        answers=answers,
        previous=np.empty(most, HYPOTHESIS),
    )


class Run(NamedTuple):
    """What the kernels need in one call.

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
def _write(step: Any, score: float, source: int, target: tuple, symbol: tuple) -> None:
    """Fills a step; `target` is (node, books, conversation), `symbol` (symbol, new, log_prob, word)."""
    step["score"] = score
    step["source"] = source
    step["node"], step["books"], step["conversation"] = target
    step["symbol"], step["new"], step["log_prob"], step["word"] = symbol


@njit(cache=True, nogil=True)
def _narrowed(hypotheses: np.ndarray, weights: Weights) -> float:
    """Returns the beam for steps from these hypotheses: what the limit of their number is going to leave of it.

    Where that limit and not the beam decided in the last frame, it will in the next one, at about the same
    distance from the best; steps well beyond are not worth a question to the language models.
    """
    if len(hypotheses) < weights.most * NEARLY_FULL:
        return weights.beam
    worst = hypotheses[0]["score"]
    for index in range(len(hypotheses)):
        worst = min(worst, hypotheses[index]["score"])
    return min(weights.beam, hypotheses[0]["score"] - worst + NARROWING_SLACK)


@njit(cache=True, nogil=True)
def _walk(run: Run, hypotheses: np.ndarray, scores: np.ndarray, beam: float) -> tuple:
    """Writes all steps inside words, and all ends of words without the score of the language models.

    Args:
        run: what the kernels need.
        hypotheses: HYPOTHESIS [H].
        scores: natural log probabilities, float32 [previous symbol, next symbol].
        beam: steps this much worse than the best are left out.

    Returns:
        The number of steps, that of exits, and the best score of the steps.
    """
    weights, tree, prior = run.weights, run.knowledge.tree, run.knowledge.prior
    steps, exits = run.work.steps, run.work.exits
    count, exit_count, best = 0, 0, -np.inf
    for source in range(len(hypotheses)):
        past = hypotheses[source]
        node, books, conversation = past["node"], past["books"], past["conversation"]
        row = scores[past["symbol"]]
        score = past["score"] + weights.acoustic * row[BLANK] - prior[BLANK]
        best = max(best, score)
        if count < len(steps):
            _write(
                steps[count],
                score,
                source,
                (node, books, conversation),
                (past["symbol"], NOTHING, 0.0, NO_WORD),
            )
            count += 1
        if weights.marks and node == ROOT and count < len(steps):
            mark = START_OF_TURN if past["symbol"] < FIRST_PHONE_SYMBOL else END_OF_TURN
            score = past["score"] + weights.acoustic * row[mark] - prior[mark]
            if past["symbol"] != START_OF_TURN and score >= best - beam and row[mark] >= -weights.symbol_beam:
                best = max(best, score)
                after = (node, books, conversation)
                _write(steps[count], score, source, after, (mark, MARK, row[mark], NO_WORD))
                count += 1
        unpaid = past["score"] - weights.lm * tree.lookahead[node]
        for edge in range(tree.child_begin[node], tree.child_begin[node + 1]):
            symbol, child = tree.child_symbol[edge], tree.child_node[edge]
            score = (
                unpaid + weights.acoustic * row[symbol] - prior[symbol] + weights.lm * tree.lookahead[child]
            )
            if score < best - beam or row[symbol] < -weights.symbol_beam or count == len(steps):
                continue
            best = max(best, score)
            _write(
                steps[count],
                score,
                source,
                (child, books, conversation),
                (symbol, PHONE, row[symbol], tree.ended[child]),
            )
            steps[count]["lm"] = np.nan
            count += 1
        for leaf in range(tree.exit_begin[node], tree.exit_begin[node + 1]):
            symbol = tree.exit_symbol[leaf]
            score = unpaid + weights.acoustic * row[symbol] - prior[symbol] + weights.word
            if score < best - beam or row[symbol] < -weights.symbol_beam or exit_count == len(exits):
                continue
            _write(
                exits[exit_count],
                score,
                source,
                (leaf, books, conversation),
                (symbol, PHONE, row[symbol], NO_WORD),
            )
            exit_count += 1
    return count, exit_count, best


@njit(cache=True, nogil=True)
def _answer_place(answers: np.ndarray, books: Any, conversation: Any, word: Any) -> Any:
    """Returns where the ANSWER for a word in a pair of states is kept, if anywhere."""
    mixed = np.uint64(books) * np.uint64(0x9E3779B97F4A7C15)
    mixed += np.uint64(conversation) * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed = (mixed + np.uint64(word)) * np.uint64(0x165667B19E3779F9)
    return np.int64(mixed >> np.uint64(40)) & (len(answers) - 1)


@njit(cache=True, nogil=True)
def _ask(run: Run, answer: Any, books: Any, conversation: Any, word: Any) -> None:
    """Asks the language models for a word in a pair of states, and writes their answer; hot words have their own."""
    knowledge = run.knowledge
    answer["books"], answer["conversation"], answer["word"] = books, conversation, word
    if word >= knowledge.first_entry:
        entry = knowledge.entries[word - knowledge.first_entry]
        answer["books_after"], answer["conversation_after"] = entry["books"], entry["conversation"]
        answer["log_prob"] = entry["log_prob"]
        return
    known = word if word < knowledge.vocabulary else knowledge.unknown
    states: Any = (np.int64(books), np.int64(conversation))
    lm, after, _ = mixture_score(knowledge.books, knowledge.conversation, run.log_weights, states, known)
    answer["books_after"], answer["conversation_after"] = after
    answer["log_prob"] = lm


@njit(cache=True, nogil=True)
def _end_words(run: Run, counts: tuple, best: float, beam: float) -> tuple:
    """Adds the steps that end words.

    Args:
        run: what the kernels need.
        counts: (number of steps, number of exits).
        best: best score of the steps.
        beam: steps this much worse than the best are left out.

    Returns:
        The number of steps, and the best score of all.
    """
    count, exit_count = counts
    weights, tree, knowledge = run.weights, run.knowledge.tree, run.knowledge
    steps, exits, answers = run.work.steps, run.work.exits, run.work.answers
    for index in range(exit_count):
        leaving = exits[index]
        books, conversation = leaving["books"], leaving["conversation"]
        for position in range(tree.word_begin[leaving["node"]], tree.word_begin[leaving["node"] + 1]):
            if leaving["score"] < best - beam or count == len(steps):
                break
            if leaving["score"] + weights.lm * tree.unigram[position] < best - beam - weights.margin:
                continue
            word = tree.word[position]
            answer = answers[_answer_place(answers, books, conversation, word)]
            if answer["word"] != word or answer["books"] != books or answer["conversation"] != conversation:
                _ask(run, answer, books, conversation, word)
            score = leaving["score"] + weights.lm * (answer["log_prob"] + tree.word_log_prob[position])
            if score < best - beam:
                continue
            best = max(best, score)
            after = (ROOT, answer["books_after"], answer["conversation_after"])
            steps[count]["lm"] = answer["log_prob"]
            if word >= knowledge.first_entry:
                word = knowledge.entries[word - knowledge.first_entry]["word"]
                steps[count]["lm"] = np.nan
            news = (leaving["symbol"], PHONE, leaving["log_prob"], word)
            _write(steps[count], score, leaving["source"], after, news)
            count += 1
    return count, best


@njit(cache=True, nogil=True)
def _hash(step: Any) -> Any:
    """Returns a number that is equal for steps to hypotheses that the future cannot tell apart."""
    mixed = np.uint64(step["node"]) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= np.uint64(step["books"]) * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= np.uint64(step["conversation"]) * np.uint64(0x165667B19E3779F9)
    mixed ^= np.uint64(step["symbol"]) * np.uint64(0x27D4EB2F165667C5)
    return np.int64((mixed ^ (mixed >> np.uint64(29))) >> np.uint64(8))


@njit(cache=True, nogil=True)
def _same(first: Any, second: Any) -> Any:
    """Tells whether two steps lead to hypotheses that the future cannot tell apart."""
    return (
        first["node"] == second["node"]
        and first["books"] == second["books"]
        and first["conversation"] == second["conversation"]
        and first["symbol"] == second["symbol"]
    )


@njit(cache=True, nogil=True)
def _merge(work: Workspace, count: int, floor: float, sum_paths: bool) -> int:
    """Makes new hypotheses of the steps that score at least `floor`, one of all that lead to the same.

    The best of the steps is its past. Returns the number of new hypotheses.
    """
    steps, table, total, chosen = work.steps, work.table, work.total, work.chosen
    mask, merged = len(table) - 1, 0
    for index in range(count):
        step = steps[index]
        if step["score"] < floor:
            continue
        place = _hash(step) & mask
        while table[place] >= 0 and not _same(step, steps[chosen[table[place]]]):
            place = (place + 1) & mask
        held = table[place]
        if held < 0:
            table[place], work.place[merged] = merged, place
            chosen[merged], total[merged] = index, step["score"]
            merged += 1
            continue
        high, low = max(total[held], step["score"]), min(total[held], step["score"])
        total[held] = high + np.log1p(np.exp(low - high)) if sum_paths else high
        if step["score"] > steps[chosen[held]]["score"]:
            chosen[held] = index
    for index in range(merged):
        table[work.place[index]] = -1
    return merged


@njit(cache=True, nogil=True)
def _cutoff(total: np.ndarray, best: float, weights: Weights) -> float:
    """Returns the score from which hypotheses live on: the beam's edge, raised until few enough do."""
    bins = 512
    histogram = np.zeros(bins, np.int64)
    step = weights.beam / bins
    for index in range(len(total)):
        depth = (best - total[index]) / step
        if depth < bins:
            histogram[np.int64(depth)] += 1
    kept = 0
    for place in range(bins):
        kept += histogram[place]
        if kept > weights.most and place > 0:
            return best - place * step
    return best - weights.beam


@njit(cache=True, nogil=True)
def _become(hypothesis: Any, past: Any, step: Any, between: bool, frame: int) -> None:
    """Writes the hypothesis that a step from `past` leads to; a word that ended has no link yet.

    `between` says that the past is between words.
    """
    phone = step["new"] == PHONE
    begins = phone and between
    hypothesis["node"], hypothesis["symbol"] = step["node"], step["symbol"]
    hypothesis["books"], hypothesis["conversation"] = step["books"], step["conversation"]
    hypothesis["link"], hypothesis["word"] = past["link"], step["word"]
    hypothesis["first"] = frame if begins else past["first"]
    hypothesis["last"] = frame if phone else past["last"]
    hypothesis["acoustic"] = step["log_prob"] if begins else past["acoustic"] + step["log_prob"]
    hypothesis["labels"] = 1 if begins else past["labels"] + phone
    starts = step["new"] == MARK and step["symbol"] == START_OF_TURN
    ends = step["new"] == MARK and step["symbol"] == END_OF_TURN
    hypothesis["begun"] = frame if starts and past["begun"] == NO_FRAME else past["begun"]
    hypothesis["ended"] = frame if ends and past["ended"] == NO_FRAME else past["ended"]


@njit(cache=True, nogil=True)
def _new_link(link: Any, hypothesis: Any, number: int, lm: Any) -> None:
    """Writes the link of the word that ended in this frame, and hangs the hypothesis on it."""
    link["word"], link["previous"] = hypothesis["word"], hypothesis["link"]
    link["first"], link["last"] = hypothesis["first"], hypothesis["last"]
    link["acoustic"], link["labels"] = hypothesis["acoustic"], hypothesis["labels"]
    link["symbol"] = hypothesis["symbol"]
    link["lm"], link["row"] = lm, NO_ROW
    link["posterior"], link["samples"] = 0.0, 0
    hypothesis["link"], hypothesis["word"] = number, NO_WORD


@njit(cache=True, nogil=True)
def _select(run: Run, merged: int, hypotheses: np.ndarray, links: np.ndarray, counts: tuple) -> tuple:
    """Moves the new hypotheses that live on into `hypotheses`, the best one first; new words get their links.

    Args:
        run: what the kernels need.
        merged: number of new hypotheses.
        hypotheses: HYPOTHESIS [most], overwritten.
        links: LINK [room], added to.
        counts: (hypotheses that there were, links that there are, number of this frame).

    Returns:
        The number of hypotheses, and that of links.
    """
    work, total, ended = run.work, run.work.total, run.knowledge.tree.ended
    count, link_count, frame = counts
    work.previous[:count] = hypotheses[:count]
    best = np.argmax(total[:merged])
    cutoff = _cutoff(total[:merged], total[best], run.weights)
    kept = 1
    for index in range(merged):
        if index != best and (total[index] < cutoff or kept == len(hypotheses)):
            continue
        step = work.steps[work.chosen[index]]
        hypothesis = hypotheses[0 if index == best else kept]
        kept += 0 if index == best else 1
        past = work.previous[step["source"]]
        between = past["node"] == ROOT or ended[past["node"]] != NO_WORD
        _become(hypothesis, past, step, between, frame)
        hypothesis["score"] = total[index]
        if step["word"] != NO_WORD:
            _new_link(links[link_count], hypothesis, link_count, step["lm"])
            link_count += 1
    return kept, link_count


@njit(cache=True, nogil=True)
def search_frames(run: Run, scores: np.ndarray, beam: tuple, frame: int) -> tuple:
    """Moves all hypotheses through the frames of a chunk.

    Args:
        run: what the kernels need.
        scores: natural log probabilities, float32 [frame, previous symbol, next symbol].
        beam: (hypotheses, their number, links, their number); the arrays are changed, and have room for
            `weights.most` hypotheses and as many new links in each frame.
        frame: number of the first of these frames.

    Returns:
        The number of hypotheses, and that of links.
    """
    hypotheses, count, links, link_count = beam
    weights = run.weights
    for offset in range(len(scores)):
        narrowed = _narrowed(hypotheses[:count], weights)
        steps, exits, best = _walk(run, hypotheses[:count], scores[offset], narrowed)
        steps, best = _end_words(run, (steps, exits), best, narrowed)
        merged = _merge(run.work, steps, best - narrowed, weights.sum_paths)
        count, link_count = _select(run, merged, hypotheses, links, (count, link_count, frame + offset))
        if (frame + offset) % POSTERIOR_EVERY == 0:
            sample_posteriors(hypotheses[:count], links[:link_count], weights.posterior, frame + offset)
    return count, link_count
