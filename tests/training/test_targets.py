from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.lm.symbols import END_OF_TURN, FIRST_PHONE_SYMBOL, START_OF_TURN
from meetscribe.training.corpus import AlignedWord
from meetscribe.training.targets import END_DELAY, LONGEST_PAUSE, STEP, make_targets, turns_of


def words(*spans: tuple[int, int]) -> list[AlignedWord]:
    """Return words of two phones each, at these samples."""
    symbols = (FIRST_PHONE_SYMBOL, FIRST_PHONE_SYMBOL + 1)
    return [AlignedWord("w", start, symbols, ((start + end) // 2, end)) for start, end in spans]


@st.composite
def speech(draw: st.DrawFn) -> list[AlignedWord]:
    """Draw one speaker's words with pauses of all lengths."""
    spans, time = [], draw(st.integers(0, 20_000))
    for _ in range(draw(st.integers(1, 8))):
        end = time + draw(st.integers(1_600, 9_000))
        spans.append((time, end))
        time = end + draw(st.sampled_from([0, 100, 4_000, 8_000, 8_001, 9_000, 20_000]))
    return words(*spans)


@given(speech())
def test_turns_are_cut_at_long_pauses_only(spoken: list[AlignedWord]) -> None:
    """No pause of more than half a second is inside a turn, and all between turns are."""
    turns = turns_of(spoken)
    assert [word for turn in turns for word in turn] == spoken
    for turn in turns:
        assert all(b.start - a.end <= LONGEST_PAUSE for a, b in pairwise(turn))
    for first, second in pairwise(turns):
        assert second[0].start - first[-1].end > LONGEST_PAUSE


@given(speech(), st.integers(0, 30))
def test_turns_are_enclosed_in_their_symbols(spoken: list[AlignedWord], tail: int) -> None:
    """Each turn is `<sot>` phones `<eot>`, one symbol a step; the last `<eot>` comes only where it is heard."""
    turns = turns_of(spoken)
    steps = spoken[-1].end // STEP + 1 + tail
    targets = make_targets(turns, 0, steps, 1.0)
    assert targets is not None
    expected = [
        label for t in turns for label in (START_OF_TURN, *(s for w in t for s in w.symbols), END_OF_TURN)
    ]
    if tail < END_DELAY - 1:
        assert targets.labels.tolist() == expected[:-1]
    if tail > END_DELAY + 1:
        assert targets.labels.tolist() == expected
    assert (np.diff(targets.emission) > 0).all()
    assert targets.emission[0] >= 0
    assert targets.emission[-1] < steps


@given(speech())
def test_turns_start_and_end_where_they_are_heard(spoken: list[AlignedWord]) -> None:
    """`<sot>` comes as the first phone begins, `<eot>` a known time after the last one ends."""
    targets = make_targets([spoken], 0, spoken[-1].end // STEP + 20, 1.0)
    assert targets is not None
    assert targets.emission[0] == spoken[0].start // STEP
    assert targets.ends[-1] == (spoken[-1].end - 1) // STEP
    assert 0 <= targets.emission[-1] - targets.ends[-1] - END_DELAY <= 1


def test_an_end_makes_room_for_the_next_start() -> None:
    """Where the next turn of a slot follows at once, `<eot>` still comes before its `<sot>`."""
    first, second = words((0, 6_400)), words((7_040, 14_000))
    targets = make_targets([first, second], 0, 60, 1.0)
    assert targets is not None
    assert targets.labels.tolist()[3:5] == [END_OF_TURN, START_OF_TURN]
    assert targets.emission[3] < targets.emission[4] <= 7_040 // STEP + 2


def test_times_are_scaled_with_the_speed() -> None:
    """Played at twice the speed, a piece has the targets of one that was spoken in half the time."""
    fast = make_targets([words((12_800, 25_600), (25_600, 38_400))], 6_400, 60, 0.5)
    spoken = make_targets([words((3_200, 9_600), (9_600, 16_000))], 0, 60, 1.0)
    assert fast is not None
    assert spoken is not None
    assert fast.emission.tolist() == spoken.emission.tolist()
    assert fast.classes.tolist() == spoken.classes.tolist()
