import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.simulation.pitch import median_pitch
from meetscribe.training.simulation.voices import Voice, Voices


@given(st.floats(80, 380))
def test_pitch_of_pulses_is_their_rate(rate: float) -> None:
    """A second of glottal pulses has the pitch that they come at, to a few per cent."""
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    pulses = sum(np.cos(2 * np.pi * rate * n * time) / n for n in range(1, 12))
    assert median_pitch(np.asarray(pulses)) == pytest.approx(rate, rel=0.04)


def test_noise_has_no_pitch() -> None:
    """Where nothing is voiced there is no number."""
    assert np.isnan(median_pitch(np.random.default_rng(1).normal(size=SAMPLE_RATE)))


@given(st.integers(0, 10_000))
def test_people_of_different_pitch_are_chosen(seed: int) -> None:
    """Where an interval is asked for, any two of the chosen are at least that far apart, and none is unknown."""
    pitches = np.array([100.0, 110.0, 160.0, 210.0, np.nan])
    people = tuple(Voice(f"p{n}", (), np.array([SAMPLE_RATE])) for n in range(5))
    voices = Voices(people, np.array([0.2, 0.4, 0.6, 0.8, 1.1]), pitches, 1.45)
    chosen = [pitches[int(voice.speaker[1])] for voice in voices.choose(2, np.random.default_rng(seed))]
    assert 1 <= len(chosen) <= 2
    assert not np.isnan(chosen).any()
    assert len(chosen) == 1 or max(chosen) >= 1.45 * min(chosen)
