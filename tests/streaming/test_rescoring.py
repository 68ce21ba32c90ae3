from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_worlds import (
    WIDE,
    clear_scores,
    paths,
    random_ngram,
    random_recurrent,
    random_scores,
    random_search,
    readings,
)

from meetscribe.lm.hotwords import HotPhrase
from meetscribe.lm.lexicon import Lexicon
from meetscribe.lm.mixture import MixtureWeights
from meetscribe.lm.ngram import NGram
from meetscribe.lm.recurrent import SENTENCE_END, UNKNOWN
from meetscribe.lm.symbols import BLANK, FIRST_PHONE_SYMBOL, is_word_end, spell
from meetscribe.streaming.lattice import NO_WORD
from meetscribe.streaming.search import Search, SearchSettings

seeds = st.integers(0, 2**32 - 1)
NARROW = SearchSettings(beam=8.0, most_hypotheses=30, symbol_beam=9.0, prior_scale=0.3, recurrent_share=0.6)


def random_world(rng: np.random.Generator, chosen: SearchSettings) -> Search:
    """Returns a search with a recurrent model that lacks two of its words."""
    search = random_search(rng, chosen)
    return replace(search, recurrent=random_recurrent(rng, search.words[:-2]))


def sentence_score(
    search: Search, words: Sequence[int], weights: MixtureWeights, before: Sequence[int] = ()
) -> float:
    """Returns the log probability of words and the sentence's end in the mean of all models, word by word.

    The recurrent model alone remembers the sentence `before`.
    """
    model, share = search.recurrent, search.settings.recurrent_share
    assert model is not None
    states, memory, total = (search.books.begin_state, search.conversation.begin_state), model.begin, 0.0
    for row in [model.numbers.get(search.words[word], UNKNOWN) for word in before] + [SENTENCE_END] * bool(
        before
    ):
        memory = model.after(memory, np.array([row]))
    rare = [number for number, word in enumerate(search.words) if word not in model.numbers]
    mass = sum(np.exp(float(search.lexical.unigram[number])) for number in rare)
    for word in (*words, search.books.sentence_end):
        first, second = search.books.score(states[0], word), search.conversation.score(states[1], word)
        ngrams = weights.share * np.exp(first[0]) + (1 - weights.share) * np.exp(second[0])
        ends = word == search.books.sentence_end
        row = SENTENCE_END if ends else model.numbers.get(search.words[word], UNKNOWN)
        portion = np.exp(float(search.lexical.unigram[word])) / mass if word in rare and not ends else 1.0
        mine = portion * np.exp(float(model.log_probs(model.outlook(memory), np.array([row]))[0]))
        total += np.log((1 - share) * ngrams + share * mine)
        states, memory = (first[1], second[1]), model.after(memory, np.array([row]))
    return total


@settings(max_examples=30)
@given(seeds, st.integers(0, 4), st.lists(st.integers(0, 5), max_size=3))
def test_a_sentence_has_the_score_that_all_models_give_it(seed: int, frames: int, before: list[int]) -> None:
    """The best hypothesis scores as its best alignment with the mean of n-grams and recurrent model does.

    The sentence before matters to the recurrent model alone.
    """
    rng = np.random.default_rng(seed)
    chosen = replace(
        WIDE, lm_weight=0.7, word_score=0.4, prior_scale=0.3, sum_paths=False, recurrent_share=0.4
    )
    search, scores, weights = random_world(rng, chosen), random_scores(rng, frames), MixtureWeights(4.0, 5.0)
    earlier = (*before, NO_WORD) if before else ()
    found = search.finish(search.advance(search.start((), weights, before=earlier), scores))
    words = tuple(word.word for word in found.words)
    ways = search.lexical.rows
    lexicon = Lexicon(
        tuple(search.words),
        tuple(
            tuple(
                tuple(int(symbol) for symbol in ways.symbols[ways.begin[row] : ways.begin[row + 1]])
                for row in np.flatnonzero(ways.words == number)
            )
            for number in range(len(search.words))
        ),
    )
    best = -np.inf
    for path, acoustic in paths(scores, marks=False):
        labels = tuple(symbol for symbol in path if symbol != BLANK)
        if labels and not is_word_end(labels[-1]):
            continue
        prior = sum(float(search.knowledge.prior[symbol]) for symbol in path)
        if words in readings(lexicon, tuple(symbol for symbol in labels if symbol >= FIRST_PHONE_SYMBOL)):
            best = max(best, acoustic - prior)
    expected = best + 0.7 * sentence_score(search, words, weights, before) + 0.4 * len(words)
    assert found.score == pytest.approx(expected, abs=1e-2)


