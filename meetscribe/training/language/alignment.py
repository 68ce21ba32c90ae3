"""Alignment of the letters of words with their phones, by expectation maximisation.

A word is a sequence of pairs (graphones) of one letter with no, one or two phones, or of two letters with
one phone; the probabilities of pairs are learned from the dictionary alone (joint-sequence models: Bisani
and Ney 2008; the many-to-many alignment: Jiampojamarn, Kondrak and Sherif 2007).

Not covered: pairs of more letters or phones; the model over pairs (`meetscribe.training.language.g2p`).
"""

import numpy as np
from numba import njit

from meetscribe.lm.g2p import LETTERS
from meetscribe.lm.symbols import PHONES

NUMBER_OF_LETTERS = len(LETTERS)
NUMBER_OF_PHONES = len(PHONES)
LETTER_CHUNKS = NUMBER_OF_LETTERS * (1 + NUMBER_OF_LETTERS)
PHONE_CHUNKS = 1 + NUMBER_OF_PHONES * (1 + NUMBER_OF_PHONES)

_SHAPES = ((1, 0), (1, 1), (1, 2), (2, 1))
"""Letters and phones of a pair."""

Word = tuple[np.ndarray, np.ndarray]
"""Letters and phones of a word as numbers, int64."""


@njit(cache=True)
def _letter_chunk(letters: np.ndarray, start: int, size: int) -> int:
    """Returns the number of a chunk of one or two letters."""
    first = letters[start]
    return first if size == 1 else NUMBER_OF_LETTERS * (1 + first) + letters[start + 1]


@njit(cache=True)
def _phone_chunk(phones: np.ndarray, start: int, size: int) -> int:
    """Returns the number of a chunk of up to two phones."""
    if size == 0:
        return 0
    first = phones[start]
    return 1 + first if size == 1 else 1 + NUMBER_OF_PHONES * (1 + first) + phones[start + 1]


@njit(cache=True)
def _forward(letters: np.ndarray, phones: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """Returns the probability of each beginning of the word aligned with each beginning of its phones."""
    alpha = np.zeros((len(letters) + 1, len(phones) + 1))
    alpha[0, 0] = 1.0
    for i in range(1, len(letters) + 1):
        for j in range(len(phones) + 1):
            for di, dj in _SHAPES:
                if i >= di and j >= dj and alpha[i - di, j - dj] > 0:
                    pair = probs[_letter_chunk(letters, i - di, di), _phone_chunk(phones, j - dj, dj)]
                    alpha[i, j] += alpha[i - di, j - dj] * pair
    return alpha


@njit(cache=True)
def _backward(letters: np.ndarray, phones: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """Returns the probability of each end of the word aligned with each end of its phones."""
    n, m = len(letters), len(phones)
    beta = np.zeros((n + 1, m + 1))
    beta[n, m] = 1.0
    for i in range(n - 1, -1, -1):
        for j in range(m, -1, -1):
            for di, dj in _SHAPES:
                if i + di <= n and j + dj <= m and beta[i + di, j + dj] > 0:
                    pair = probs[_letter_chunk(letters, i, di), _phone_chunk(phones, j, dj)]
                    beta[i, j] += beta[i + di, j + dj] * pair
    return beta


@njit(cache=True)
def expected_counts(letters: np.ndarray, phones: np.ndarray, probs: np.ndarray, counts: np.ndarray) -> float:
    """Adds the expected number of uses of each pair in a word to `counts`; returns the word's probability."""
    alpha, beta = _forward(letters, phones, probs), _backward(letters, phones, probs)
    total = beta[0, 0]
    if total <= 0.0:
        return 0.0
    for i in range(len(letters)):
        for j in range(len(phones) + 1):
            for di, dj in _SHAPES:
                if alpha[i, j] > 0 and i + di <= len(letters) and j + dj <= len(phones):
                    row, column = _letter_chunk(letters, i, di), _phone_chunk(phones, j, dj)
                    counts[row, column] += alpha[i, j] * probs[row, column] * beta[i + di, j + dj] / total
    return total


@njit(cache=True)
def best_pairs(letters: np.ndarray, phones: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """Returns the likeliest alignment, [pairs, (letter chunk, phone chunk)]; empty if there is none."""
    n, m = len(letters), len(phones)
    best = np.full((n + 1, m + 1), -np.inf)
    shape = np.zeros((n + 1, m + 1), np.int64)
    best[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(m + 1):
            for number, (di, dj) in enumerate(_SHAPES):
                if i >= di and j >= dj and best[i - di, j - dj] > -np.inf:
                    pair = probs[_letter_chunk(letters, i - di, di), _phone_chunk(phones, j - dj, dj)]
                    if pair > 0 and best[i - di, j - dj] + np.log(pair) > best[i, j]:
                        best[i, j] = best[i - di, j - dj] + np.log(pair)
                        shape[i, j] = number
    if best[n, m] == -np.inf:
        return np.empty((0, 2), np.int64)
    path = np.empty((n, 2), np.int64)
    used, i, j = 0, n, m
    while i > 0:
        di, dj = _SHAPES[shape[i, j]]
        i, j = i - di, j - dj
        path[used] = _letter_chunk(letters, i, di), _phone_chunk(phones, j, dj)
        used += 1
    return path[:used][::-1].copy()


def learn_pair_probs(words: list[Word], rounds: int = 8) -> np.ndarray:
    """Learns the probability of each pair from whole words, float64 [letter chunks, phone chunks].

    Starts from probabilities that fall with each letter and phone, so that few large pairs are no likelier than
    many small ones, and tenfold lower for pairs of two letters or two phones.
    """
    probs = np.full((LETTER_CHUNKS, PHONE_CHUNKS), 1.0 / (NUMBER_OF_LETTERS * NUMBER_OF_PHONES))
    probs[NUMBER_OF_LETTERS:] *= 0.1 / NUMBER_OF_LETTERS
    probs[:, 1 + NUMBER_OF_PHONES :] *= 0.1 / NUMBER_OF_PHONES
    for _ in range(rounds):
        counts = np.zeros_like(probs)
        for letters, phones in words:
            expected_counts(letters, phones, probs, counts)
        counts[counts < 1e-3] = 0.0
        probs = counts / counts.sum()
    return probs
