"""Cased and punctuated text as what a recogniser hears of it: words, how each was written, and the mark after it.

Words are spelled as the recogniser spells them (a-z and apostrophes, acronyms letter by letter, numbers spelled out);
the marks are those of `lm.punctuation`: what a speaker cannot be heard to mean (a colon, a dash) counts as a comma,
an exclamation mark as a full stop.
Not covered: abbreviations with a full stop ("Mr." ends nothing), and numbers that are no whole ones: there a text
is cut.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from meetscribe.lm.numerals import spell
from meetscribe.lm.punctuation import COMMA, NONE, PERIOD, QUESTION

_MARKS = {",": COMMA, ";": COMMA, ":": COMMA, ".": PERIOD, "!": PERIOD, "…": PERIOD, "?": QUESTION}
_DASHES = frozenset({"-", "--", "–", "—"})
_TITLES = frozenset({"mr", "mrs", "ms", "dr", "st", "vs", "etc", "jr", "prof"})
_TOKEN = re.compile(r"^[^A-Za-z0-9]*(.*?)([^A-Za-z0-9]*)$")
_PART = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*|[0-9]+")
_MOST_LETTERS = 5


@dataclass(frozen=True)
class WrittenWord:
    """A word of a text.

    Attributes:
        word: as a recogniser spells it.
        form: as it was written.
        mark: what stands after it.
    """

    word: str
    form: str
    mark: int = NONE


def read_written(line: str, words: Collection[str]) -> Iterator[list[WrittenWord]]:
    """Yields the pieces of a line that can be read as speech; most lines are one piece.

    Args:
        line: a turn or a paragraph.
        words: those that a recogniser has; an acronym that is none of them is spelled.
    """
    piece: list[WrittenWord] = []
    for token in _plain(line).split():
        if token in _DASHES:
            _put_mark(piece, COMMA)
            continue
        read = _read_token(token, words)
        if read is None:
            if piece:
                yield piece
            piece = []
            continue
        piece += read
    if piece:
        yield piece


def _plain(line: str) -> str:
    text = unicodedata.normalize("NFKD", line).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    text = re.sub(r"\[[^\]]*\]|\([^)]*\)", " ", text)
    return re.sub(r"[–—]|--", " - ", "".join(c for c in text if not unicodedata.combining(c)))


def _put_mark(piece: list[WrittenWord], mark: int) -> None:
    if piece and piece[-1].mark == NONE:
        piece[-1] = WrittenWord(piece[-1].word, piece[-1].form, mark)


def _read_token(token: str, words: Collection[str]) -> list[WrittenWord] | None:
    """Returns the words of a token; None where it cannot be said how it is read."""
    match = _TOKEN.match(token)
    if match is None or not match[1]:
        return []
    body, tail = match[1], match[2]
    if re.search(r"[^A-Za-z0-9'.\-/&]", body) or re.search(
        r"[0-9][./][0-9]|[0-9][A-Za-z]|[A-Za-z][0-9]", body
    ):
        return None
    read: list[WrittenWord] = []
    for part in _PART.findall(body):
        if part.isdigit():
            if len(part) > 4 or "$" in token or "%" in token:
                return None
            read += [WrittenWord(word, word) for word in spell(int(part))]
        else:
            read += _read_letters(part, words)
    mark = next((_MARKS[sign] for sign in tail if sign in _MARKS), NONE)
    if read and not (mark == PERIOD and read[-1].word in _TITLES):
        _put_mark(read, mark)
    return read


def _read_letters(part: str, words: Collection[str]) -> list[WrittenWord]:
    """Returns a word, or the letters of an acronym."""
    lower = part.lower()
    if part.isupper() and 1 < len(part) <= _MOST_LETTERS and (len(part) <= 3 or lower not in words):
        return [WrittenWord(letter.lower(), letter) for letter in part]
    return [WrittenWord(lower, part)]


def own_forms(pieces: Iterable[list[WrittenWord]]) -> dict[str, dict[str, int]]:
    """Returns how often each word was written how, where no sentence begins with it."""
    forms: dict[str, dict[str, int]] = {}
    for piece in pieces:
        begins = True
        for written in piece:
            if not begins:
                counts = forms.setdefault(written.word, {})
                counts[written.form] = counts.get(written.form, 0) + 1
            begins = written.mark in (PERIOD, QUESTION)
    return forms
