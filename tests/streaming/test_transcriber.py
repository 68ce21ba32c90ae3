import functools
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.engine.batches import InProcessEngine
from meetscribe.events import Event, Final, Partial
from meetscribe.streaming.final_pass import FinalPassSettings
from meetscribe.streaming.transcriber import Transcriber, TranscriberSettings
from meetscribe.testing import tiny_model, tiny_settings

from . import hearing


@functools.cache
def engine() -> InProcessEngine:
    return InProcessEngine(tiny_model().network)


@functools.cache
def bursts(seed: int = 1, seconds: int = 20) -> np.ndarray:
    """Noise that comes and goes, so that the tiny model hears turns and pauses."""
    rng = np.random.default_rng(seed)
    loudness = np.repeat(rng.choice([0.0, 0.0003, 0.3], seconds * 2), 8_000)
    return (loudness * rng.normal(0.0, 1.0, len(loudness))).astype(np.float32)


def transcriber(final_pass: FinalPassSettings | None = None) -> Transcriber:
    model = tiny_model()
    chosen = tiny_settings() if final_pass is None else TranscriberSettings(4, 2, final_pass=final_pass)
    return Transcriber(model.search, model.final_search, chosen)


def events_of(audio: np.ndarray, cuts: list[int], final_pass: FinalPassSettings | None = None) -> list[Event]:
    return hearing.events_of(transcriber(final_pass), engine(), np.split(audio, cuts))


@functools.cache
def expected() -> list[Event]:
    return events_of(bursts(), [])


def test_there_are_turns() -> None:
    """The tiny model hears several turns in the noise: the other tests here look at something."""
    finals = [event for event in expected() if isinstance(event, Final)]
    assert len(finals) > 2
    assert any(isinstance(event, Partial) for event in expected())


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, 320_000), max_size=12))
def test_any_chunking_gives_the_same_events(cuts: list[int]) -> None:
    """However the audio is cut on its way in, the events are the same."""
    assert events_of(bursts(), sorted(cuts)) == expected()


@pytest.mark.parametrize("end", [133_333, 240_000])
def test_cutting_the_input_keeps_earlier_finals(end: int) -> None:
    """Without what comes after T, every final that was there by then is as it was."""
    early = [e for e in expected() if isinstance(e, Final) and e.at < end - 2_560]
    assert early
    cut = [e for e in events_of(bursts()[:end], []) if isinstance(e, Final)]
    assert cut[: len(early)] == early


def test_times_are_monotone_in_a_turn() -> None:
    """Words of a turn follow one another, inside the turn, and turns of the slot follow one another."""
    finals = [event.turn for event in expected() if isinstance(event, Final)]
    for turn in finals:
        times = [time for word in turn.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert (turn.start, turn.end) == (times[0], times[-1])
    assert {turn.slot for turn in finals} == {0, 1}
    for slot in (0, 1):
        own = [turn for turn in finals if turn.slot == slot]
        assert all(a.end <= b.start + 16_000 for a, b in pairwise(own))


def test_stable_words_stay() -> None:
    """The first `stable` words of a partial are in every later revision and in the final."""
    often = FinalPassSettings(lead=2, tail=4, context=4, interval=20, margin=4)
    stable: dict[tuple[int, str], tuple[str, ...]] = {}
    seen = 0
    runs = {number: events_of(bursts(number), [], often) for number in range(4)}
    for seed, event in ((number, event) for number, events in runs.items() for event in events):
        if isinstance(event, Partial | Final):
            words = tuple(word.word for word in event.turn.words)
            before = stable.get((seed, event.turn.id), ())
            assert words[: len(before)] == before
            if isinstance(event, Partial):
                stable[seed, event.turn.id] = words[: event.stable]
                seen = max(seen, event.stable)
    assert seen > 0
