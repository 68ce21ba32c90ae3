import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.evaluation import turns
from meetscribe.timeline import SAMPLE_RATE

from .builders import segment

INTERVALS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda p: (min(p), max(p))))


@given(INTERVALS)
def test_union_covers_the_same_points_and_is_disjoint(intervals):
    """A union holds exactly what any interval holds, in order, without touching neighbours."""
    joined = turns.union(intervals)
    for point in range(41):
        inside = any(a <= point < b for a, b in intervals)
        assert any(a <= point < b for a, b in joined) == inside
    assert all(a[1] < b[0] for a, b in itertools.pairwise(joined))


def test_turns_are_counted_per_group():
    """Two groups, of which the hypothesis splits one: half are right."""
    reference = [segment("A", 0, 2, "a b"), segment("B", 1, 3, "c"), segment("A", 10, 12, "d e")]
    hypothesis = [
        segment("x", 0, 2, "a b", 0), segment("y", 1, 3, "c", 1),
        segment("x", 10, 11, "d", 0), segment("x", 11, 12, "e", 0),
    ]  # fmt: skip
    assert turns.turns_right(reference, hypothesis) == turns.Share(1, 2)
    assert turns.turns_right(reference, [*hypothesis[:2], segment("x", 10, 12, "d", 0)]).value == 1.0


def test_a_turn_closed_at_a_pause_inside_it_is_a_false_close():
    """The reference goes on after 0.4 s; a hypothesis that ends there and begins anew closed too early."""
    reference = [segment("A", 0, 2, "a b"), segment("A", 2.4, 4, "c d"), segment("B", 8, 9, "e")]
    early = [segment("x", 0, 2, "a b", 0), segment("x", 2.4, 4, "c d", 0), segment("x", 8, 9, "e", 0)]
    right = [segment("x", 0, 4, "a b c d", 0), segment("x", 8, 9, "e", 0)]
    assert turns.false_closes(reference, early) == turns.Share(1, 2)
    assert turns.false_closes(reference, right) == turns.Share(0, 2)


def test_a_back_channel_on_the_other_slot_is_no_false_close():
    """Two people's turns in one stretch of time do not count as one closed early."""
    reference = [segment("A", 0, 4, "a b c d"), segment("B", 1, 1.5, "mhm")]
    hypothesis = [segment("x", 0, 4, "a b c d", 0), segment("y", 1, 1.5, "mhm", 1)]
    assert turns.false_closes(reference, hypothesis).count == 0


def test_invented_words_are_counted_per_minute_of_nobody_speaking():
    """Three words in a minute without speech are about three a minute; words in speech are none."""
    reference = [segment("A", 0, 1, "a b")]
    hypothesis = [segment("x", 0, 1, "a q"), segment("x", 20, 21, "no such words")]
    share = turns.invented_words(reference, hypothesis, 61 * SAMPLE_RATE)
    assert share.count == 3
    assert share.total == pytest.approx(59.75 / 60)
    assert turns.invented_words(reference, hypothesis[:1], SAMPLE_RATE).value is None


def test_leakage_and_omission_count_the_references_four_grams():
    """One four-gram on both slots leaks, one on none is left out; without slots leakage is not known."""
    reference = [segment("A", 0, 4, "one two three four"), segment("B", 9, 14, "five six seven eight")]
    hypothesis = [segment("x", 0, 4, "one two three four", 0), segment("y", 0, 4, "one two three four", 1)]
    assert turns.leakage4(reference, hypothesis).value == 0.5
    assert turns.omission4(reference, hypothesis).value == 0.5
    unknown = [segment("x", 0, 4, "one two three four")]
    assert turns.leakage4(reference, unknown).value is None
    assert turns.omission4(reference, unknown).value == 0.5


def test_a_turn_cut_over_both_slots_is_a_false_close_too():
    """Whichever slot the second half is in, the first ended at a pause inside the turn."""
    reference = [segment("A", 0, 4, "a b c d")]
    halves = [segment("x", 0, 2, "a b", 0), segment("y", 2.3, 4, "c d", 1)]
    assert turns.false_closes(reference, halves) == turns.Share(1, 1)


def test_turns_are_counted_in_the_whole_recording():
    """One too many anywhere and the recording is not right."""
    reference = [segment("A", 0, 2, "a b"), segment("A", 2.3, 3, "c"), segment("B", 10, 12, "d")]
    right = [segment("x", 0, 3, "a b c", 0), segment("x", 10, 12, "d", 0)]
    assert turns.counted_right(reference, right) == turns.Share(1, 1)
    assert turns.counted_right(reference, [*right, segment("x", 14, 15, "e", 0)]) == turns.Share(0, 1)
    assert turns.counted_right([], []).value == 1.0


def test_words_beside_a_slot_are_counted_per_minute():
    """Two words in slot 1 in half a minute are four a minute; where slots are not known there are none."""
    hypothesis = [segment("x", 0, 2, "a b c", 0), segment("y", 1, 2, "d e", 1), segment("z", 3, 4, "f")]
    assert turns.beside_slot(hypothesis, 0, 30 * SAMPLE_RATE).value == 4.0


def test_slots_meet_where_their_turns_share_time():
    """Two turns of one slot, or turns that touch, do not meet."""
    first, beside = segment("x", 0, 2, "a", 0), segment("y", 1.9, 3, "b", 1)
    assert turns.slots_meet([first, beside]).value == 1.0
    assert turns.slots_meet([first, segment("y", 2, 3, "b", 1)]).value == 0.0
    assert turns.slots_meet([first, segment("x", 1, 3, "b", 0)]).value == 0.0
