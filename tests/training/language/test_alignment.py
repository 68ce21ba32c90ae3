"""Letters and phones side by side."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.training.language.alignment import NUMBER_OF_LETTERS as LETTERS
from meetscribe.training.language.alignment import NUMBER_OF_PHONES as PHONES
from meetscribe.training.language.alignment import (
    best_pairs,
    expected_counts,
    learn_pair_probs,
)

Pair = tuple[int, int]


def _chunk(numbers: tuple[int, ...], size: int, none: int) -> int:
    """Returns the number of a chunk of letters (none = 0) or of phones (none = 1)."""
    if not numbers:
        return 0
    return none + numbers[0] if len(numbers) == 1 else none + size * (1 + numbers[0]) + numbers[1]


def _alignments(letters: tuple[int, ...], phones: tuple[int, ...]) -> Iterator[list[Pair]]:
    """Yields all alignments, by recursion."""
    if not letters and not phones:
        yield []
    for taken, said in ((1, 0), (1, 1), (1, 2), (2, 1)):
        if len(letters) >= taken and len(phones) >= said:
            pair = (_chunk(letters[:taken], LETTERS, 0), _chunk(phones[:said], PHONES, 1))
            for rest in _alignments(letters[taken:], phones[said:]):
                yield [pair, *rest]


_short = st.lists(st.integers(0, 2), min_size=1, max_size=5).map(tuple)


@given(_short, _short, st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_expected_uses_and_the_best_alignment_are_those_of_all_alignments(
    letters: tuple[int, ...], phones: tuple[int, ...], seed: int
) -> None:
    """Forward-backward and Viterbi agree with going through every alignment."""
    probs = np.random.default_rng(seed).uniform(0.01, 1.0, (LETTERS * 4, 1 + PHONES * 4))
    arrays = np.array(letters, np.int64), np.array(phones, np.int64)
    every = [(np.prod([probs[pair] for pair in path]), path) for path in _alignments(letters, phones)]
    counts = np.zeros_like(probs)
    total = expected_counts(*arrays, probs, counts)
    assert total == pytest.approx(sum(prob for prob, _ in every))
    expected: dict[Pair, float] = {}
    for prob, path in every:
        for pair in path:
            expected[pair] = expected.get(pair, 0.0) + prob / total
    found = {(int(row), int(column)): counts[row, column] for row, column in np.argwhere(counts)}
    assert found == pytest.approx(expected)
    best = best_pairs(*arrays, probs)
    assert np.prod(probs[best[:, 0], best[:, 1]]) == pytest.approx(
        max((prob for prob, _ in every), default=1)
    )


def test_learning_finds_which_letter_is_which_phone() -> None:
    """From whole words alone, each letter comes to its phone."""
    words = [
        (np.array(letters, np.int64), np.array(letters, np.int64) + 10)
        for letters in itertools.product(range(4), repeat=3)
    ]
    probs = learn_pair_probs(words, rounds=8)
    for letters, phones in words:
        expected = [[letter, 1 + phone] for letter, phone in zip(letters, phones, strict=True)]
        assert best_pairs(letters, phones, probs).tolist() == expected


def test_what_cannot_be_aligned_has_no_alignment() -> None:
    """One letter never says three phones."""
    probs = np.ones((LETTERS * 4, 1 + PHONES * 4))
    assert best_pairs(np.array([1]), np.array([1, 2, 3]), probs).shape == (0, 2)
