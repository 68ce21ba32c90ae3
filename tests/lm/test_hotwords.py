from dataclasses import dataclass

import pytest

from meetscribe.errors import UsageError
from meetscribe.lm.hotwords import MOST_PHRASES, parse_hotwords, pronunciations, spoken, usable, written
from meetscribe.lm.lexicon import Lexicon, Pronunciation
from meetscribe.lm.symbols import spell

WAYS = {
    "a": (["AH"], ["EY", "Y"]),
    "p": (["P", "IY"],),
    "i": (["AY"],),
    "will": (["W", "IH", "L"],),
    "four": (["F", "AO", "R"],),
}
LEXICON = Lexicon(tuple(WAYS), tuple(tuple(map(spell, ways)) for ways in WAYS.values()))


@dataclass(frozen=True)
class Spelled:
    """Says every word as if letters B, K were its phones."""

    def pronounce(self, word: str, most: int = 1, least_share: float = 0.25) -> tuple[Pronunciation, ...]:
        return (spell(["B" if letter < "m" else "K" for letter in word if letter.isalpha()]),)


def test_a_list_has_a_phrase_a_line() -> None:
    """Comments, empty lines and repetitions are left out, spaces put right, and the order stays."""
    lines = ["Anna  Nagy # our guest", "", "# people", "Kubernetes", "Anna Nagy", "Siobhan = shivawn"]
    assert parse_hotwords(lines, "names.txt") == ("Anna Nagy", "Kubernetes", "Siobhan = shivawn")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("北京", "cannot be read aloud"),
        ("= shivawn", "cannot be read aloud"),
        ("one two three four five six seven", "more than 6 words"),
        ("x" * 61, "more than 6 words or 60"),
        ("Anna Nagy = annanodge", "as many words"),
    ],
)
def test_what_cannot_be_listened_for_is_refused_in_a_sentence(line: str, reason: str) -> None:
    """A bad line is named with its file, number and remedy."""
    with pytest.raises(UsageError, match=rf"^names\.txt, line 2: .*{reason}"):
        parse_hotwords(["Anna", line], "names.txt")


def test_a_list_has_a_limit() -> None:
    """Too many phrases are refused; of words that nobody listed by hand the first are taken."""
    many = [f"Name {'x' * (number % 40 + 1)} {number}" for number in range(MOST_PHRASES + 1)]
    with pytest.raises(UsageError, match="more than 1000 hot words"):
        parse_hotwords(many, "names.txt")
    assert usable(["北京", "Anna", "Anna", "Bob"], most=2) == ("Anna", "Bob")


def test_parts_are_said_by_lexicon_letters_numbers_or_guesses() -> None:
    """Known words are said as the lexicon says, capitals letter by letter, digits as numbers, others by guesses."""
    phrase = spoken("Will API-4 Zoë", LEXICON, Spelled())  # type: ignore[arg-type]
    assert phrase is not None
    assert phrase.parts == ("Will", "API-4", "Zoë")
    assert phrase.words == ("will", None, None)
    assert (spell(["EY", "Y"]), spell(["P", "IY"]), spell(["AY"]), spell(["F", "AO", "R"])) in phrase.ways[1]
    assert all(way[-1] == spell(["F", "AO", "R"]) for way in phrase.ways[1] if len(way) == 4)
    assert phrase.ways[2] == ((spell(["K", "K", "B"]),),)
    assert all(len(way) == 3 for way in pronunciations(phrase))


def test_how_a_name_sounds_can_be_written() -> None:
    """What stands after = is said, what stands before it is written."""
    phrase = spoken("北京 = will", LEXICON, Spelled())  # type: ignore[arg-type]
    assert phrase is not None
    assert (phrase.parts, phrase.words) == (("北京",), (None,))
    assert (
        phrase.ways == (((spell(["W", "IH", "L"]),),),) or ((spell(["W", "IH", "L"]),),) == phrase.ways[0][:1]
    )
    assert written("北京 = will") == ("北京",)
