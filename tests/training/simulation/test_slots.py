import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.training.simulation.slots import assign_slots


def painted_slots(spans: list[tuple[int, int]]) -> list[int]:
    """The rule told sample by sample: who talks now, else who talked in the last sample in which anybody did."""
    slots: list[int] = []
    for number, (start, _) in enumerate(spans):
        earlier = list(zip(spans[:number], slots, strict=True))
        now = [slot for (a, b), slot in earlier if a <= start < b]
        if now:
            slots.append(1 - now[0])
            continue
        slot = 0
        for sample in range(start - 1, -1, -1):
            spoke = [(a, slot) for (a, b), slot in earlier if a <= sample < b]
            if spoke:
                slot = max(spoke)[1]
                break
        slots.append(slot)
    return slots


@st.composite
def spans_of_at_most_two(draw: st.DrawFn) -> list[tuple[int, int]]:
    drawn = draw(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=12))
    kept: list[tuple[int, int]] = []
    for start, length in sorted(drawn):
        if sum(end > start for _, end in kept) < 2:
            kept.append((start, start + length))
    return kept


@given(spans_of_at_most_two())
def test_slots_equal_those_of_the_rule_told_sample_by_sample(spans: list[tuple[int, int]]):
    """A turn takes the slot of whoever spoke last, and the other one while somebody is talking."""
    assert assign_slots(spans) == painted_slots(spans)


@given(spans_of_at_most_two())
def test_turns_that_overlap_are_in_different_slots(spans: list[tuple[int, int]]):
    """Two who talk at once never share a slot."""
    slots = assign_slots(spans)
    for i, (start, end) in enumerate(spans):
        for j in range(i):
            if spans[j][0] < end and start < spans[j][1]:
                assert slots[i] != slots[j]


def test_one_after_another_stays_in_the_first_slot():
    """Only overlap switches the slot."""
    assert assign_slots([(0, 10), (10, 20), (25, 30)]) == [0, 0, 0]


def test_whoever_spoke_last_keeps_the_slot():
    """After a back-channel the holder's slot goes on; after a change of the floor the new one's does."""
    assert assign_slots([(0, 100), (20, 30), (120, 150)]) == [0, 1, 0]
    assert assign_slots([(0, 100), (90, 150), (160, 170)]) == [0, 1, 1]


def test_three_at_once_are_refused():
    """Two slots cannot hold three people."""
    with pytest.raises(ValueError, match="three people"):
        assign_slots([(0, 10), (2, 10), (4, 10)])


def test_turns_out_of_order_are_refused():
    """The rule is about the order of starts."""
    with pytest.raises(ValueError, match="sorted"):
        assign_slots([(5, 10), (2, 4)])
