import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.streaming.spectra import LONG, Spectra, weight_of

SPREAD = np.array([9.0, 2.0, 0.5])
SPECTRA = Spectra(np.eye(4)[:, :3], SPREAD)


def normal(values: np.ndarray, weights: np.ndarray, spread: float) -> float:
    """Return the log probability of one number of several turns of a person, all at once."""
    covariance = np.full((len(values), len(values)), spread) + np.diag(1 / weights)
    distance = values @ np.linalg.solve(covariance, values)
    return -0.5 * float(distance + np.linalg.slogdet(2 * np.pi * covariance)[1])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_odds_are_the_ratio_of_probabilities(seed: int) -> None:
    """Of two places being one person's, over being two people's, however much is known of each."""
    rng = np.random.default_rng(seed)
    places, weights = rng.standard_normal((2, 3)) * 3, rng.uniform(0.1, 2, 2)
    expected = sum(
        normal(places[:, k], weights, spread)
        - normal(places[:1, k], weights[:1], spread)
        - normal(places[1:, k], weights[1:], spread)
        for k, spread in enumerate(SPREAD)
    )
    found = SPECTRA.odds(places[0], weights[0], places[1], weights[1])
    assert found == pytest.approx(expected)
    assert SPECTRA.odds(places[1], weights[1], places[0], weights[0]) == pytest.approx(found)


@pytest.mark.parametrize("seed", range(4))
def test_evidence_is_the_probability_of_the_places(seed: int) -> None:
    """What other talkers would change is what the normal distributions of everybody's turns say."""
    rng = np.random.default_rng(seed)
    places, weights = rng.standard_normal((12, 3)) * 2, rng.uniform(0.2, 2, 12)

    def slow(labels: np.ndarray) -> float:
        return sum(
            normal(places[labels == person, k], weights[labels == person], spread)
            for person in np.unique(labels)
            for k, spread in enumerate(SPREAD)
        )

    one, other = np.arange(12) % 3, np.arange(12) // 4 % 2
    found = SPECTRA.evidence(places, weights, one) - SPECTRA.evidence(places, weights, other)
    assert found == pytest.approx(slow(one) - slow(other))


def test_a_place_is_what_differs_from_the_recording() -> None:
    """What everybody's spectra have in common says nothing of anybody."""
    spectra, middle = np.arange(8.0).reshape(2, 4), np.array([1.0, 0.0, 2.0, 5.0])
    np.testing.assert_allclose(SPECTRA.places(spectra, middle), SPECTRA.places(spectra + 3, middle + 3))


def test_a_long_turn_does_not_tell_everything() -> None:
    """More speech tells more, and a turn never more than a certain amount."""
    weights = weight_of([0.5, 1.0, 5.0, 500.0])
    assert (np.diff(weights) > 0).all()
    assert weights[-1] < LONG
