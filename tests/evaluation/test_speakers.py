from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.evaluation.speakers import ShownTurn, SpeakerFigures, speaker_figures

turns = st.lists(
    st.builds(
        ShownTurn,
        st.integers(1, 9).map(float),
        st.sampled_from("ABC"),
        st.sampled_from(["s1", "s2", "s3", None]),
    ),
    min_size=1,
    max_size=10,
)


@settings(max_examples=60)
@given(turns)
def test_the_assignment_is_the_best_of_all(drawn: list[ShownTurn]) -> None:
    """No way to let shown speakers stand for true ones leaves less speech confused."""
    shown: list[str] = ["s1", "s2", "s3"]
    mappings = [dict(zip(shown, order, strict=True)) for order in permutations("ABC")]
    best = max(
        sum(
            turn.amount
            for turn in drawn
            if turn.shown is not None and mapping.get(turn.shown) == turn.speaker
        )
        for mapping in mappings
    )
    figures = speaker_figures(drawn)
    assert figures.amount - figures.unknown - figures.confused == pytest.approx(best)


def test_people_are_missed_and_invented() -> None:
    """Two people shown as one leave one missed, and one shown as two makes one false."""
    merged = speaker_figures([ShownTurn(3, "A", "s1"), ShownTurn(2, "B", "s1")])
    assert (merged.missed, merged.false, merged.confused) == (1, 0, 2)
    split = speaker_figures([ShownTurn(3, "A", "s1"), ShownTurn(2, "A", "s2"), ShownTurn(1, "B", None)])
    assert (split.missed, split.false, split.confused, split.unknown) == (1, 1, 2, 1)


def test_counts_add_up() -> None:
    """Pooled shares are those of all speech."""
    pooled = SpeakerFigures(10, 1, 0, 2) + SpeakerFigures(30, 1, 4, 3)
    assert (pooled.confusion, pooled.unknown_share, pooled.people) == (0.05, 0.1, 5)
    assert SpeakerFigures().confusion == 0.0
