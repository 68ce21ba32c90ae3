from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_worlds import random_scores

from meetscribe.lm.symbols import BLANK, END_OF_TURN, FIRST_PHONE_SYMBOL, START_OF_TURN, spell
from meetscribe.streaming.marks import LIMIT, boundary_odds, limited, waiting

WORD_END = spell(["AA"])[0]


def courses(scores: np.ndarray, label: int) -> Iterator[tuple[int, float]]:
    """Yields the last symbol and the log probability of every way to say no word, marks in their order."""
    if not len(scores):
        yield label, 0.0
        return
    following = {END_OF_TURN: START_OF_TURN, BLANK: START_OF_TURN, START_OF_TURN: None}.get(
        label, END_OF_TURN
    )
    for symbol in {BLANK, following} - {None}:
        for last, score in courses(scores[1:], label if symbol == BLANK else symbol):
            yield last, float(scores[0, label, symbol]) + score


def total(parts: list[float]) -> float:
    return float(np.logaddexp.reduce(parts)) if parts else -np.inf


@given(st.integers(0, 1000), st.integers(0, 6), st.sampled_from([BLANK, END_OF_TURN, WORD_END]))
def test_odds_are_those_of_all_ways_to_say_nothing(seed: int, frames: int, label: int) -> None:
    """The three probabilities are the sums over all courses of marks and silence, however they are ordered in time."""
    scores = random_scores(np.random.default_rng(seed), frames, marks=True)
    said = waiting(scores, label)
    ways = list(courses(scores, label))
    groups = {
        "nothing": [score for last, score in ways if last == label],
        "ended": [score for last, score in ways if last == END_OF_TURN != label],
        "begun": [score for last, score in ways if last == START_OF_TURN],
    }
    for name, parts in groups.items():
        expected = total(parts)
        found = getattr(said, name)
        assert found == pytest.approx(expected, abs=1e-4) or (expected == -np.inf and found < -1e20)
    odds = total(groups["ended"] + groups["begun"]) - total(groups["nothing"])
    assert said.end_odds == pytest.approx(limited(odds), abs=1e-3)


def test_the_longer_a_network_ends_turns_the_surer_it_is() -> None:
    """Each step in which the network would end the turn adds to the odds; where it never would they stay low."""
    scores = np.full((8, WORD_END + 80, WORD_END + 80), -12.0, np.float32)
    scores[:, :, BLANK] = np.log(0.7)
    scores[:, WORD_END, END_OF_TURN] = np.log(0.3)
    scores[:, END_OF_TURN, BLANK] = -0.001
    odds = [waiting(scores[:steps], WORD_END).end_odds for steps in range(8)]
    assert odds == sorted(odds)
    assert odds[0] == -LIMIT
    assert odds[-1] > 2
    scores[:, WORD_END, END_OF_TURN] = -12.0
    assert waiting(scores, WORD_END).end_odds < -LIMIT / 2


@given(st.integers(0, 1000), st.integers(1, 6))
def test_a_boundary_weighs_both_ways_to_the_next_word(seed: int, frames: int) -> None:
    """The odds between two symbols are those of the courses with both marks against those with none."""
    scores = random_scores(np.random.default_rng(seed), frames, marks=True)
    phones = {
        last: total([float(value) for value in scores[-1, last, FIRST_PHONE_SYMBOL:]])
        for last in (WORD_END, START_OF_TURN)
    }
    ways = list(courses(scores[:-1], WORD_END))
    new = total([score + phones[START_OF_TURN] for last, score in ways if last == START_OF_TURN])
    same = total([score + phones[WORD_END] for last, score in ways if last == WORD_END])
    expected = limited(new - same) if np.isfinite(new) else -LIMIT
    assert boundary_odds(scores, WORD_END) == pytest.approx(expected, abs=1e-3)
