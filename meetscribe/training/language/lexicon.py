"""Makes the lexicon: which words there are, and how each is said.

Pronunciations come, in this order, from the pronouncing dictionary (CMU's, as pocketsphinx ships it; BSD
licence), from the endings of words whose stem is known, letter by letter where there is no vowel, and from
the spelling model.

Not covered: frequencies of pronunciations.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from meetscribe.lm.g2p import LETTER_NUMBER, GraphemeToPhoneme
from meetscribe.lm.lexicon import Lexicon
from meetscribe.lm.symbols import spell
from meetscribe.training.language.g2p import Dictionary
from meetscribe.training.language.text import read_lines

Phones = tuple[str, ...]

_SIBILANTS = {"S", "Z", "SH", "ZH", "CH", "JH"}
_VOICELESS = {"P", "T", "K", "F", "TH", "S", "SH", "CH"}
_VOWELS = set("aeiouy")

MOST_GUESSES = 2
LEAST_SHARE = 0.4
"""A second guess of the spelling model is taken if it has this part of the first one's probability."""

SHORT_LETTERS = 3
SHORT_LEAST_COUNT = 100
"""Words of up to three letters that are in no dictionary are mostly fragments, code and misspellings, and
would compete everywhere in the search: rarer ones are left out."""

MARKUP = frozenset({"quot", "amp", "nbsp", "href", "mr", "mrs", "dr"})
"""Left over from mark-up and abbreviations in the text, where normalised text has other words."""

ALIAS_RATIO = 10
LARGEST_VOCABULARY = 65_000
EXTRA_LEAST_COUNT = 3

REDUCED: Mapping[str, tuple[str, ...]] = {
    "and": ("AH N",),
    "because": ("K AH Z", "K AO Z"),
    "just": ("JH AH S",),
    "okay": ("K EY", "M K EY"),
    "probably": ("P R AA B L IY",),
    "them": ("AH M",),
    "yeah": ("Y EH AH", "Y AH"),
    "your": ("Y ER",),
}
"""Ways to say common words in talk that the dictionary does not have."""


@dataclass(frozen=True)
class Vocabulary:
    """The words of the lexicon, and spellings that stand for them in the text.

    Attributes:
        words: most frequent first.
        aliases: word of the lexicon for each spelling that is not one: "dont" for "don't".
    """

    words: tuple[str, ...]
    aliases: Mapping[str, str]

    @property
    def numbers(self) -> dict[str, int]:
        """Number of each word, and of the words that aliases stand for."""
        own = {word: number for number, word in enumerate(self.words)}
        return {**own, **{alias: own[word] for alias, word in self.aliases.items() if word in own}}


def read_dictionary(path: Path) -> Dictionary:
    """Reads a pronouncing dictionary of lines `word phone ...`.

    Further pronunciations of a word are lines `word(2) phone ...`. Words with other characters than a-z and
    the apostrophe are left out.
    """
    dictionary: dict[str, list[Phones]] = {}
    for line in read_lines(path):
        name, *phones = line.split()
        word = name.split("(")[0]
        if phones and all(letter in LETTER_NUMBER for letter in word):
            dictionary.setdefault(word, []).append(tuple(phones))
    return {word: tuple(dict.fromkeys(found)) for word, found in dictionary.items()}


def read_word_counts(path: Path) -> dict[str, int]:
    """Reads lines of a word, a tab and its count."""
    rows = (line.split("\t") for line in read_lines(path))
    return {word: int(count) for word, count in rows}


def choose_words(
    frequent: Mapping[str, int], in_text: Mapping[str, int], dictionary: Dictionary
) -> Vocabulary:
    """Chooses the words of the lexicon.

    Args:
        frequent: counts of the most frequent words of a large text.
        in_text: counts of the words of the text at hand; those that the dictionary has fill the lexicon up.
        dictionary: pronunciations.
    """
    aliases = _without_apostrophe(frequent, dictionary)
    real = [word for word, count in frequent.items() if _is_word(word, count, dictionary)]
    words = [word for word in real if word not in aliases]
    known = {*words, *aliases, *MARKUP}
    seen = sorted((-count, word) for word, count in in_text.items() if count >= EXTRA_LEAST_COUNT)
    extra = [word for _, word in seen if word in dictionary and word not in known]
    return Vocabulary(tuple([*words, *extra][:LARGEST_VOCABULARY]), aliases)


