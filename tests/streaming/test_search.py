import hashlib
import inspect
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_worlds import WIDE, paths, random_lexicon, random_ngram, random_scores, random_search, readings

from meetscribe.lm import mixture, ngram
from meetscribe.lm.lexicon import Lexicon
from meetscribe.lm.mixture import MixtureWeights
from meetscribe.lm.symbols import (
    BLANK,
    END_OF_TURN,
    FIRST_PHONE_SYMBOL,
    NUMBER_OF_SYMBOLS,
    START_OF_TURN,
    is_word_end,
    spell,
)
from meetscribe.lm.tree import ROOT
from meetscribe.streaming import lattice, search_kernels
from meetscribe.streaming.lattice import POSTERIOR_FRAMES
from meetscribe.streaming.search import FRAME_SAMPLES, Search, SearchResult, SearchSettings, SearchState

seeds = st.integers(0, 2**32 - 1)
NARROW = SearchSettings(beam=8.0, most_hypotheses=30, symbol_beam=9.0, prior_scale=0.3)


def sentence_score(
    search: Search, history: tuple[int, ...], words: tuple[int, ...], share: float
) -> tuple[float, tuple[int, int]]:
    """Returns the mixture's log probability of words and the sentence's end, and the states before."""
    states, total = (search.books.begin_state, search.conversation.begin_state), 0.0
    before_end = states
    for position, word in enumerate((*history, *words, search.books.sentence_end)):
        before_end = states
        first, second = search.books.score(states[0], word), search.conversation.score(states[1], word)
        if position >= len(history):
            total += np.log(share * np.exp(first[0]) + (1 - share) * np.exp(second[0]))
        states = first[1], second[1]
    return total, before_end


def exhaustive(
    search: Search, lexicon: Lexicon, scores: np.ndarray, history: tuple[int, ...], share: float
) -> tuple[float, float, tuple[int, ...]]:
    """Returns the greatest sum of paths that end alike, the greatest path, and that path's words."""
    chosen, sums, peaks = search.settings, defaultdict(lambda: -np.inf), {}
    spelled = defaultdict(list)
    for path, acoustic in paths(scores, chosen.marks):
        labels = tuple(symbol for symbol in path if symbol != BLANK)
        if labels and labels[-1] >= FIRST_PHONE_SYMBOL and not is_word_end(labels[-1]):
            continue
        prior = sum(float(search.knowledge.prior[symbol]) for symbol in path)
        spelled[labels].append(chosen.acoustic_scale * acoustic - prior)
    for labels, alignments in spelled.items():
        for words in readings(lexicon, tuple(s for s in labels if s >= FIRST_PHONE_SYMBOL)):
            lm, states = sentence_score(search, history, words, share)
            key = (states, labels[-1:])
            for alignment in alignments:
                score = alignment + chosen.lm_weight * lm + chosen.word_score * len(words)
                sums[key] = np.logaddexp(sums[key], score)
                peaks[score] = words
    return max(sums.values()), max(peaks), peaks[max(peaks)]


@settings(max_examples=40)
@given(seeds, st.integers(0, 4), st.lists(st.integers(0, 4), max_size=2).map(tuple), st.booleans())
def test_search_finds_what_exhaustive_search_finds(
    seed: int, frames: int, history: tuple[int, ...], marks: bool
) -> None:
    """With open beams the score is the best sum (or the best path) over all alignments of all sentences."""
    rng = np.random.default_rng(seed)
    weighed = replace(
        WIDE, lm_weight=0.7, word_score=0.4, blank_penalty=0.2, prior_scale=0.3, acoustic_scale=0.9
    )
    weighed = replace(weighed, marks=marks, start_penalty=0.3, end_penalty=-0.2)
    lexicon, scores = random_lexicon(rng, 5), random_scores(rng, frames, marks=marks)
    models, prior = (random_ngram(rng, 5), random_ngram(rng, 5)), np.log(rng.dirichlet(np.ones(81)))
    weights = MixtureWeights(books=4.0, words=5.0)
    adding = Search.build(lexicon, *models, weighed, prior)
    best_sum, best_path, best_words = exhaustive(adding, lexicon, scores, history, weights.share)
    assert adding.decode(scores, history, weights).score == pytest.approx(best_sum, abs=1e-3)
    greatest = Search.build(lexicon, *models, replace(weighed, sum_paths=False), prior)
    found = greatest.decode(scores, history, weights)
    assert found.score == pytest.approx(best_path, abs=1e-3)
    assert tuple(word.word for word in found.words) == best_words


