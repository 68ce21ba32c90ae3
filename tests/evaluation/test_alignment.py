from hypothesis import given
from hypothesis import strategies as st

from meetscribe.evaluation.alignment import align, describe
from meetscribe.evaluation.error_rate import word_error_rate
from meetscribe.evaluation.segments import Segment, TimedWord, spread

texts = st.lists(st.sampled_from("abc"), max_size=8)


def words(letters):
    """Words a second apart."""
    return [TimedWord(letter, n * 16_000, n * 16_000 + 8000) for n, letter in enumerate(letters)]


def said(speaker, start, text):
    """A segment of two seconds."""
    begin = round(start * 16_000)
    return Segment("m", speaker, begin, begin + 32_000, spread(text.split(), begin, begin + 32_000))


@given(texts, texts)
def test_an_alignment_has_as_many_errors_as_the_error_rate(first, second):
    """Every word is there once and in order, and the wrong pairs are as many as there are errors."""
    pairs = align(words(first), words(second))
    assert [one.word for one, _ in pairs if one is not None] == first
    assert [other.word for _, other in pairs if other is not None] == second
    wrong = sum(one is None or other is None or one.word != other.word for one, other in pairs)
    assert wrong == word_error_rate(first, second).errors


def test_speakers_are_matched_by_what_they_say_and_errors_stand_in_capitals():
    """Whoever shares most words is the same; replaced, missed and invented words are marked."""
    reference = [said("Alice", 0, "can we move it to friday"), said("Bob", 1, "mhm that is fine by me")]
    heard = [said("s2", 0, "can we move to the friday"), said("s1", 1, "mhm that is wine by me")]
    assert list(describe(reference, heard)) == [
        "Alice (6 words) as s2: 2 wrong",
        "      0:00 said  can we move IT TO  friday",
        "           heard can we move TO THE friday",
        "",
        "Bob (6 words) as s1: 1 wrong",
        "      0:01 said  mhm that is FINE by me",
        "           heard mhm that is WINE by me",
        "",
    ]


def test_those_who_have_no_counterpart_are_shown_too():
    """A speaker whom nobody was taken for is missed as a whole; a stream that is nobody's is invented."""
    lines = list(describe([said("Alice", 0, "yes")], []))
    assert lines[:3] == ["Alice (1 words) as nobody: 1 wrong", "      0:00 said  YES", "           heard ·"]
    assert next(iter(describe([], [said("s1", 0, "yes")]))) == "nobody (0 words) as s1: 1 wrong"
