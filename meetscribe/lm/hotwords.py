"""Words and phrases that a person wants to be recognised, as they wrote them, and how each is said.

A list has a phrase a line; `#` begins a comment. Where a name is not said as it is spelled, the line says how it
sounds: `Siobhan = shivawn`. Each part between spaces is one word of the transcript, whatever it is made of: `GPT-4` is
said "g p t four". Importing this needs neither torch nor numba.
Not covered: how the search listens for them (`meetscribe.streaming.search`).
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meetscribe.errors import UsageError
from meetscribe.lm.numerals import spell_digits

if TYPE_CHECKING:
    from meetscribe.lm.g2p import GraphemeToPhoneme
    from meetscribe.lm.lexicon import Lexicon, Pronunciation

MOST_PHRASES = 1000
MOST_WORDS = 6
MOST_LETTERS = 60
MOST_WAYS = 8
"""Pronunciations of one part; a phrase has at most twice as many."""

_GUESSES = 3
_LEAST_SHARE = 0.12
_RARE = (
    20_000  # words of the lexicon, which is in order of frequency, whose one pronunciation may be a guess too
)
_SPELLED = 5
"""Longest word in capitals that may be said letter by letter."""

_PIECE = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*|[0-9]+")


@dataclass(frozen=True)
class HotPhrase:
    """A phrase that the search listens for.

    Attributes:
        parts: as they are written.
        words: for each part its word in the lexicon; None where it is none of one word.
        ways: for each part how it may be said: pronunciations of its pieces, one after another.
    """

    parts: tuple[str, ...]
    words: tuple[str | None, ...]
    ways: tuple[tuple[tuple["Pronunciation", ...], ...], ...]


def parse_hotwords(lines: Iterable[str], place: str) -> tuple[str, ...]:
    """Returns the phrases of a list, each once, in their order.

    Args:
        lines: of the list.
        place: what the list is called in a message.

    Raises:
        UsageError: a line cannot be listened for, or there are too many.
    """
    found: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        phrase = " ".join(line.partition("#")[0].split())
        if not phrase:
            continue
        wrong = what_is_wrong(phrase)
        if wrong:
            raise UsageError(f"{place}, line {number}: {wrong}")
        found[phrase] = None
        if len(found) > MOST_PHRASES:
            raise UsageError(f"{place}: more than {MOST_PHRASES} hot words; keep those that matter most")
    return tuple(found)


def what_is_wrong(phrase: str) -> str | None:
    """Returns why a phrase cannot be listened for, in a sentence with the remedy; None if it can."""
    form, sound = _split(phrase)
    if len(phrase) > MOST_LETTERS or len(form.split()) > MOST_WORDS:
        shown = f"{phrase[:20]}…" if len(phrase) > 20 else phrase
        return f"{shown!r} has more than {MOST_WORDS} words or {MOST_LETTERS} characters; give names, not sentences"
    if not form or not all(_pieces(part) for part in (sound or form).split()):
        return f"{phrase!r} cannot be read aloud; write how it sounds after it: {form or 'Name'} = in english letters"
    if sound is not None and len(sound.split()) != len(form.split()) > 1:
        return f"{phrase!r}: write as many words after = as before it"
    return None


def usable(phrases: Iterable[str], most: int = MOST_PHRASES) -> tuple[str, ...]:
    """Returns those phrases that can be listened for, at most so many: of lists that nobody wrote as one."""
    chosen = (" ".join(phrase.split()) for phrase in phrases)
    return tuple(itertools.islice((one for one in dict.fromkeys(chosen) if what_is_wrong(one) is None), most))


def written(phrase: str) -> tuple[str, ...]:
    """Returns the parts of a phrase as they are written, without how they sound."""
    return tuple(_split(phrase)[0].split())


def plain(part: str) -> str:
    """Returns a part as a recogniser spells it: small letters a-z and apostrophes, pieces joined."""
    return "".join(_pieces(part)).lower()


def spoken(phrase: str, lexicon: "Lexicon", g2p: "GraphemeToPhoneme") -> HotPhrase | None:
    """Returns how a phrase is said; None where that cannot be found out."""
    form, sound = _split(phrase)
    parts = tuple(form.split())
    sounds = parts if sound is None else tuple(sound.split()) if len(parts) > 1 else (sound,)
    ways = tuple(tuple(_ways(sound, lexicon, g2p)) for sound in sounds)
    if not all(ways):
        return None
    words = tuple(_lexicon_word(part, lexicon) for part in parts)
    return HotPhrase(parts, words, ways)


def pronunciations(phrase: HotPhrase) -> Iterator[tuple[tuple["Pronunciation", ...], ...]]:
    """Yields how a phrase may be said: for each part its pieces' pronunciations."""
    yield from itertools.islice(itertools.product(*phrase.ways), 2 * MOST_WAYS)


def _split(phrase: str) -> tuple[str, str | None]:
    form, mark, sound = phrase.partition(" = ")
    return form.strip(), sound.strip() if mark else None


def _pieces(part: str) -> list[str]:
    """Returns what of a part is said, one word after another, in its own capitals; numbers spelled out."""
    folded = unicodedata.normalize("NFKD", part.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    plain_letters = "".join(letter for letter in folded if not unicodedata.combining(letter))
    if any(letter.isalpha() and not letter.isascii() for letter in plain_letters):
        return []
    pieces: list[str] = []
    for piece in _PIECE.findall(plain_letters):
        pieces += spell_digits(piece) if piece.isdigit() else [piece]
    return pieces


def _lexicon_word(part: str, lexicon: "Lexicon") -> str | None:
    pieces = _pieces(part)
    word = pieces[0].lower() if len(pieces) == 1 else ""
    return word if word in lexicon.numbers else None


def _ways(sound: str, lexicon: "Lexicon", g2p: "GraphemeToPhoneme") -> Iterator[tuple["Pronunciation", ...]]:
    """Yields how a part may be said."""
    pieces = [piece for part in sound.split() for piece in _pieces(part)]
    each = [_piece_ways(piece, lexicon, g2p) for piece in pieces]
    for chosen in itertools.islice(itertools.product(*each), MOST_WAYS):
        yield tuple(itertools.chain.from_iterable(chosen))


def _piece_ways(
    piece: str, lexicon: "Lexicon", g2p: "GraphemeToPhoneme"
) -> Sequence[tuple["Pronunciation", ...]]:
    """Returns how a piece may be said, each way a word or the letters of one."""
    word = piece.lower()
    number = lexicon.numbers.get(word)
    known = () if number is None else lexicon.pronunciations[number]
    rare = number is None or (number >= _RARE and len(known) == 1)
    guessed = g2p.pronounce(word, _GUESSES, _LEAST_SHARE) if rare else ()
    as_word = [(way,) for way in dict.fromkeys((*known, *guessed))]
    if not piece.isupper() or not 1 < len(piece) <= _SPELLED:
        return as_word
    letters = [
        lexicon.pronunciations[lexicon.numbers[letter]] for letter in word if letter in lexicon.numbers
    ]
    names = [
        max(ways, key=len) if letter == "a" else ways[0] for letter, ways in zip(word, letters, strict=False)
    ]
    if len(names) != len(word):
        return as_word
    return [tuple(names), *(as_word if len(piece) > 2 else ())]
