import functools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.engine.batches import InProcessEngine
from meetscribe.events import Event, Final
from meetscribe.streaming.final_pass import FinalPassSettings
from meetscribe.streaming.recent import Recent
from meetscribe.streaming.told import Sound, Told
from meetscribe.streaming.transcriber import Transcriber
from meetscribe.streaming.voicing import Stretch, TurnVoice, alone
from meetscribe.testing import tiny_embedder, tiny_model, tiny_settings

from . import hearing

OFTEN = FinalPassSettings(lead=2, tail=4, context=4, interval=20, margin=4)


@functools.cache
def engine() -> InProcessEngine:
    return InProcessEngine(tiny_model().network, tiny_embedder().network)


@functools.cache
def bursts() -> np.ndarray:
    rng = np.random.default_rng(1)
    loudness = np.repeat(rng.choice([0.0, 0.0003, 0.3], 24), 8_000)
    return (loudness * rng.normal(0.0, 1.0, len(loudness))).astype(np.float32)


def events_of(cuts: list[int], pieces: FinalPassSettings, embedder: str | None = "tiny") -> list[Event]:
    model = tiny_model()
    subject = Transcriber(
        model.search, model.final_search, replace(tiny_settings(), final_pass=pieces, embedder=embedder)
    )
    return hearing.events_of(subject, engine(), np.split(bursts(), cuts))


@functools.cache
def expected(pieces: FinalPassSettings = OFTEN) -> list[Event]:
    return events_of([], pieces)


def finals(events: list[Event]) -> list[Final]:
    return [event for event in events if isinstance(event, Final)]


@pytest.mark.parametrize("pieces", [OFTEN, FinalPassSettings()])
def test_voices_go_with_finals(pieces: FinalPassSettings) -> None:
    """A turn with enough words has a voice of unit length, of as much speech as its words at most."""
    voices = [(event.turn, event.voice) for event in finals(expected(pieces))]
    told = [(turn, voice) for turn, voice in voices if voice is not None]
    assert told
    for turn, voice in told:
        assert voice.embedder == "tiny"
        assert np.linalg.norm(voice.vector) == pytest.approx(1.0, abs=1e-3)
        assert 0.0 < voice.seconds <= (turn.end - turn.start) / 16_000 + 0.08
        assert len(voice.spectrum) == 80


def test_voices_change_nothing_else() -> None:
    """With an embedder every slot says what it says without one; without one there are no voices."""
    plain = finals(events_of([], OFTEN, embedder=None))
    for slot in (0, 1):
        one, other = (
            [(e.turn.start, e.turn.text) for e in said if e.turn.slot == slot]
            for said in (plain, finals(expected()))
        )
        assert one == other
    assert all(event.voice is None for event in plain)


@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.integers(0, 190_000), max_size=8))
def test_any_chunking_gives_the_same_voices(cuts: list[int]) -> None:
    """However the audio is cut on its way in, finals and their voices are the same."""
    one, other = finals(expected()), finals(events_of(sorted(cuts), OFTEN))
    assert one == other
    for a, b in zip(one, other, strict=True):
        assert (a.voice is None) == (b.voice is None)
        if a.voice is not None and b.voice is not None:
            assert a.voice.vector == pytest.approx(b.voice.vector, abs=1e-3)


def test_where_somebody_else_speaks_is_left_out() -> None:
    """Steps in which another slot is active are not heard, unless next to nothing would be left."""
    features = np.arange(60 * 4, dtype=np.float32)[:, None] * np.ones(3, np.float32)
    activity = Recent()
    activity.append(np.r_[np.zeros(110), np.ones(20), np.zeros(30)])
    free = alone(features, Stretch(100, 160), [activity])
    assert len(free) == 40 * 4
    assert free[40, 0] == 30 * 4
    busy = Recent()
    busy.append(np.r_[np.zeros(110), np.ones(50)])
    assert len(alone(features, Stretch(100, 160), [busy])) == 60 * 4


def test_the_spectrum_of_a_turn_is_the_mean_of_what_was_heard() -> None:
    """Pieces count by their length, and so do turns in what a stream sounds like."""
    rng = np.random.default_rng(2)
    pieces = [rng.normal(8.0, 3.0, (4 * steps, 80)).astype(np.float32) for steps in (30, 10)]
    told = [Told.of(rng.standard_normal(4).astype(np.float32), piece) for piece in pieces]
    voice, sound = TurnVoice(), Sound()
    for number, one in enumerate(told):
        voice.receive(one, number)
        sound.add(one)
    found = voice.voice("e")
    assert found is not None
    assert found.seconds == pytest.approx(40 * 0.04)
    expected = np.concatenate(pieces).mean(0)
    np.testing.assert_allclose(found.spectrum, expected, atol=1e-4)
    np.testing.assert_allclose(sound.with_(), expected, atol=1e-4)
    np.testing.assert_allclose(Sound().with_(*told), expected, atol=1e-4)
