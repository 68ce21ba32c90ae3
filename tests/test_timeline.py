import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.timeline import Interval, clock, fine_clock, to_grid, to_samples, to_seconds

samples = st.integers(0, 10**10)


@given(samples)
def test_a_time_on_the_grid_survives_seconds(count):
    """Samples on whole milliseconds become seconds with three decimals and come back unchanged."""
    time = to_grid(count)
    assert to_samples(to_seconds(time)) == time


@given(samples)
def test_the_grid_is_the_nearest_millisecond(count):
    """Putting a time on the grid moves it by at most half a millisecond, and only once."""
    assert abs(to_grid(count) - count) <= 8
    assert to_grid(to_grid(count)) == to_grid(count)


@given(*[st.integers(0, 8)] * 4)
def test_intervals_touch_when_they_share_a_sample(a, b, c, d):
    """Two intervals that are not empty touch exactly when some sample lies in both."""
    first, second = Interval(min(a, b), max(a, b)), Interval(min(c, d), max(c, d))
    shared = set(range(first.start, first.end)) & set(range(second.start, second.end))
    if first.duration and second.duration:
        assert first.touches(second) == bool(shared)
    assert first.touches(second) == second.touches(first)


def test_an_interval_cannot_run_backwards():
    """An end before the start is refused."""
    with pytest.raises(ValueError, match="before it starts"):
        Interval(2, 1)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(7.9, "0:07"), (754, "12:34"), (3723, "1:02:03"), (0, "0:00")]
)
def test_clock_reads_like_a_clock(seconds, shown):
    """A meeting time is shown in minutes and seconds, with hours where there are any."""
    assert clock(to_samples(seconds)) == shown


@given(samples)
def test_the_fine_clock_is_the_clock_with_tenths(count):
    """Hours, minutes and seconds are those of the clock; the tenth is the one that has begun."""
    whole, _, tenth = fine_clock(count).partition(".")
    assert whole.lstrip("0:") == clock(count).lstrip("0:")
    assert int(tenth) == count * 10 // 16_000 % 10
