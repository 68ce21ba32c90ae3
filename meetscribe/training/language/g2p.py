"""Trains the spelling model on a pronouncing dictionary, and measures it on words it has not seen.

Not covered: stress, which the recogniser's phones do not have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from meetscribe.lm.g2p import LETTER_NUMBER, NOTHING, GraphemeToPhoneme
from meetscribe.lm.ngram import NGramTables
from meetscribe.lm.symbols import PHONE_INDEX
from meetscribe.training.language.alignment import (
    NUMBER_OF_LETTERS,
    NUMBER_OF_PHONES,
    Word,
    best_pairs,
    learn_pair_probs,
)
from meetscribe.training.language.counts import count_ngrams
from meetscribe.training.language.kneser_ney import estimate, full_discounts, keep_known
from meetscribe.training.language.pruning import select
from meetscribe.training.language.quantise import to_tables
from meetscribe.training.language.text import TokenText

Dictionary = Mapping[str, Sequence[tuple[str, ...]]]
"""Pronunciations of words as names of phones, likeliest first."""

ORDER = 5
MOST_PAIRS = 1000
BYTES = (0, 6, 6, 6, 3)
"""Bytes of an n-gram of each order in memory; deflated it takes less than half of them."""


@dataclass(frozen=True)
class SpellingErrors:
    """Errors of a spelling model on words of a dictionary; values add.

    Attributes:
        words: words read.
        wrong: words whose first guess is in the dictionary under none of its pronunciations.
        phones: phones of the nearest pronunciations.
        phone_errors: phones to insert, delete or replace.
    """

    words: int = 0
    wrong: int = 0
    phones: int = 0
    phone_errors: int = 0

    def __add__(self, other: "SpellingErrors") -> "SpellingErrors":
        return SpellingErrors(
            self.words + other.words,
            self.wrong + other.wrong,
            self.phones + other.phones,
            self.phone_errors + other.phone_errors,
        )

    @property
    def word_error_rate(self) -> float:
        """Part of the words read wrongly."""
        return self.wrong / max(1, self.words)

    @property
    def phone_error_rate(self) -> float:
        """Phone errors over phones."""
        return self.phone_errors / max(1, self.phones)


def split_dictionary(
    dictionary: Dictionary, part: float, generator: np.random.Generator
) -> tuple[dict[str, Sequence[tuple[str, ...]]], dict[str, Sequence[tuple[str, ...]]]]:
    """Returns (training, held-out) words; all pronunciations of a word are on one side."""
    words = sorted(dictionary)
    held = set(generator.choice(len(words), int(part * len(words)), replace=False).tolist())
    training = {word: dictionary[word] for number, word in enumerate(words) if number not in held}
    return training, {words[number]: dictionary[words[number]] for number in sorted(held)}


def train_g2p(dictionary: Dictionary, budget: float = 2.9e6) -> tuple[np.ndarray, np.ndarray, NGramTables]:
    """Learns letters with phones, then a pruned n-gram model over such pairs.

    Args:
        dictionary: words in a-z and apostrophes; others are left out, and words that do not align.
        budget: most bytes of n-grams, before they are deflated.

    Returns:
        Letters and phones of each pair, int8 [pairs, 2], and the tables of the model.
    """
    words = _as_numbers(dictionary)
    probs = learn_pair_probs(words)
    probs = _commonest_pairs(words, probs)
    number_of_pair, letters, phones = _inventory(probs)
    paths = [best_pairs(spelled, spoken, probs) for spelled, spoken in words]
    text = _text([number_of_pair[path[:, 0], path[:, 1]] for path in paths if len(path)], len(letters))
    tables = count_ngrams(text, ORDER)
    keeps, steps = keep_known(tables), full_discounts(tables)
    kept = select(tables, estimate(tables, keeps, steps), BYTES, budget)
    return letters, phones, to_tables(tables, estimate(tables, kept, steps))


def measure(model: GraphemeToPhoneme, dictionary: Dictionary) -> SpellingErrors:
    """Returns the errors of the first guess, against the nearest pronunciation in the dictionary."""
    total = SpellingErrors()
    for word, pronunciations in dictionary.items():
        found = model.guesses(word)
        first = found[0].phones if found else ()
        errors, length = min((edit_distance(first, phones), len(phones)) for phones in pronunciations)
        total += SpellingErrors(1, int(errors > 0), length, errors)
    return total


def edit_distance(first: Sequence[str], second: Sequence[str]) -> int:
    """Returns the least number of insertions, deletions and replacements between two sequences."""
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, start=1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(second, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]


def _as_numbers(dictionary: Dictionary) -> list[Word]:
    """Returns letters and phones of all pronunciations that the model can spell."""
    result = []
    for word in sorted(dictionary):
        if all(letter in LETTER_NUMBER for letter in word):
            letters = np.array([LETTER_NUMBER[letter] for letter in word], np.int64)
            for phones in dictionary[word]:
                result.append((letters, np.array([PHONE_INDEX[phone] for phone in phones], np.int64)))
    return result


def _commonest_pairs(words: Sequence[Word], probs: np.ndarray) -> np.ndarray:
    """Returns the probabilities with only the `MOST_PAIRS` pairs that likeliest alignments use most."""
    uses = np.zeros_like(probs)
    for letters, phones in words:
        path = best_pairs(letters, phones, probs)
        np.add.at(uses, (path[:, 0], path[:, 1]), 1)
    least = max(2.0, float(np.partition(uses.ravel(), -MOST_PAIRS)[-MOST_PAIRS]))
    return np.where(uses >= least, probs, 0.0)


def _inventory(probs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns (number of each pair by chunks, letters of each pair, phones of each pair)."""
    rows, columns = np.nonzero(probs)
    number_of_pair = np.full(probs.shape, NOTHING, np.int64)
    number_of_pair[rows, columns] = np.arange(len(rows))
    two_letters, two_phones = rows >= NUMBER_OF_LETTERS, columns > NUMBER_OF_PHONES
    letters = np.stack([rows // NUMBER_OF_LETTERS - 1, rows % NUMBER_OF_LETTERS], axis=1)
    letters[~two_letters] = np.stack([rows, np.full_like(rows, NOTHING)], axis=1)[~two_letters]
    phones = np.stack([(columns - 1) // NUMBER_OF_PHONES - 1, (columns - 1) % NUMBER_OF_PHONES], axis=1)
    phones[~two_phones] = np.stack([columns - 1, np.full_like(columns, NOTHING)], axis=1)[~two_phones]
    return number_of_pair, letters.astype(np.int8), phones.astype(np.int8)


def _text(sequences: Sequence[np.ndarray], vocabulary: int) -> TokenText:
    """Returns sequences of pairs as sentences."""
    begin, end = np.array([vocabulary]), np.array([vocabulary + 1])
    tokens = np.concatenate([part for path in sequences for part in (begin, path, end)]).astype(np.uint16)
    return TokenText(tokens, np.ones(len(tokens), np.float32), vocabulary)
