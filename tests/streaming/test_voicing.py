import functools
import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.engine.batches import InProcessEngine
from meetscribe.events import Event, Final, TurnStart
from meetscribe.streaming.final_pass import FinalPassSettings
from meetscribe.streaming.likeness import Likeness
from meetscribe.streaming.recent import Recent
from meetscribe.streaming.search import FoundWord
from meetscribe.streaming.steps import StepRequest, StepResult, VoiceResult, VoiceStep
from meetscribe.streaming.transcriber import Transcriber
from meetscribe.streaming.voicing import SplitSettings, Stretch, alone, boundaries, splits
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


def said(*spans: tuple[int, int]) -> tuple[FoundWord, ...]:
    """Return words that lie in steps first … last - 1."""
    return tuple(FoundWord(n, "so", 640 * first, 640 * last, 1.0) for n, (first, last) in enumerate(spans))


def test_both_sides_of_a_word_are_heard_as_soon_as_there_is_enough() -> None:
    """A word is judged by the steps of words around its beginning: with enough behind it, or at the turn's end."""
    words = said((0, 10), (10, 20), (30, 40), (40, 50))
    wanted = SplitSettings(Likeness(), heard=15, least=8)
    found, following = boundaries(words, 1, False, wanted)
    assert [one.word for one in found] == [1, 2]
    assert following == 3
    assert found[1].before.tolist() == list(range(5, 20))
    assert found[1].after.tolist() == list(range(30, 45))
    found, following = boundaries(words, following, True, wanted)
    assert [(one.word, len(one.after)) for one in found] == [(3, 10)]
    assert following == 4


def test_too_little_speech_is_not_judged() -> None:
    """A side of fewer steps than it takes to tell a voice says nothing."""
    found, _ = boundaries(said((0, 5), (5, 30), (30, 34)), 1, True, SplitSettings(Likeness(), least=12))
    assert found == []


def test_the_least_alike_places_split_a_turn_not_too_close_together() -> None:
    """Of places near each other the least alike one counts; a pause before a word makes up for some likeness."""
    words = said((0, 25), (25, 35), (35, 60), (70, 100), (100, 130))
    rule = SplitSettings(Likeness(), alike=-1.0, pause=2.0, apart=20)
    assert splits(words, {1: -1.5, 2: -2.0, 3: -0.5, 4: 0.0}, True, rule) == [2, 3]
    assert splits(words, {1: -1.5, 2: -2.0, 3: -0.5, 4: 0.0}, True, replace(rule, pause=0.0)) == [2]
    assert splits(words, {1: -0.9, 2: 0.5}, True, rule) == []


class Strangers:
    """The tiny engine, to which every voice is unlike the one before."""

    def __init__(self) -> None:
        self._told = itertools.count()

    def run(self, requests: Sequence[StepRequest]) -> Sequence[StepResult]:
        """Answer requests."""
        return [
            VoiceResult(np.eye(2, dtype=np.float32)[next(self._told) % 2])
            if isinstance(asked, VoiceStep)
            else answer
            for asked, answer in zip(requests, engine().run(requests), strict=True)
        ]


def test_another_voice_ends_a_turn() -> None:
    """Where the voice changes in the middle of a turn it becomes several; no word is lost or said twice."""
    whole, model = finals(expected()), tiny_model()
    subject = Transcriber(
        model.search,
        model.final_search,
        replace(
            tiny_settings(),
            final_pass=OFTEN,
            embedder="tiny",
            split=SplitSettings(Likeness(), alike=0.5, heard=6, least=3, apart=4),
        ),
    )
    events = hearing.events_of(subject, Strangers(), [bursts()])
    parts = finals(events)
    assert len(parts) > len(whole)
    for slot in (0, 1):
        one, other = (
            [(word.word, word.start) for e in some if e.turn.slot == slot for word in e.turn.words]
            for some in (whole, parts)
        )
        assert one == other
    ids = [event.turn.id for event in parts]
    assert len(set(ids)) == len(ids)
    assert {event.turn for event in events if isinstance(event, TurnStart)} >= set(ids)
