from hypothesis import given
from hypothesis import strategies as st

from meetscribe.evaluation.matching import best_match
from meetscribe.timeline import to_samples

from .builders import segment

TIMES = st.tuples(st.integers(0, 20), st.integers(1, 8))


def test_a_short_turn_inside_a_long_one_is_itself():
    """A back-channel that was heard belongs to the back-channel, though the long turn has all of its time too."""
    reference = [segment("A", 0, 10, "a b c"), segment("B", 5, 5.6, "mhm")]
    assert best_match(reference, to_samples(5.1), to_samples(5.5)) == 1
    assert best_match(reference, to_samples(0.2), to_samples(9.8)) == 0
    assert best_match(reference, to_samples(11), to_samples(12)) is None


@given(st.lists(TIMES, max_size=4), TIMES)
def test_the_match_shares_most_of_the_time_of_both(rows, interval):
    """It has the greatest count of common tenths over tenths that either has."""
    reference = [segment("A", start / 10, (start + length) / 10, "w") for start, length in rows]
    wanted = set(range(interval[0], sum(interval)))
    shares = []
    for start, length in rows:
        ticks = set(range(start, start + length))
        shares.append(len(ticks & wanted) / len(ticks | wanted))
    found = best_match(reference, to_samples(interval[0] / 10), to_samples(sum(interval) / 10))
    assert (found is None) == (max(shares, default=0) == 0)
    assert found is None or shares[found] == max(shares)
