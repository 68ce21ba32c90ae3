import functools
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.evaluation import multitalker
from meetscribe.evaluation.error_rate import ErrorRate, word_error_rate
from meetscribe.evaluation.regions import aligned, orc_by_region, overlapped_intervals
from meetscribe.evaluation.segments import TimedWord
from meetscribe.timeline import SAMPLE_RATE

from .builders import segment

needs_meeteval = pytest.mark.skipif(not multitalker.available(), reason="meeteval is not installed")
WORDS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), max_size=5).map(
    lambda rows: [TimedWord(word, time, time) for word, time in sorted(rows, key=lambda r: r[1])]
)


@st.composite
def talk(draw, speakers: str, slots: bool):
    """Up to four turns in time that may overlap."""
    made = []
    for _ in range(draw(st.integers(0, 4))):
        who, start = draw(st.sampled_from(speakers)), draw(st.integers(0, 8))
        text = " ".join(draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3)))
        made.append(segment(who, start, start + 2, text, "xy".index(who) if slots else None))
    return made


def cheapest(expected: list[TimedWord], heard: list[TimedWord]) -> tuple[int, int]:
    """Return the least (edits, time between paired words) over all alignments, one by one."""

    @functools.cache
    def from_here(row: int, column: int) -> tuple[int, int]:
        ways = []
        if row < len(expected) and column < len(heard):
            edits, apart = from_here(row + 1, column + 1)
            wrong = expected[row].word != heard[column].word
            ways.append((edits + wrong, apart + abs(expected[row].middle - heard[column].middle)))
        if row < len(expected):
            edits, apart = from_here(row + 1, column)
            ways.append((edits + 1, apart))
        if column < len(heard):
            edits, apart = from_here(row, column + 1)
            ways.append((edits + 1, apart))
        return min(ways, default=(0, 0))

    return from_here(0, 0)


@settings(max_examples=80, deadline=None)
@given(WORDS, WORDS)
def test_the_alignment_is_the_cheapest_and_then_the_nearest_in_time(expected, heard):
    """It has the fewest edits, and among such alignments the least time between paired words."""
    pairs = aligned(expected, heard)
    assert [wanted for wanted, _ in pairs if wanted is not None] == expected
    assert [found for _, found in pairs if found is not None] == heard
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    edits = len(pairs) - sum(a.word == b.word for a, b in both)
    assert (edits, sum(abs(a.middle - b.middle) for a, b in both)) == cheapest(expected, heard)
    rate = word_error_rate([w.word for w in expected], [w.word for w in heard])
    assert edits == rate.errors


@needs_meeteval
@settings(max_examples=60, deadline=None)
@given(talk("AB", slots=False), talk("xy", slots=True))
def test_regions_add_up_to_the_whole(reference, hypothesis):
    """The errors of both regions together are the ORC-WER, and so is the number of words."""
    found, whole = orc_by_region(reference, hypothesis).all, multitalker.orc_wer(reference, hypothesis)
    assert (found.errors, found.length) == (whole.errors, whole.length)


@needs_meeteval
def test_errors_belong_to_the_region_of_their_word():
    """A word missed in the overlap is the overlap's, wherever the words around it are thought to be."""
    reference = [segment("A", 0, 4, "aa bb cc dd"), segment("B", 2, 3, "mhm")]
    hypothesis = [segment("x", 0.3, 4.3, "aa bb dd", 0), segment("y", 6, 7, "so", 1)]
    regional = orc_by_region(reference, hypothesis)
    assert regional.overlapped == ErrorRate(2, 2, deletions=1, substitutions=1)
    assert regional.single == ErrorRate(0, 3)
    late = orc_by_region(reference, [segment("x", 0, 4, "aa bb cc dd", 0), segment("x", 6, 7, "mhm so", 0)])
    assert late.single == ErrorRate(1, 3, insertions=1)


def test_words_of_an_overlap_have_their_middle_in_it():
    """A turn inside another one overlaps it for its own length."""
    reference = [segment("A", 0, 4, "aa bb cc dd"), segment("B", 2, 3, "mhm")]
    assert overlapped_intervals(reference) == [(2 * SAMPLE_RATE, 3 * SAMPLE_RATE)]


@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 20), st.integers(1, 5)), max_size=6))
def test_overlap_is_where_two_speakers_are_active(rows):
    """The overlapped intervals equal a count of active speakers at every tenth of a second."""
    made = [segment(who, start / 10, (start + length) / 10, "w") for who, start, length in rows]
    found = overlapped_intervals(made)
    for tick in range(26):
        time = tick * SAMPLE_RATE // 10 + 800
        active = {s.speaker for s in made if s.start <= time < s.end}
        assert any(start <= time < end for start, end in found) == (len(active) > 1)


def test_the_best_pairs_are_those_that_ties_in_edits_leave():
    """Of two equal words that could have been missed, the one far from what was heard is."""
    expected = [TimedWord("so", 0, 10), TimedWord("so", 100, 110)]
    heard = [TimedWord("so", 100, 110)]
    assert aligned(expected, heard) == [(expected[0], None), (expected[1], heard[0])]
    assert list(itertools.chain(*aligned([], heard))) == [None, heard[0]]
