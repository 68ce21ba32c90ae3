"""The words the recogniser knows, and how they are said.

A lexicon's file is xz-compressed text: a line of version and counts, then a line for each word, the word and
its pronunciations separated by tabs, the phones of a pronunciation by spaces. A word's number is its line's.

Not covered: words outside the lexicon (`meetscribe.lm.g2p`); how a lexicon is made
(`meetscribe.training.language`).
"""

import lzma
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from meetscribe.errors import CheckpointError
from meetscribe.lm.symbols import phones_of, spell

_HEADER = "meetscribe-lexicon 1"

Pronunciation = tuple[int, ...]
"""Symbols of one way to say a word: inside variants of phones, last the word-end variant."""


@dataclass(frozen=True)
class Lexicon:
    """Words and their pronunciations, likeliest first; the number of a word is its position.

    Attributes:
        words: spelled a-z and apostrophe.
        pronunciations: for each word at least one.
    """

    words: tuple[str, ...]
    pronunciations: tuple[tuple[Pronunciation, ...], ...]

    def __post_init__(self) -> None:
        """Checks that every word has pronunciations and is there once."""
        if len(self.words) != len(self.pronunciations) or not all(self.pronunciations):
            raise ValueError("every word of a lexicon needs a pronunciation")
        if len(self.numbers) != len(self.words):
            raise ValueError("a word is in the lexicon twice")

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Number of each word."""
        return {word: number for number, word in enumerate(self.words)}

    def extended(self, more: Iterable[tuple[str, tuple[Pronunciation, ...]]]) -> "Lexicon":
        """Returns a lexicon with further words after the present ones; known words gain pronunciations.

        Words after the last word of a language model have no number there: score them as its `<unk>`.
        """
        table = dict(zip(self.words, self.pronunciations, strict=True))
        for word, pronunciations in more:
            table[word] = tuple(dict.fromkeys((*table.get(word, ()), *pronunciations)))
        return Lexicon(tuple(table), tuple(table.values()))


def dump_lexicon(lexicon: Lexicon) -> bytes:
    """Returns the content of a lexicon's file."""
    lines = [f"{_HEADER} {len(lexicon)}"]
    for word, pronunciations in zip(lexicon.words, lexicon.pronunciations, strict=True):
        lines.append("\t".join([word, *(" ".join(phones_of(symbols)) for symbols in pronunciations)]))
    return lzma.compress("\n".join([*lines, ""]).encode(), preset=9)


def parse_lexicon(content: bytes) -> Lexicon:
    """Reads the content of a lexicon's file.

    Raises:
        ValueError: if it is no lexicon, is cut short or spells a word with unknown phones.
    """
    try:
        header, *lines = lzma.decompress(content).decode().splitlines()
    except (lzma.LZMAError, UnicodeDecodeError, ValueError) as error:
        raise ValueError("not a lexicon") from error
    if header != f"{_HEADER} {len(lines)}":
        raise ValueError("not a whole lexicon of this version")
    rows = [line.split("\t") for line in lines]
    try:
        spelled = [tuple(spell(phones.split(" ")) for phones in row[1:]) for row in rows]
    except KeyError as error:
        raise ValueError(f"the lexicon has an unknown phone {error}") from error
    return Lexicon(tuple(row[0] for row in rows), tuple(spelled))


def save_lexicon(lexicon: Lexicon, path: Path) -> None:
    """Writes a lexicon."""
    path.write_bytes(dump_lexicon(lexicon))


def load_lexicon(path: Path) -> Lexicon:
    """Reads a lexicon.

    Raises:
        CheckpointError: if the file is no lexicon or is damaged.
        OSError: if the file cannot be read.
    """
    try:
        return parse_lexicon(path.read_bytes())
    except ValueError as error:
        raise CheckpointError(f"{path} is not a usable lexicon ({error}): install the model again") from error
