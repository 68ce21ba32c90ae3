import numpy as np
import pytest

from meetscribe.sources.timebase import Timebase


def run(timebase, seconds, late, start=0.0, jitter=None):
    """Let sound come every 50 ms; return all that was found missing."""
    times = np.arange(start, start + seconds, 0.05)
    noise = np.zeros(len(times)) if jitter is None else jitter.exponential(0.02, len(times))
    return sum(timebase.observe(late(at) + extra, at) for at, extra in zip(times, noise, strict=True))


def test_jitter_is_no_drift():
    """Sound that comes irregularly late, but never earlier, is stretched by less than 50 millionths."""
    timebase = Timebase()
    assert run(timebase, 60, lambda at: 0.1, jitter=np.random.default_rng(1)) == 0
    assert abs(timebase.stretch) < 50e-6


@pytest.mark.parametrize("ppm", [-200, 100])
def test_a_clock_that_is_off_is_met(ppm):
    """With the stretch applied, a device whose clock is off by some millionths stays within 15 ms of ours."""
    timebase, given, at = Timebase(), 0.0, 0.0
    while at < 1_800:
        at += 0.05
        given += 0.05 * (1 - ppm * 1e-6) * (1 + timebase.stretch)
        timebase.observe(at - given, at)
    assert abs(at - given) < 0.015


def test_sound_that_never_came_is_missing():
    """When sound suddenly comes later by more than half a second, and stays late, that much is missing, once."""
    timebase = Timebase()
    assert run(timebase, 20, lambda at: 0.05) == 0
    missing, late = 0.0, 3.05
    for at in np.arange(20, 60, 0.05):
        found = timebase.observe(late, at)
        missing += found
        late -= found
    assert missing == pytest.approx(3.0)


def test_a_slow_drift_is_nothing_missing():
    """A clock that loses a second in three hours misses nothing."""
    assert run(Timebase(), 600, lambda at: 0.05 + at * 1e-4) == 0


def test_a_program_held_up_misses_nothing():
    """Sound that waits for three seconds and then comes all at once is complete."""
    timebase = Timebase()
    run(timebase, 20, lambda at: 0.05)
    assert run(timebase, 3, lambda at: max(0.05, 23 - at), start=20) == 0
    assert run(timebase, 20, lambda at: 0.05, start=23) == 0
