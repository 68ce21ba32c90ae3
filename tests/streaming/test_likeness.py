import pickle
from dataclasses import replace

import numpy as np

from meetscribe.streaming.likeness import NEAREST, Cohort, Likeness


def unit(voices: np.ndarray) -> np.ndarray:
    return voices / np.linalg.norm(voices, axis=-1, keepdims=True)


def slow_score(one: np.ndarray, other: np.ndarray, cohort: np.ndarray) -> float:
    """Adaptive symmetric normalisation as it is written in the paper."""
    cosine, total = float(one @ other), 0.0
    for voice in (one, other):
        nearest = sorted(voice @ each for each in cohort)[-NEAREST:]
        total += float((cosine - np.mean(nearest)) / np.std(nearest))
    return total / 2


def test_without_a_cohort_a_score_is_a_cosine_of_any_lengths() -> None:
    """How long vectors are does not matter."""
    rng = np.random.default_rng(0)
    voices, other = rng.standard_normal((4, 8)), rng.standard_normal(8)
    np.testing.assert_allclose(Likeness().scores(3 * voices, 5 * other), unit(voices) @ unit(other))


def test_scores_with_a_cohort_are_those_of_the_paper() -> None:
    """They are what its formula gives when it is written down word for word."""
    rng = np.random.default_rng(1)
    cohort, voices, other = (unit(rng.standard_normal(shape)) for shape in ((200, 12), (6, 12), 12))
    found = Likeness(cohort=Cohort(cohort)).scores(voices, 7 * other)
    np.testing.assert_allclose(found, [slow_score(voice, other, cohort) for voice in voices], atol=1e-4)


def test_a_voice_that_is_near_to_everybody_has_to_be_nearer() -> None:
    """Two pairs with one cosine: the one in a crowd (a language, a microphone) is less likely one person."""
    rng = np.random.default_rng(2)
    crowd = unit(np.eye(16)[0] + 0.3 * rng.standard_normal((100, 16)))
    far = unit(rng.standard_normal((300, 16)))
    judged = Likeness(cohort=Cohort(np.concatenate([crowd, far])))
    turned = [unit(axis + 0.5 * np.eye(16)[5]) for axis in np.eye(16)[[0, 9]]]
    common, rare = (
        judged.between(np.eye(16)[n], 3.0, one, 3.0) for n, one in zip((0, 9), turned, strict=True)
    )
    assert common < rare


def test_one_pair_and_many_say_the_same_also_in_another_process() -> None:
    """A pair by itself, the same pair among others, and after it was sent elsewhere: one number."""
    rng = np.random.default_rng(3)
    voices, other = rng.standard_normal((5, 8)), rng.standard_normal(8)
    judged = replace(Likeness(), cohort=Cohort(unit(rng.standard_normal((80, 8)))))
    each = judged.with_each(voices, [1.0, 2.0, 3.0, 4.0, 5.0], other, 2.5)
    alone = [judged.between(voice, n + 1.0, other, 2.5) for n, voice in enumerate(voices)]
    np.testing.assert_allclose(each, alone)
    sent = pickle.loads(pickle.dumps(judged))
    np.testing.assert_allclose(
        sent.with_each(voices, 1.0, other, 2.5), judged.with_each(voices, 1.0, other, 2.5)
    )
