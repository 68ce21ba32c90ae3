import numpy as np
import pytest

from meetscribe.streaming.evidence import EvidenceSettings, evidence

SIZE = 5
SETTINGS = EvidenceSettings(dimensions=SIZE)


def drawn(people: int, turns: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return voices, seconds and talkers of turns, as `evidence` believes that they come about."""
    rng = np.random.default_rng(seed)
    who = np.arange(turns) % people
    seconds = rng.uniform(0.5, 8.0, turns)
    own = SETTINGS.share * seconds / (seconds + SETTINGS.half)
    talkers = rng.standard_normal((people, SIZE)) * np.sqrt(SETTINGS.spread / SIZE)
    noise = rng.standard_normal((turns, SIZE)) * np.sqrt((1 - own) / own / SIZE)[:, None]
    return (talkers[who] + noise) * np.sqrt(own)[:, None], seconds, who


def slow(voices: np.ndarray, seconds: np.ndarray, labels: np.ndarray) -> float:
    """Return the log probability of voices and talkers: a normal distribution over all turns of a talker."""
    own = SETTINGS.share * seconds / (seconds + SETTINGS.half)
    heard, noise = voices / np.sqrt(own)[:, None], (1 - own) / own / SIZE
    total = 0.0
    for person in np.unique(labels):
        turns = np.flatnonzero(labels == person)
        covariance = np.diag(noise[turns]) + SETTINGS.spread / SIZE
        for dimension in heard[turns].T:
            total -= 0.5 * (
                dimension @ np.linalg.solve(covariance, dimension) + np.linalg.slogdet(covariance)[1]
            )
        total += len(turns) * np.log(len(turns) / len(labels))
    return total


@pytest.mark.parametrize("seed", range(4))
def test_evidence_is_the_probability_of_the_voices(seed: int) -> None:
    """What other talkers would change is what the normal distribution over whole groups of turns says."""
    voices, seconds, who = drawn(3, 20, seed)
    others = np.random.default_rng(seed).integers(0, 4, 20)
    others[:4] = range(4)
    assert evidence(voices, seconds, who, SETTINGS) - evidence(
        voices, seconds, others, SETTINGS
    ) == pytest.approx(slow(voices, seconds, who) - slow(voices, seconds, others))


@pytest.mark.parametrize("people", [1, 2, 5])
def test_the_right_number_of_people_explains_voices_best(people: int) -> None:
    """One person more, who has half of somebody's turns, and one less, who has two people's, explain them worse."""
    voices, seconds, who = drawn(people, 20 * people, 7)
    right = evidence(voices, seconds, who, SETTINGS)
    split = np.where((who == 0) & (np.arange(len(who)) % (2 * people) == 0), people, who)
    assert evidence(voices, seconds, split, SETTINGS) < right
    if people > 1:
        assert evidence(voices, seconds, np.maximum(who - 1, 0), SETTINGS) < right
