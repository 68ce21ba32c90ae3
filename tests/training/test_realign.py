import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.lm.symbols import spell
from meetscribe.training.corpus import AlignedWord
from meetscribe.training.realign import align, best_path


def slow_best(scores: np.ndarray, optional: np.ndarray) -> float:
    """Score every way to walk through the states, one by one."""
    steps, states = scores.shape
    best = -np.inf
    for path in itertools.combinations_with_replacement(range(states), steps):
        left_out = set(range(states)) - set(path)
        if all(optional[s] for s in left_out):
            best = max(best, sum(float(scores[t, s]) for t, s in enumerate(path)))
    return best


@settings(max_examples=60, deadline=None)
@given(steps=st.integers(1, 6), phones=st.integers(1, 3), seed=st.integers(0, 99))
def test_best_path_is_the_best_of_all(steps: int, phones: int, seed: int) -> None:
    """The path scores what the best of all enumerated paths scores, and leaves out only what is optional."""
    optional = np.array([s % 2 == 0 for s in range(2 * phones + 1)])
    scores = np.random.default_rng(seed).normal(size=(steps, len(optional))).astype(np.float32)
    path = best_path(scores, optional)
    wanted = slow_best(scores, optional)
    if len(path) == 0:
        assert wanted == -np.inf
    else:
        assert abs(float(scores[np.arange(steps), path].sum()) - wanted) < 1e-4
        assert all(optional[s] for s in set(range(len(optional))) - set(path.tolist()))


def test_words_are_found_where_their_phones_are_likely() -> None:
    """A word's times follow the classifier, with the silence around it left out."""
    symbols = spell(["T", "UW"])
    word = AlignedWord("two", 0, symbols, (640, 1280))
    scores = np.full((8, 79), -9.0, np.float32)
    for step, symbol in (
        (0, 2),
        (1, 2),
        (2, symbols[0]),
        (3, symbols[0]),
        (4, symbols[1]),
        (5, 2),
        (6, 2),
        (7, 2),
    ):
        scores[step, symbol - 2] = 0.0
    found = align([word], scores)
    assert found == (AlignedWord("two", 2 * 640, symbols, (4 * 640, 5 * 640)),)
