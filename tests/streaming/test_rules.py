from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.streaming.rules import (
    LONGEST,
    MOST,
    ClosingRule,
    Gap,
    Silence,
    SplitRule,
    voices_differ,
)

CLOSING = ClosingRule(bias=-3.0, silence=0.1, agreed=0.05, still=0.2, ended=0.5)
SPLITTING = SplitRule(bias=-4.0, length=0.2, still=0.1, marks=0.4, voice=0.5)
steps, odds = st.integers(0, 60), st.floats(-6, 6)


@given(steps, steps, steps, odds, st.sampled_from(["silence", "agreed", "still", "ended"]))
def test_more_silence_never_speaks_against_an_end(
    silence: int, agreed: int, still: int, ended: float, kind: str
) -> None:
    """Any evidence more makes an end likelier, or changes nothing where it is long enough already."""
    seen = Silence(silence, agreed, still, ended)
    more = replace(seen, **{kind: getattr(seen, kind) + 1})
    assert CLOSING.odds(more) >= CLOSING.odds(seen)
    if kind != "ended" and getattr(seen, kind) >= LONGEST:
        assert CLOSING.odds(more) == CLOSING.odds(seen)


def test_odds_are_a_weighted_sum() -> None:
    """Bias and each kind of evidence times its weight, for ends and for gaps."""
    assert CLOSING.odds(Silence(10, 4, 5, 2.0)) == pytest.approx(-3.0 + 1.0 + 0.2 + 1.0 + 1.0)
    assert SPLITTING.odds(Gap(5, 3, -2.0, 4.0)) == pytest.approx(-4.0 + 1.0 + 0.3 - 0.8 + 2.0)


def stretch(rng: np.random.Generator, person: np.ndarray, length: int) -> tuple[np.ndarray, float]:
    """Returns the mean voice of so many steps of a person."""
    slow = rng.normal(0.0, np.sqrt(0.3), len(person))
    fast = rng.normal(0.0, np.sqrt(0.7 * 25 / length), len(person))
    return (person + slow + fast).astype(np.float32), float(length)


def test_voices_of_two_people_are_told_apart_and_better_when_heard_longer() -> None:
    """Of people drawn as the rule expects nearly all pairs are right after a second, fewer after a third of it."""
    rng, spread = np.random.default_rng(1), (9.0, 7.0, 6.0, 5.0, 4.0)
    right = {}
    for length in (8, 25, 75):
        hits = 0
        for _ in range(400):
            one, other = (rng.normal(0.0, np.sqrt(spread)) for _ in range(2))
            same = voices_differ(stretch(rng, one, 75), stretch(rng, one, length), spread)
            two = voices_differ(stretch(rng, one, 75), stretch(rng, other, length), spread)
            hits += (same < 0) + (two > 0)
        right[length] = hits / 800
    assert right[8] < right[25] < right[75]
    assert right[75] > 0.9


@given(st.integers(0, 1000))
def test_the_order_of_two_voices_does_not_matter(seed: int) -> None:
    """The ratio is the same whoever comes first, and stays within its bounds."""
    rng = np.random.default_rng(seed)
    first, second = (stretch(rng, rng.normal(0.0, 5.0, 4), int(rng.integers(1, 80))) for _ in range(2))
    spread = (9.0, 3.0, 1.0, 0.5)
    found = voices_differ(first, second, spread)
    assert found == pytest.approx(voices_differ(second, first, spread))
    assert abs(found) <= MOST


def test_too_little_speech_says_nothing() -> None:
    """Without a step of speech on both sides, or where no model tells voices apart, the ratio is even."""
    voice = np.ones(2, np.float32), 30.0
    assert voices_differ(voice, (np.zeros(2, np.float32), 0.4), (9.0, 9.0)) == 0.0
    assert voices_differ(voice, voice, ()) == 0.0
