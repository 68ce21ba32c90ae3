import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.lm.numerals import numerals, spell, value_of

WORDS = (
    "one",
    "two",
    "ten",
    "twenty",
    "hundred",
    "thousand",
    "and",
    "point",
    "oh",
    "first",
    "a",
    "m",
    "dollars",
    "the",
)


def written(text: str, ends: list[bool] | None = None) -> str:
    """Returns a text with its numbers in digits."""
    words, parts, place = text.split(), [], 0
    for numeral in numerals(words, ends):
        parts += [*words[place : numeral.first], numeral.text]
        place = numeral.last
    return " ".join([*parts, *words[place:]])


@given(st.integers(0, 10**12 - 1))
def test_a_spelled_number_reads_back_as_itself(number: int) -> None:
    """Whatever whole number is spelled out, its words say that number."""
    assert value_of(spell(number)) == number


@given(st.integers(0, 10**12 - 1))
def test_numbers_said_as_elsewhere_are_read(number: int) -> None:
    """Numbers are read as num2words says them, with "and" and hyphens."""
    num2words = pytest.importorskip("num2words").num2words
    assert value_of(num2words(number).replace("-", " ").replace(",", "").split()) == number


@given(st.integers(10, 10**6 - 1))
def test_numbers_from_ten_on_become_digits(number: int) -> None:
    """A number from ten on, said between other words, is written in digits and means the same."""
    _, text, _ = written(" ".join(["the", *spell(number), "people"])).split()
    assert int(text.replace(",", "")) == number


@given(st.lists(st.sampled_from(WORDS)))
def test_numerals_stand_in_order_and_apart(words: list[str]) -> None:
    """Of any words numerals come in order, are not empty and share no word."""
    last = 0
    for numeral in numerals(words):
        assert last <= numeral.first < numeral.last <= len(words)
        last = numeral.last


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("we have twenty three people", "we have 23 people"),
        ("in nineteen eighty four or twenty twenty six", "in 1984 or 2026"),
        ("twenty oh five and two thousand and six", "2005 and 2006"),
        ("at three thirty or seven o'clock", "at 3:30 or 7 o'clock"),
        ("ten a m to three oh five p m", "10 AM to 3:05 PM"),
        ("the twenty third and the one hundredth", "the 23rd and the 100th"),
        ("five point two five percent", "5.25%"),
        ("five dollars and twenty cents", "$5.20"),
        ("two point five million dollars", "$2.5 million"),
        ("twelve thousand five hundred euros", "€12,500"),
        ("call five five five oh one double two", "call 5550122"),
    ],
)
def test_plain_expressions_become_digits(said: str, expected: str) -> None:
    """Numbers, years, times, ordinals, percentages, money and rows of digits are written as people write them."""
    assert written(said) == expected


@pytest.mark.parametrize(
    "said", ["one of them", "the first second", "a hundred", "one two three testing", "oh yeah", "and a m"]
)
def test_what_only_sounds_like_a_number_stays_words(said: str) -> None:
    """Small numbers, ordinals below the tenth, counting and interjections stay as they were said."""
    assert written(said) == said


def test_a_mark_keeps_numbers_apart() -> None:
    """Numbers with a comma between them are two."""
    assert written("twenty three", [True, False]) == "20 three"
    assert written("forty fifty two", [True, False, False]) == "40 52"
