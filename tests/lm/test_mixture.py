"""Interpolation of two models, and the weight that adapts."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.lm.mixture import MixtureWeights, mixture_score
from meetscribe.lm.ngram import assemble
from tests.lm.arpa import Grams, to_tables
from tests.lm.test_ngram import VALUES, WORDS, models


@given(models(), models(), st.floats(0.01, 0.99), st.lists(st.integers(0, WORDS - 1), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_a_word_scores_as_the_weighted_sum(
    first: Grams, second: Grams, share: float, words: list[int]
) -> None:
    """The probability is the weighted sum of the models'; both follow their own states."""
    one, two = (assemble(to_tables(grams, WORDS, VALUES)) for grams in (first, second))
    pair, states = (0, 0), (0, 0)
    for word in words:
        mixed, pair, parts = mixture_score(one.arrays, two.arrays, (log(share), log(1 - share)), pair, word)
        left, right = one.score(states[0], word), two.score(states[1], word)
        states = (left[1], right[1])
        assert parts == pytest.approx((left[0], right[0]), abs=1e-4)
        assert mixed == pytest.approx(log(share * exp(left[0]) + (1 - share) * exp(right[0])), abs=1e-4)
        assert pair == states


def test_at_first_both_models_weigh_the_same() -> None:
    """Nothing is known before the first word."""
    assert MixtureWeights().share == 0.5


_log_probs = st.tuples(st.floats(-50, 0), st.floats(-50, 0))


@given(st.lists(_log_probs, max_size=50))
def test_weights_stay_probabilities(words: list[tuple[float, float]]) -> None:
    """Whatever is said, both models keep a weight above 0."""
    weights = MixtureWeights()
    for log_probs in words:
        weights = weights.after(log_probs)
    assert 0.0 < weights.share < 1.0
    assert sum(np.exp(weights.log_weights)) == pytest.approx(1.0)


@given(st.lists(_log_probs, max_size=20))
def test_the_two_models_are_treated_alike(words: list[tuple[float, float]]) -> None:
    """Exchanging the models exchanges their weights."""
    weights, mirrored = MixtureWeights(), MixtureWeights()
    for books, conversation in words:
        weights, mirrored = weights.after((books, conversation)), mirrored.after((conversation, books))
    assert weights.share == pytest.approx(1.0 - mirrored.share)


def test_words_of_one_kind_draw_the_weight_to_it_and_are_forgotten() -> None:
    """The share follows what the models say of the words, and the words of long ago count no more."""
    weights = MixtureWeights()
    for _ in range(100):
        weights = weights.after((-2.0, -5.0))
    assert weights.share > 0.8
    for _ in range(300):
        weights = weights.after((-5.0, -2.0))
    assert weights.share < 0.2
