import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.streaming.likeness import Cohort, Likeness
from meetscribe.streaming.resemblance import Resemblance, Spoken
from meetscribe.streaming.spectra import Spectra
from meetscribe.streaming.told import Told

RNG = np.random.default_rng(5)
LIKENESS = Likeness(-3.0, 2.0, 0.0, 0.5, Cohort(RNG.standard_normal((100, 8))))
ALIKE = Resemblance(LIKENESS, Spectra(RNG.standard_normal((6, 4)), np.array([4.0, 2.0, 1.0, 0.5])))


def turns(count: int, seed: int) -> list[Told]:
    rng = np.random.default_rng(seed)
    return [
        Told(rng.standard_normal(8), rng.standard_normal(6), float(seconds))
        for seconds in rng.uniform(0.5, 6, count)
    ]


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 8), st.integers(0, 1000))
def test_all_ways_of_comparing_agree(count: int, seed: int) -> None:
    """One by one, in pairs, all at once: the same log odds, of turns and of what several of them tell together."""
    told = turns(count, seed)
    seconds = np.array([one.seconds for one in told])
    speech = ALIKE.speech([one.voice for one in told], seconds, [one.spectrum for one in told])
    middle = np.average([one.spectrum for one in told], axis=0, weights=seconds)
    ready = ALIKE.ready(speech)
    whole = ALIKE.of_all(ready, ready)
    spoken = [Spoken.of(one) for one in told]
    assert ALIKE.between(spoken[0], spoken[1], middle) == pytest.approx(whole[0, 1])
    reverse = np.arange(count)[::-1]
    np.testing.assert_allclose(ALIKE.of_pairs(ready, ready.take(reverse)), whole[np.arange(count), reverse])
    everybody = ALIKE.ready(speech.together(np.ones((count, 1), bool)))
    total = spoken[0].scaled(0.0)
    for one in spoken:
        total = total.and_(one)
    assert ALIKE.of_all(ready, everybody)[0, 0] == pytest.approx(ALIKE.between(spoken[0], total, middle))
    rest = speech.together(np.ones((count, 1), bool)).without(speech.take([0]))
    alone = ALIKE.between(spoken[0], total.and_(spoken[0], -1.0), middle)
    assert ALIKE.of_pairs(ready.take(np.array([0])), ALIKE.ready(rest))[0] == pytest.approx(alone)


def test_without_places_voices_count_alone() -> None:
    """A model that tells no places judges by voices as they are; a turn of which no spectrum is known, too."""
    one, other = map(Spoken.of, turns(2, 1))
    by_voice = LIKENESS.between(one.voice, one.seconds, other.voice, other.seconds)
    assert ALIKE.by_voice().between(one, other, 0.0) == by_voice
    unknown = Spoken.of(Told(turns(1, 2)[0].voice, np.zeros(0), 2.0))
    assert unknown.weight == 0.0
    expected = ALIKE.voice * LIKENESS.between(one.voice, one.seconds, unknown.voice, unknown.seconds)
    assert ALIKE.between(one, unknown, 0.0) == pytest.approx(expected)
    speech = ALIKE.speech([one.voice, unknown.voice], [one.seconds, 2.0], [one.spectrum, np.zeros(0)])
    assert speech.weights.tolist() == [one.weight, 0.0]


def test_who_sounds_from_elsewhere_is_another() -> None:
    """Of two with the same voice, one from the same place is likelier the same person than one from another."""
    voice = RNG.standard_normal(8)
    here, near, far = (Spoken.of(Told(voice, np.full(6, place), 3.0)) for place in (1.0, 1.1, -1.0))
    assert ALIKE.between(here, near, 0.0) > ALIKE.between(here, far, 0.0)
