from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.streaming.leak import Heard, LeakSettings, activity_between, own_words
from meetscribe.streaming.recent import Recent
from meetscribe.streaming.search import FRAME_SAMPLES, FoundWord

SETTINGS = LeakSettings(quiet=0.25, sure=0.95, apart=6, pause=8)
STEPS = 200


def active(level: float) -> Recent:
    activity = Recent()
    activity.append(np.full(STEPS, level, np.float32))
    return activity


def word(number: int, step: int, confidence: float = 0.5) -> FoundWord:
    start = step * FRAME_SAMPLES
    return FoundWord(number, str(number), start, start + 4 * FRAME_SAMPLES, confidence)


def heard(level: float, *words: FoundWord) -> Heard:
    return Heard(words, active(level))


def test_a_word_in_a_quiet_slot_is_dropped() -> None:
    """Only the slot's own activity while the word lasts decides, not what it was before or after."""
    activity = Recent()
    activity.append(np.repeat([0.9, 0.1, 0.9], [20, 20, 160]).astype(np.float32))
    words = (word(1, 5), word(2, 25), word(3, 50))
    own = own_words(Heard(words, activity), heard(0.0), SETTINGS)
    assert [found.word for found in own] == [1, 3]


def test_of_two_same_words_the_stronger_stays() -> None:
    """The same word at the same time in both slots stays where activity and confidence are greater."""
    strong, weak = heard(0.8, word(1, 10)), heard(0.5, word(1, 12))
    assert own_words(weak, strong, SETTINGS) == ()
    assert own_words(strong, weak, SETTINGS) == strong.words
    surer, less_sure = heard(0.6, word(1, 10, 0.9)), heard(0.6, word(1, 12, 0.2))
    assert own_words(less_sure, surer, SETTINGS) == ()
    assert own_words(surer, less_sure, SETTINGS) == surer.words


def test_the_same_word_at_another_time_is_nobodys_leak() -> None:
    """People repeat one another: the same word well before or after stays, another one at once too."""
    strong = heard(0.9, word(1, 10))
    for own in (word(1, 10 + SETTINGS.apart + 1), word(2, 10)):
        assert own_words(heard(0.5, own), strong, SETTINGS) == (own,)


def test_a_slot_that_is_sure_keeps_its_words() -> None:
    """Two people may say the same at once: where the slot is certain that its talker speaks nothing is dropped."""
    own = heard(0.96, word(1, 10))
    assert own_words(own, heard(0.99, word(1, 10)), SETTINGS) == own.words


def test_a_run_of_leaks_goes_as_a_whole() -> None:
    """A word that was misheard goes with the leaks around it, one after a pause does not."""
    strong = heard(0.9, *(word(number, 10 + 5 * number) for number in range(4)))
    misheard = [word(0, 10), word(1, 15), word(9, 20), word(3, 25), word(8, 60)]
    assert [found.word for found in own_words(heard(0.5, *misheard), strong, SETTINGS)] == [8]
    as_active = heard(0.85, *misheard)
    assert [found.word for found in own_words(as_active, strong, SETTINGS)] == [9, 8]


spoken = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 12), st.floats(0, 1)), max_size=8)


def said(rows: Sequence[tuple[int, int, float]]) -> list[FoundWord]:
    words, step = [], 0
    for number, gap, confidence in rows:
        step += gap + 4
        words.append(word(number, step, confidence))
    return words


@given(spoken, spoken, st.floats(0, 1), st.floats(0, 1))
def test_what_is_said_once_is_never_lost(
    first: list[tuple[int, int, float]], second: list[tuple[int, int, float]], one: float, other: float
) -> None:
    """Words stay in order, nothing is added, and of two slots with the same claim both cannot lose a word."""
    settings = replace(SETTINGS, quiet=0.0, run_margin=2.0)
    a, b = heard(one, *said(first)), heard(other, *said(second))
    kept = own_words(a, b, settings), own_words(b, a, settings)
    for own, before in zip(kept, (a, b), strict=True):
        assert [found for found in before.words if found in own] == list(own)
    for lost in set(a.words) - set(kept[0]):
        assert any(found.word == lost.word for found in b.words)
    best = max(
        [*a.words, *b.words], key=lambda w: (one if w in a.words else other) + w.confidence, default=None
    )
    if best is not None and one == other:
        assert best in kept[0] or best in kept[1]


def test_activity_of_what_is_forgotten_is_that_of_what_is_known() -> None:
    """Steps that are forgotten, or not heard yet, do not count."""
    activity = Recent()
    activity.append(np.repeat([0.0, 1.0], 50).astype(np.float32))
    activity.forget(60)
    assert activity.first == 60
    assert activity_between(activity, 0, 70 * FRAME_SAMPLES) == 1.0
    assert activity_between(activity, 0, 40 * FRAME_SAMPLES) == 1.0
    assert activity_between(activity, 98 * FRAME_SAMPLES, 300 * FRAME_SAMPLES) == 1.0