@settings(max_examples=40)
@given(seeds)
def test_marks_come_between_words_only(seed: int) -> None:
    """Where a turn starts or ends no word is under way, and no turn ends before a word."""
    rng = np.random.default_rng(seed)
    search = random_search(rng, replace(NARROW, marks=True))
    state = search.start()
    for table in random_scores(rng, 40, marks=True):
        state = search.advance(state, table[None])
        marked = np.isin(state.hypotheses["symbol"], (START_OF_TURN, END_OF_TURN))
        assert (state.hypotheses["node"][marked] == ROOT).all()
        result = search.result(state)
        if result.label == BLANK:
            assert result.begun is None
            assert not result.words
        assert result.ended is None or result.words
        assert 0 <= result.begun_share <= 1
        assert 0 <= result.ended_share <= 1


def test_a_silent_network_is_not_disturbed_by_marks() -> None:
    """Where the network never emits starts and ends of turns, allowing them changes nothing."""
    rng = np.random.default_rng(11)
    search, scores = random_search(rng, NARROW), random_scores(rng, 60)
    scores[:, :, [START_OF_TURN, END_OF_TURN]] = -1e4
    allowing = search.with_settings(replace(NARROW, marks=True), None)
    assert allowing.decode(scores).words == search.with_settings(NARROW, None).decode(scores).words


def test_hidden_marks_keep_silence_silent() -> None:
    """Where a network expects the marks that hypotheses do not have, nothing is said before or after a word."""
    phone, frames = spell(["AA"])[0], 60
    scores = np.full((frames, NUMBER_OF_SYMBOLS, NUMBER_OF_SYMBOLS), -9.0, np.float32)
    scores[:, :, phone] = -5.0  # hardly likely, but always
    scores[:, START_OF_TURN, BLANK] = -0.1
    scores[:, phone, END_OF_TURN] = scores[:, BLANK, START_OF_TURN] = -0.1
    scores[20, START_OF_TURN] = np.where(np.arange(NUMBER_OF_SYMBOLS) == phone, -0.1, -9.0)
    model = random_ngram(np.random.default_rng(5), 1)
    search = Search.build(Lexicon(("a",), ((spell(["AA"]),),)), model, model, NARROW)
    hidden = search.with_settings(replace(NARROW, hidden_marks=True))
    assert len(search.decode(scores).words) > 1
    (word,) = hidden.decode(scores).words
    assert word.end == 21 * FRAME_SAMPLES


@settings(max_examples=20)
@given(st.lists(seeds, min_size=1, max_size=3), st.integers(1, 30))
def test_streams_are_searched_together_as_alone(numbers: list[int], frames: int) -> None:
    """Several streams in one call, with mixtures of their own, end where each alone ends."""
    search = random_search(np.random.default_rng(3), replace(NARROW, marks=True))
    tables = [random_scores(np.random.default_rng(number), frames, marks=True) for number in numbers]
    starts = [
        search.start(weights=MixtureWeights(books=2.0 * place, words=4.0)) for place in range(len(numbers))
    ]
    together = search.advance_all(starts, tables)
    for start, table, state in zip(starts, tables, together, strict=True):
        alone = search.advance(start, table)
        assert np.array_equal(alone.hypotheses, state.hypotheses)
        assert np.array_equal(alone.links, state.links)
        assert (alone.committed, alone.frame) == (state.committed, state.frame)