@settings(max_examples=30)
@given(seeds, st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 40))
def test_chunks_do_not_matter(seed: int, chunks: list[int], begin: int) -> None:
    """However a table is cut, words, times and score are the same."""
    rng = np.random.default_rng(seed)
    search = random_world(rng, NARROW)
    scores = random_scores(rng, sum(chunks), peak=1.5)
    whole = search.finish(search.advance(search.start((1, 2), frame=begin), scores))
    state, place = search.start((1, 2), frame=begin), 0
    for chunk in chunks:
        state = search.advance(state, scores[place : place + chunk])
        place += chunk
    parts = search.finish(state)
    assert [word.word for word in parts.words] == [word.word for word in whole.words]
    assert [(word.start, word.end) for word in parts.words] == [
        (word.start, word.end) for word in whole.words
    ]
    assert parts.score == pytest.approx(whole.score, abs=1e-3)


@settings(max_examples=30)
@given(seeds, st.integers(0, 60))
def test_of_words_that_sound_alike_the_recurrent_model_chooses(seed: int, gap: int) -> None:
    """Where n-grams cannot tell, what was said before decides."""
    rng = np.random.default_rng(seed)
    ways = (spell(["AA", "B"]), spell(["B", "K"]), spell(["K"]), spell(["K"]))
    lexicon = Lexicon(("left", "right", "x", "y"), tuple((way,) for way in ways))
    pairs = random_ngram(rng, 4, share=1.0).arrays
    flat = NGram((7, 35), pairs._replace(prob_values=np.full(256, -2.0, np.float32)))
    chosen = SearchSettings(recurrent_share=0.9, hidden_marks=True)
    search = Search.build(lexicon, flat, flat, chosen, recurrent=random_recurrent(rng, lexicon.words))
    first, symbols = (0, ways[0]) if rng.random() < 0.5 else (1, ways[1])
    said = {0: symbols[0], 2: symbols[1], 4 + gap: ways[2][0]}
    found = search.decode(clear_scores(said, 6 + gap))
    totals = [sentence_score(search, (first, last), MixtureWeights()) for last in (2, 3)]
    if abs(totals[0] - totals[1]) > 0.1:
        assert [word.word for word in found.words] == [first, 2 + int(np.argmax(totals))]


def test_a_hot_phrase_keeps_its_probability() -> None:
    """What the recurrent model thinks of the words of a phrase does not matter; words after it are judged."""
    rng = np.random.default_rng(5)
    chosen = replace(NARROW, prior_scale=0.0, blank_penalty=0.0)
    search = random_world(rng, chosen)
    new, never = spell(["K", "AA", "B", "K"]), replace(search, recurrent=None)
    phrase = HotPhrase((search.words[0], "Kabk"), (search.words[0], None), (((new[:1],),), ((new,),)))
    said = dict(zip(range(3, 13, 2), (*new[-1:], *new), strict=True))
    for one in (search, never):
        hot = one.listening_for([replace(phrase, ways=(((new[-1:],),), ((new,),)))])
        state = hot.advance(hot.start(), clear_scores(said, 16))
        assert [word.text for word in hot.finish(state).words] == [search.words[0], "Kabk"]
    judged = [
        one.listening_for([replace(phrase, ways=(((new[-1:],),), ((new,),)))]) for one in (search, never)
    ]
    ends = [one.advance(one.start(), clear_scores(said, 16)).hypotheses["score"][0] for one in judged]
    assert ends[0] == pytest.approx(ends[1], abs=1e-3)
