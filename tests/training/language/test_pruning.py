"""Which n-grams are kept."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.training.language.counts import count_ngrams
from meetscribe.training.language.kneser_ney import estimate, keep_known
from meetscribe.training.language.pruning import select
from tests.training.language.slow_kneser_ney import as_text, texts

COSTS = (0.0, 3.0, 2.0, 1.0)


@given(texts(), st.floats(0, 100))
@settings(max_examples=25, deadline=None)
def test_a_selection_keeps_to_its_budget_and_to_whole_histories(
    sentences: list[list[int]], budget: float
) -> None:
    """All words are kept, the cost is within the budget, and the beginning of what is kept is kept."""
    tables = count_ngrams(as_text(sentences), 4)
    kept = select(tables, estimate(tables, keep_known(tables)), COSTS, budget)
    assert kept[0].all()
    assert sum(cost * keep.sum() for cost, keep in zip(COSTS, kept, strict=True)) <= budget
    for table, lower, keep in zip(tables[1:], kept[:-1], kept[1:], strict=True):
        assert lower[table.prefixes[keep]].all()


@given(texts(), st.floats(0, 50), st.floats(0, 50))
@settings(max_examples=25, deadline=None)
def test_a_larger_budget_keeps_all_that_a_smaller_one_does(
    sentences: list[list[int]], budget: float, more: float
) -> None:
    """Selections are nested."""
    tables = count_ngrams(as_text(sentences), 4)
    full = estimate(tables, keep_known(tables))
    small, large = (select(tables, full, COSTS, size) for size in (budget, budget + more))
    for few, many in zip(small, large, strict=True):
        assert np.all(many[few])


def test_what_backing_off_cannot_predict_is_kept_first() -> None:
    """A pair that is frequent but surprising goes before one that backing off predicts as well."""
    sentences = [[0, 1]] * 20 + [[2, 3]] * 2 + [[1, 3], [3, 1], [2, 1], [3, 0]] * 3
    tables = count_ngrams(as_text(sentences), 2)
    kept = select(tables, estimate(tables, keep_known(tables)), (0.0, 1.0), 3)
    pairs = {(int(key) >> 3, int(key) & 7) for key in tables[1].keys[kept[1]]}
    assert (0, 1) in pairs
    assert (2, 3) not in pairs
