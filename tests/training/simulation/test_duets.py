import numpy as np
import pytest

from meetscribe.training.corpus import Corpus
from meetscribe.training.mixtures import collate_mixtures
from meetscribe.training.simulation.duets import SimulatedDuets


@pytest.fixture
def duets(corpus: Corpus) -> SimulatedDuets:
    return SimulatedDuets([corpus], 32_000, seed=1)


def test_the_same_number_gives_the_same(duets: SimulatedDuets) -> None:
    """A mixture is a function of seed and number."""
    assert np.array_equal(duets[3].audio, duets[3].audio)
    assert not np.array_equal(duets[3].audio, duets[4].audio)


def test_two_people_talk_all_the_time(duets: SimulatedDuets) -> None:
    """Two different people fill the whole mixture, one in each slot, and add up to what is heard."""
    mixture = duets[0]
    assert len({turn.speaker for turn in mixture.turns}) == 2
    assert mixture.sources.shape == (2, 32_000)
    rest = mixture.audio - mixture.sources.sum(0)
    assert np.abs(rest).max() < 0.01
    assert collate_mixtures([mixture]).talking.all()


def test_neither_drowns_the_other(duets: SimulatedDuets) -> None:
    """The louder of both is at most 8 dB louder."""
    for number in range(5):
        power = np.square(duets[number].sources).mean(1)
        assert abs(10 * np.log10(power[0] / power[1])) < 8.0
