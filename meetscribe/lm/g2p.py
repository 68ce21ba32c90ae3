"""How a word that no dictionary has is probably said: a joint model of letters and phones.

A word with its phones is a sequence of pairs, each of one or two letters with up to two phones; an n-gram
model over pairs scores such sequences (joint-sequence models, Bisani and Ney 2008), and a beam search
finds the best for the letters at hand.

Not covered: letters other than a-z and the apostrophe; training (`meetscribe.training.language.g2p`).
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numba import njit
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from meetscribe.errors import CheckpointError
from meetscribe.lm.lexicon import Pronunciation
from meetscribe.lm.ngram import (
    NGram,
    NGramArrays,
    NGramTables,
    assemble,
    ngram_score,
    pack_tables,
    unpack_tables,
)
from meetscribe.lm.symbols import PHONES, spell

LETTERS = "abcdefghijklmnopqrstuvwxyz'"
LETTER_NUMBER = {letter: number for number, letter in enumerate(LETTERS)}
BEAM = 100
NOTHING = -1
"""Stands for no letter or no phone in the second, or first, place of a pair."""


@dataclass(frozen=True)
class PhoneGuess:
    """One way a word may be said.

    Attributes:
        phones: names of phones.
        share: its part of the probability of all ways found, 0 to 1.
    """

    phones: tuple[str, ...]
    share: float


@dataclass(frozen=True)
class GraphemeToPhoneme:
    """A model of spelling.

    Attributes:
        letters: the letters of each pair, `NOTHING` where there is one only, int8 [pairs, 2].
        phones: the phones of each pair, `NOTHING` where there are fewer, int8 [pairs, 2].
        ngram: scores of pairs after pairs.
    """

    letters: np.ndarray
    phones: np.ndarray
    ngram: NGram

    @cached_property
    def pairs_by_letters(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns (starts, pairs): the pairs of letter chunk c are pairs[starts[c] : starts[c + 1]].

        Chunk a is a letter on its own, chunk n * (1 + a) + b the letters a and b, of n letters.
        """
        first, second = self.letters[:, 0].astype(np.int64), self.letters[:, 1].astype(np.int64)
        chunks = np.where(second == NOTHING, first, len(LETTERS) * (1 + first) + second)
        counts = np.bincount(chunks, minlength=len(LETTERS) * (1 + len(LETTERS)))
        return np.concatenate([[0], np.cumsum(counts)]), np.argsort(chunks, kind="stable")

    def guesses(self, word: str) -> list[PhoneGuess]:
        """Returns the ways `word` may be said, likeliest first; nothing if it cannot be spelled."""
        numbers = [LETTER_NUMBER.get(letter, NOTHING) for letter in word]
        if not numbers or NOTHING in numbers:
            return []
        starts, pairs = self.pairs_by_letters
        markers = (self.ngram.begin_state, self.ngram.sentence_end)
        scores, paths = _beam_search(self.ngram.arrays, markers, np.array(numbers), starts, pairs)
        shares: dict[tuple[str, ...], float] = {}
        for score, path in zip(np.exp(scores - scores.max(initial=-np.inf)), paths, strict=True):
            spoken = self.phones[path[path >= 0]].ravel()
            phones = tuple(PHONES[phone] for phone in spoken if phone != NOTHING)
            if phones:
                shares[phones] = shares.get(phones, 0.0) + float(score)
        total = sum(shares.values())
        ranked = sorted(shares.items(), key=lambda item: -item[1])
        return [PhoneGuess(phones, share / total) for phones, share in ranked]

    def pronounce(self, word: str, most: int = 1, least_share: float = 0.25) -> tuple[Pronunciation, ...]:
        """Returns up to `most` pronunciations as symbols, likeliest first.

        Args:
            word: letters a-z and apostrophes.
            most: most pronunciations wanted.
            least_share: further pronunciations need this part of the first one's probability.

        Returns:
            Symbols of each pronunciation; nothing if the word cannot be read.
        """
        found = self.guesses(word)
        least = least_share * found[0].share if found else 0.0
        return tuple(spell(guess.phones) for guess in found[:most] if guess.share >= least)


@njit(cache=True)
def _beam_search(
    arrays: NGramArrays, markers: tuple[int, int], letters: np.ndarray, starts: np.ndarray, pairs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Finds likely sequences of pairs that spell `letters`.

    Args:
        arrays: the n-gram model over pairs.
        markers: state at the start of a word, and the number of the end marker.
        letters: numbers of the word's letters [L].
        starts: for each letter chunk its first place in `pairs`.
        pairs: numbers of the pairs, by letter chunk.

    Returns:
        Log probabilities [n] and paths [n, L], pairs from the first, -1 after the last; best first.
    """
    length, alphabet = len(letters), len(LETTERS)
    scores = np.full((length + 1, BEAM), -np.inf)
    states = np.zeros((length + 1, BEAM), np.int64)
    paths = np.full((length + 1, BEAM, length), -1, np.int64)
    sizes, worst = np.zeros(length + 1, np.int64), np.full(length + 1, BEAM)
    scores[0, 0], states[0, 0], sizes[0] = 0.0, markers[0], 1
    for position in range(length):
        for item in range(sizes[position]):
            for step in range(1, min(2, length - position) + 1):
                chunk = letters[position]
                if step == 2:
                    chunk = alphabet * (1 + chunk) + letters[position + 1]
                target = position + step
                for pair in pairs[starts[chunk] : starts[chunk + 1]]:
                    log_prob, state = ngram_score(arrays, states[position, item], pair)
                    score = scores[position, item] + log_prob
                    place = min(sizes[target], worst[target])
                    if sizes[target] == BEAM and scores[target, worst[target]] >= score:
                        continue
                    scores[target, place], states[target, place] = score, state
                    paths[target, place] = paths[position, item]
                    paths[target, place, position] = pair
                    sizes[target] = min(BEAM, sizes[target] + 1)
                    if sizes[target] == BEAM:
                        worst[target] = np.argmin(scores[target])
    found = sizes[length]
    for item in range(found):
        scores[length, item] += ngram_score(arrays, states[length, item], markers[1])[0]
    order = np.argsort(-scores[length, :found])
    return scores[length][order], paths[length][order]


def save_g2p(letters: np.ndarray, phones: np.ndarray, tables: NGramTables, path: Path) -> None:
    """Writes a model of spelling as a safetensors file."""
    save_file({"letters": letters, "phones": phones, **pack_tables(tables)}, path)


def load_g2p(path: Path) -> GraphemeToPhoneme:
    """Reads a model of spelling.

    Raises:
        CheckpointError: if the file is none or is damaged.
        OSError: if the file cannot be read.
    """
    try:
        content = load_file(path)
        letters, phones = content.pop("letters"), content.pop("phones")
        return GraphemeToPhoneme(letters, phones, assemble(unpack_tables(content)))
    except (SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path} is not a usable spelling model: install the model again") from error
