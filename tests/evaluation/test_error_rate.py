from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.evaluation.error_rate import ErrorRate, word_error_rate

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=12)


def slow_distance(reference: list[str], hypothesis: list[str]) -> int:
    """Levenshtein's definition, straight from its recursion."""

    @cache
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        differs = reference[i - 1] != hypothesis[j - 1]
        return min(distance(i - 1, j - 1) + differs, distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    return distance(len(reference), len(hypothesis))


@given(WORDS, WORDS)
def test_errors_are_the_edit_distance(reference, hypothesis):
    """The number of errors is the least number of edits, and the kinds explain both lengths."""
    rate = word_error_rate(reference, hypothesis)
    assert rate.errors == slow_distance(reference, hypothesis)
    assert rate.length == len(reference)
    assert rate.insertions - rate.deletions == len(hypothesis) - len(reference)
    assert min(rate.insertions, rate.deletions, rate.substitutions) >= 0


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=12), WORDS)
def test_errors_agree_with_meeteval(reference, hypothesis):
    """An independent implementation finds the same errors."""
    siso = pytest.importorskip("meeteval.wer.wer.siso")
    theirs = siso.siso_word_error_rate(" ".join(reference), " ".join(hypothesis))
    ours = word_error_rate(reference, hypothesis)
    assert (ours.errors, ours.length) == (theirs.errors, theirs.length)


@given(WORDS, WORDS)
def test_rates_add_by_counts(reference, hypothesis):
    """The sum of two rates pools their counts."""
    one, two = word_error_rate(reference, hypothesis), word_error_rate(hypothesis, reference)
    both = one + two
    assert both.errors == one.errors + two.errors
    assert both.length == len(reference) + len(hypothesis)
    assert both + ErrorRate() == both


def test_a_rate_without_reference_words_is_none():
    """Insertions into nothing are counted, but are no ratio."""
    rate = word_error_rate([], ["a", "b"])
    assert rate.as_dict() == {"errors": 2, "length": 0, "rate": None}


def test_counts_that_do_not_add_up_are_refused():
    """The errors must be the sum of their kinds."""
    with pytest.raises(ValueError, match="sum"):
        ErrorRate(3, 5, 1, 1, 0)


def test_long_transcripts_are_compared():
    """Thousands of words on either side give their distance: here every tenth word was lost."""
    words = [str(index) for index in range(4000)]
    heard = [word for index, word in enumerate(words) if index % 10]
    assert word_error_rate(words, heard) == ErrorRate(400, 4000, 0, 400, 0)
