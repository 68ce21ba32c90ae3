"""Estimation, against the definition and against the laws of probability."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.training.language.counts import CountTable, count_ngrams
from meetscribe.training.language.kneser_ney import discounts, estimate, full_discounts, keep_known
from meetscribe.training.language.pruning import select
from tests.lm.arpa import SlowModel
from tests.training.language.slow_kneser_ney import (
    BEGIN,
    UNKNOWN,
    WORDS,
    Gram,
    as_grams,
    as_text,
    slow_probability,
    texts,
    unpack,
)

ORDER = 4


def _everything(tables: list[CountTable]) -> list[np.ndarray]:
    return [np.ones(len(table.keys), bool) for table in tables]


@given(texts(), st.lists(st.integers(0, WORDS - 1), max_size=3))
@settings(max_examples=20, deadline=None)
def test_probabilities_are_those_of_the_definition(sentences: list[list[int]], history: list[int]) -> None:
    """Any word after any history has the probability of modified Kneser-Ney done by the book."""
    tables = count_ngrams(as_text(sentences), ORDER)
    steps = full_discounts(tables)
    model = SlowModel(as_grams(tables, estimate(tables, _everything(tables), steps)), ORDER)
    slow = slow_probability(sentences, ORDER, steps)
    for context in (tuple(history), (BEGIN, *history[:2])):
        for word in range(WORDS + 2):
            if word != BEGIN:
                assert np.exp(model.score(context, word)) == pytest.approx(slow(context, word), rel=1e-6)


def _total(model: SlowModel, history: Gram) -> float:
    return sum(np.exp(model.score(history, word)) for word in range(WORDS + 3) if word != BEGIN)


@given(texts(), st.floats(0, 60), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_probabilities_sum_to_one_however_much_is_pruned(
    sentences: list[list[int]], budget: float, seed: int
) -> None:
    """After every history all words together have probability 1, in whole and in pruned models, weighted or not."""
    weights = np.random.default_rng(seed).uniform(0.2, 4.0, len(sentences)).tolist()
    tables = count_ngrams(as_text(sentences, weights), ORDER)
    full = estimate(tables, keep_known(tables))
    kept = select(tables, full, [0, 1, 1, 1], budget)
    for keeps in ([own.keep for own in full], kept):
        model = SlowModel(as_grams(tables, estimate(tables, keeps)), ORDER)
        for history in [(), *(gram[:-1] for table in tables[1:] for gram in unpack(table))]:
            assert _total(model, history) == pytest.approx(1.0, abs=1e-6)


@given(texts(), st.floats(0.1, 10.0))
@settings(max_examples=20, deadline=None)
def test_equal_weights_change_nothing(sentences: list[list[int]], weight: float) -> None:
    """What counts is how sentences weigh against one another."""
    plain = count_ngrams(as_text(sentences), ORDER)
    weighted = count_ngrams(as_text(sentences, [weight] * len(sentences)), ORDER)
    for one, other in zip(
        estimate(plain, _everything(plain)), estimate(weighted, _everything(weighted)), strict=True
    ):
        np.testing.assert_allclose(one.probs, other.probs, rtol=1e-4)
        np.testing.assert_allclose(one.backoffs, other.backoffs, rtol=1e-4)


def test_sentences_of_more_weight_are_likelier() -> None:
    """The same sentence counts more where its weight is higher."""
    sentences = [[0, 1], [0, 2], [0, 3]]
    tables = count_ngrams(as_text(sentences, [4.0, 1.0, 1.0]), 2)
    model = SlowModel(as_grams(tables, estimate(tables, _everything(tables))), 2)
    assert model.score((0,), 1) > model.score((0,), 2)


def test_no_longer_ngram_holds_an_unknown_word() -> None:
    """`<unk>` is scored as a word alone."""
    tables = count_ngrams(as_text([[0, UNKNOWN, 1], [0, 1]]), 3)
    kept = keep_known(tables)
    for table, keep in zip(tables[1:], kept[1:], strict=True):
        assert [UNKNOWN in gram for gram in unpack(table)] == (~keep).tolist()


def test_discounts_follow_the_counts_of_counts() -> None:
    """With n1 = 8, n2 = 4, n3 = 2, n4 = 1: Y = 1/2, and each discount is k - (k + 1) Y n(k+1) / n(k)."""
    counts = np.repeat([1, 2, 3, 4], [8, 4, 2, 1])
    np.testing.assert_allclose(discounts(counts), [0, 1 - 0.5, 2 - 0.75, 3 - 1.0])


@given(st.lists(st.integers(1, 6), max_size=30))
def test_discounts_never_take_more_than_there_is(counts: list[int]) -> None:
    """However few counts there are, each discount is positive and below its count."""
    found = discounts(np.array(counts, np.int64))
    assert found[0] == 0
    assert all(0 < found[count] < count for count in (1, 2, 3))