def _is_word(word: str, count: int, dictionary: Dictionary) -> bool:
    """Tells whether a frequent sequence of letters is worth being recognised."""
    short = len(word) <= SHORT_LETTERS and word not in dictionary and count < SHORT_LEAST_COUNT
    return not short and word not in MARKUP


def _without_apostrophe(frequent: Mapping[str, int], dictionary: Dictionary) -> dict[str, str]:
    """Returns what spellings like "dont" mean: unknown ones, much commoner with an apostrophe."""
    meant: dict[str, str] = {}
    for word, count in frequent.items():
        plain = word.replace("'", "")
        commoner = plain in frequent and count >= ALIAS_RATIO * frequent[plain]
        if plain != word and commoner and plain not in dictionary:
            meant.setdefault(plain, word)
    return meant


def make_lexicon(vocabulary: Vocabulary, dictionary: Dictionary, g2p: GraphemeToPhoneme) -> Lexicon:
    """Finds the pronunciations of all words."""
    said = []
    for word in vocabulary.words:
        reduced = [tuple(phones.split()) for phones in REDUCED.get(word, ())]
        ways = [*pronunciations(word, dictionary, g2p), *reduced]
        said.append(tuple(dict.fromkeys(spell(phones) for phones in ways)))
    return Lexicon(vocabulary.words, tuple(said))


def pronunciations(word: str, dictionary: Dictionary, g2p: GraphemeToPhoneme) -> list[Phones]:
    """Returns the ways a word is said, likeliest first."""
    if word in dictionary:
        return list(dictionary[word])
    if not _VOWELS & set(word):
        letters = [dictionary[letter] for letter in word if letter != "'"]
        if letters and len(letters) <= 5:
            return [tuple(phone for ways in letters for phone in ways[-1])]
    for ending, replacement, extend in _ENDINGS:
        stem = word.removesuffix(ending) + replacement
        derived = word.endswith(ending) and len(word) > len(ending) + 1
        if derived and (stem in dictionary or (ending == "'s" and stem != word)):
            return [extend(phones) for phones in pronunciations(stem, dictionary, g2p)]
    guesses = g2p.guesses(word)
    least = LEAST_SHARE * guesses[0].share if guesses else 0.0
    return [guess.phones for guess in guesses[:MOST_GUESSES] if guess.share >= least]


def _with_s(phones: Phones) -> Phones:
    """Adds the plural, possessive or third person."""
    if phones[-1] in _SIBILANTS:
        return (*phones, "IH", "Z")
    return (*phones, "S" if phones[-1] in _VOICELESS else "Z")


def _with_d(phones: Phones) -> Phones:
    """Adds the past."""
    if phones[-1] in ("T", "D"):
        return (*phones, "IH", "D")
    return (*phones, "T" if phones[-1] in _VOICELESS else "D")


def _with_ing(phones: Phones) -> Phones:
    """Adds the participle."""
    return (*phones, "IH", "NG")


def _with_will(phones: Phones) -> Phones:
    """Adds a shortened "will"."""
    return (*phones, "AH", "L")


def _as_it_is(phones: Phones) -> Phones:
    """Adds nothing that is heard."""
    return phones


def _without_g(phones: Phones) -> Phones:
    """Says -ing as -in'."""
    return (*phones[:-1], "N")


_ENDINGS: tuple[tuple[str, str, Callable[[Phones], Phones]], ...] = (
    ("'s", "", _with_s),
    ("s'", "s", _as_it_is),
    ("in'", "ing", _without_g),
    ("'d", "e", _with_d),
    ("'d", "", _with_d),
    ("'ll", "", _with_will),
    ("ed", "e", _with_d),
    ("ed", "", _with_d),
    ("ing", "e", _with_ing),
    ("ing", "", _with_ing),
    ("es", "e", _with_s),
    ("es", "", _with_s),
    ("s", "", _with_s),
)
"""Endings with what the stem has in their place; 86 to 97 % of the dictionary's words come out right."""
