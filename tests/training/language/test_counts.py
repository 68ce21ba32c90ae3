"""Counting n-grams with sorted keys."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings

from meetscribe.training.language.counts import count_ngrams
from tests.training.language.slow_kneser_ney import BEGIN, END, WORDS, as_text, texts, unpack


@given(texts())
@settings(max_examples=25, deadline=None)
def test_counts_are_those_of_a_dictionary(sentences: list[list[int]]) -> None:
    """Every n-gram inside a sentence is counted, none across sentences; keys ascend."""
    weights = [1.0 + index for index in range(len(sentences))]
    for table in count_ngrams(as_text(sentences, weights), 4)[1:]:
        expected: Counter[tuple[int, ...]] = Counter()
        masses: Counter[tuple[int, ...]] = Counter()
        for weight, words in zip(weights, sentences, strict=True):
            padded = (BEGIN, *words, END)
            for start in range(len(padded) - table.order + 1):
                expected[padded[start : start + table.order]] += 1
                masses[padded[start : start + table.order]] += int(weight)
        grams = unpack(table)
        assert grams == sorted(expected)
        assert dict(zip(grams, table.counts.tolist(), strict=True)) == expected
        assert dict(zip(grams, table.masses.tolist(), strict=True)) == pytest.approx(dict(masses))


@given(texts())
@settings(max_examples=25, deadline=None)
def test_ngrams_know_their_parts(sentences: list[list[int]]) -> None:
    """Prefix and suffix are found in the table below."""
    tables = count_ngrams(as_text(sentences), 4)
    for lower, table in pairwise(tables):
        below = unpack(lower)
        for gram, prefix, suffix in zip(unpack(table), table.prefixes, table.suffixes, strict=True):
            assert below[prefix] == gram[:-1]
            assert below[suffix] == gram[1:]
        assert table.last_words.tolist() == [gram[-1] for gram in unpack(table)]
        assert table.first_words.tolist() == [gram[0] for gram in unpack(table)]
        assert table.contains(1).tolist() == [1 in gram for gram in unpack(table)]


def test_keys_have_64_bits() -> None:
    """N-grams whose words do not fit are refused."""
    text = as_text([[0, 1]])
    assert (WORDS + 2).bit_length() == 3
    assert len(count_ngrams(text, 21)) == 21
    with pytest.raises(ValueError, match="64 bits"):
        count_ngrams(text, 22)
