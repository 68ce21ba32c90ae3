import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.streaming.likeness import Cohort, Likeness
from meetscribe.streaming.merging import merge
from meetscribe.streaming.resemblance import Resemblance, Speech
from meetscribe.streaming.spectra import Spectra

RNG = np.random.default_rng(3)
LIKENESS = Likeness(-3.0, 2.0, 0.0, 0.5, Cohort(RNG.standard_normal((100, 8))))
ALIKE = Resemblance(LIKENESS, Spectra(RNG.standard_normal((6, 4)), np.array([4.0, 2.0, 1.0, 0.5])))


def log_odds(one: Speech, other: Speech) -> float:
    return float(ALIKE.of_all(ALIKE.ready(one), ALIKE.ready(other))[0, 0])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(0, 1000))
def test_each_merge_joins_the_likest_two_that_may_be_one(count: int, seed: int) -> None:
    """From one turn each, two groups become one at a time: the likest by their sums, none that talked at once."""
    rng = np.random.default_rng(seed)
    speech = ALIKE.speech(
        rng.standard_normal((count, 8)), rng.uniform(1, 5, count), list(rng.standard_normal((count, 6)))
    )
    apart = np.triu(rng.random((count, count)) < 0.1, 1)
    apart |= apart.T
    steps = list(merge(speech, apart, ALIKE))
    assert sorted(map(tuple, steps[0])) == [(number,) for number in range(count)]
    for before, after in itertools.pairwise(steps):
        (joined,) = [group for group in after if group not in before]
        parts = [group for group in before if group not in after]
        assert len(parts) == 2
        assert sorted(joined) == sorted(parts[0] + parts[1])
        odds = {
            (a, b): log_odds(
                *(speech.take(group).together(np.ones((len(group), 1), bool)) for group in (one, other))
            )
            for a, one in enumerate(before)
            for b, other in enumerate(before[:a])
            if not apart[np.ix_(one, other)].any()
        }
        first, second = sorted(before.index(part) for part in parts)
        assert np.isclose(odds[second, first], max(odds.values()))
    last = steps[-1]
    assert all(apart[np.ix_(one, other)].any() for a, one in enumerate(last) for other in last[:a]), (
        "what may be one is one at last"
    )
