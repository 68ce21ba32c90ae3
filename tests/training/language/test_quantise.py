"""Models as 8-bit tables."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.lm.ngram import EMPTY_STATE, assemble, score_sequence
from meetscribe.training.language.counts import count_ngrams
from meetscribe.training.language.kneser_ney import estimate, keep_known
from meetscribe.training.language.pruning import select
from meetscribe.training.language.quantise import codebook, encode, to_tables
from tests.lm.arpa import SlowModel
from tests.training.language.slow_kneser_ney import WORDS, as_grams, as_text, texts


@given(texts(), st.floats(0, 40), st.lists(st.integers(0, WORDS + 1), min_size=1, max_size=10))
@settings(max_examples=20, deadline=None)
def test_a_quantised_model_scores_as_the_model_itself(
    sentences: list[list[int]], budget: float, words: list[int]
) -> None:
    """Estimation, pruning, tables and look-ups together agree with backing off over the estimates."""
    words = [word for word in words if word != WORDS]
    tables = count_ngrams(as_text(sentences), 4)
    kept = select(tables, estimate(tables, keep_known(tables)), (0, 1, 1, 1), budget)
    estimates = estimate(tables, kept)
    slow = SlowModel(as_grams(tables, estimates), 4)
    fast = assemble(to_tables(tables, estimates))
    scores, _ = score_sequence(fast.arrays, EMPTY_STATE, np.array(words, np.int64))
    expected = [slow.score(tuple(words[:index]), word) for index, word in enumerate(words)]
    np.testing.assert_allclose(scores, expected, atol=0.05)


@given(st.lists(st.floats(-20, 0), min_size=1, max_size=2000))
@settings(max_examples=25, deadline=None)
def test_a_codebook_is_at_least_as_good_as_even_steps(values: list[float]) -> None:
    """The mean squared error is no larger than that of half as many evenly spread values."""
    data = np.array(values)
    book = codebook(data)
    assert book.shape == (256,)
    assert np.all(np.diff(book) >= 0)
    even = (data.max() - data.min()) / 127
    assert np.mean((book[encode(data, book)] - data) ** 2) <= even**2 / 4 + 1e-9


def test_fixed_values_are_exact() -> None:
    """What must be kept exactly, as the weight 1 of a history without continuations, is in the codebook."""
    data = np.random.default_rng(1).normal(size=5000)
    book = codebook(data, fixed=[0.0])
    assert 0.0 in book
    assert book[encode(np.zeros(1), book)] == 0.0