def advance_in_chunks(
    search: Search, scores: np.ndarray, cuts: list[int]
) -> list[tuple[SearchState, SearchResult]]:
    """Returns states and results after each chunk."""
    state, after = search.start(), []
    for begin, end in zip([0, *cuts], [*cuts, len(scores)], strict=True):
        state = search.advance(state, scores[begin:end])
        after.append((state, search.result(state)))
    return after


cut_lists = st.lists(st.integers(0, 60), max_size=8).map(sorted)


@settings(max_examples=40)
@given(seeds, cut_lists)
def test_any_chunking_gives_the_same(seed: int, cuts: list[int]) -> None:
    """Words, times, confidences, stable words and scores do not depend on how the frames arrive."""
    rng = np.random.default_rng(seed)
    search, scores = random_search(rng, NARROW), random_scores(rng, 60)
    whole, whole_result = advance_in_chunks(search, scores, [])[-1]
    pieces, pieces_result = advance_in_chunks(search, scores, cuts)[-1]
    assert pieces_result == whole_result
    assert search.finish(pieces) == search.finish(whole) == search.decode(scores)


@settings(max_examples=40)
@given(seeds, cut_lists)
def test_stable_words_never_change(seed: int, cuts: list[int]) -> None:
    """What was stable once is the beginning of every later result, of the last one too."""
    rng = np.random.default_rng(seed)
    search, scores = random_search(rng, NARROW), random_scores(rng, 60)
    after = advance_in_chunks(search, scores, cuts)
    results = [result for _, result in after] + [search.finish(after[-1][0])]
    for index, earlier in enumerate(results):
        for later in results[index:]:
            assert later.stable >= earlier.stable
            for old, new in zip(earlier.words[: earlier.stable], later.words[: earlier.stable], strict=True):
                assert (old.word, old.start, old.end) == (new.word, new.start, new.end)


@settings(max_examples=40)
@given(seeds, st.integers(0, 1000))
def test_times_and_confidences_are_in_order(seed: int, frame: int) -> None:
    """Words follow one another inside the table's time and take time; confidences are probabilities."""
    rng = np.random.default_rng(seed)
    search = random_search(rng, NARROW)
    result = search.decode(random_scores(rng, 40), frame=frame)
    edges = [edge for word in result.words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert all(word.start < word.end for word in result.words)
    assert not edges or (frame * FRAME_SAMPLES <= edges[0] and edges[-1] <= (frame + 40) * FRAME_SAMPLES)
    assert all(0 <= word.confidence <= 1 for word in result.words)


def test_advance_leaves_its_argument_alone() -> None:
    """A state can be continued twice, with different frames, and is the same afterwards."""
    rng = np.random.default_rng(5)
    search, scores = random_search(rng, NARROW), random_scores(rng, 60)
    state = search.advance(search.start(), scores[:20])
    before = (state.hypotheses.copy(), state.links.copy())
    first = search.advance(state, scores[20:40])
    search.advance(state, scores[40:])
    assert np.array_equal(state.hypotheses, before[0])
    assert np.array_equal(state.links, before[1])
    assert search.result(search.advance(state, scores[20:40])) == search.result(first)


def test_memory_stays_flat() -> None:
    """On a long stream the lattice holds recent words only: what all hypotheses share leaves it for good."""
    rng = np.random.default_rng(6)
    search, state, sizes = random_search(rng, NARROW), None, []
    state = search.start()
    for _ in range(150):
        state = search.advance(state, random_scores(rng, 8))
        sizes.append(len(state.links))
        oldest = state.links["last"].min(initial=state.frame)
        assert oldest > state.frame - 10 * POSTERIOR_FRAMES
    assert max(sizes[75:]) <= 2 * max(sizes[:75])
    assert len(state.committed) > 50


def test_compiled_code_on_disk_is_not_out_of_date() -> None:
    """When code that is compiled into the search's kernels changes, their file changes too."""
    sources = "".join(inspect.getsource(module) for module in (ngram, mixture, lattice))
    digest = hashlib.sha256("".join(sources.split()).encode()).hexdigest()[:12]
    assert digest == search_kernels.CALLED_SOURCES, f'write CALLED_SOURCES = "{digest}" in search_kernels.py'
