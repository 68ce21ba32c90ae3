"""Hot words and phrases as the search's tree and kernels hold them: entries with a probability of their own.

Not covered: how phrases are written and said (`meetscribe.lm.hotwords`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np

from meetscribe.lm.hotwords import HotPhrase, pronunciations
from meetscribe.lm.lexicon import Pronunciation
from meetscribe.lm.ngram import EMPTY_STATE, NGram
from meetscribe.lm.tree import InnerEnd
from meetscribe.streaming.search_kernels import ENTRY


class Vocabulary(Protocol):
    """What is needed to know of a search's words: their spelling, in the order of their numbers, and its models."""

    @property
    def words(self) -> Sequence[str]:
        """Return the spelling of each word."""
        ...

    @property
    def books(self) -> NGram:
        """Return one language model."""
        ...

    @property
    def conversation(self) -> NGram:
        """Return the other."""
        ...


@dataclass(frozen=True, eq=False)
class HotEntries:
    """Entries of a tree.

    Attributes:
        words: spelling of each word, those outside the lexicon last, as they were written.
        first: number of the first entry, one more than that of the last word.
        entries: ENTRY of each.
        rows: for each way to say an entry its number and its symbols.
        unigram: natural log probabilities of words outside the lexicon, which only entries lead to, and of the entries,
            float32.
    """

    words: tuple[str, ...]
    first: int
    entries: np.ndarray
    rows: tuple[tuple[int, tuple[int | InnerEnd, ...]], ...]
    unigram: np.ndarray


def hot_entries(phrases: Sequence[HotPhrase], known: Vocabulary, log_prob: float) -> HotEntries:
    """Returns the entries of phrases, each of which has the natural log probability `log_prob`."""
    numbers = {word: number for number, word in enumerate(known.words)}
    fresh = dict.fromkeys(
        part
        for phrase in phrases
        for part, word in zip(phrase.parts, phrase.words, strict=True)
        if word is None
    )
    new = {part: len(numbers) + place for place, part in enumerate(fresh)}
    first = len(numbers) + len(new)
    entries = np.zeros(len(phrases), ENTRY)
    rows = []
    for place, phrase in enumerate(phrases):
        words = [
            new[part] if word is None else numbers[word]
            for part, word in zip(phrase.parts, phrase.words, strict=True)
        ]
        entries[place] = (words[-1], _after(known.books, words), _after(known.conversation, words), log_prob)
        ways = dict.fromkeys(_symbols(way, words) for way in pronunciations(phrase))
        rows += [(first + place, way) for way in ways]
    unigram = np.full(len(new) + len(phrases), log_prob, np.float32)
    return HotEntries((*known.words, *new), first, entries, tuple(rows), unigram)


def _after(model: NGram, words: Sequence[int]) -> int:
    """Returns the state of a model after words of which nothing was before."""
    state = EMPTY_STATE
    for word in words:
        state = model.score(state, word if word < model.sentence_begin else model.unknown)[1]
    return state


def _symbols(way: Sequence[Sequence[Pronunciation]], words: Sequence[int]) -> tuple[int | InnerEnd, ...]:
    """Returns the symbols of a phrase said this way; where a part or a piece ends inside it, inner ends."""
    return (*chain.from_iterable(_parts(way, words)), way[-1][-1][-1])


def _parts(
    way: Sequence[Sequence[Pronunciation]], words: Sequence[int]
) -> Iterator[tuple[int | InnerEnd, ...]]:
    """Yields the symbols of each piece, without the very last symbol."""
    for part, (pieces, word) in enumerate(zip(way, words, strict=True)):
        for number, piece in enumerate(pieces):
            *inside, end = piece
            if number < len(pieces) - 1:
                yield (*inside, InnerEnd(end))
            elif part < len(way) - 1:
                yield (*inside, InnerEnd(end, word))
            else:
                yield tuple(inside)
