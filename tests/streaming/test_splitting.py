import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from meetscribe.events import Event, TurnStart
from meetscribe.streaming.likeness import Likeness
from meetscribe.streaming.resemblance import Resemblance
from meetscribe.streaming.search import FoundWord
from meetscribe.streaming.spectra import Spectra
from meetscribe.streaming.splitting import SplitSettings, Splitter, boundaries, parts, splits
from meetscribe.streaming.steps import StepRequest, StepResult, VoiceResult, VoiceStep
from meetscribe.streaming.told import Sound, Told
from meetscribe.streaming.transcriber import Transcriber
from meetscribe.testing import tiny_model, tiny_settings

from . import hearing
from .test_voicing import OFTEN, bursts, engine, expected, finals


def said(*spans: tuple[int, int]) -> tuple[FoundWord, ...]:
    """Return words that lie in steps first … last - 1."""
    return tuple(FoundWord(n, "so", 640 * first, 640 * last, 1.0) for n, (first, last) in enumerate(spans))


def test_both_sides_of_a_word_are_heard_as_soon_as_there_is_enough() -> None:
    """A word is judged by the steps of words around its beginning: with enough behind it, or at the turn's end."""
    words = said((0, 10), (10, 20), (30, 40), (40, 50))
    wanted = SplitSettings(Resemblance(), heard=15, least=8)
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
    found, _ = boundaries(said((0, 5), (5, 30), (30, 34)), 1, True, SplitSettings(Resemblance(), least=12))
    assert found == []


def test_the_least_alike_places_split_a_turn_not_too_close_together() -> None:
    """Of places near each other the least alike one counts; a pause before a word makes up for some likeness."""
    words = said((0, 25), (25, 35), (35, 60), (70, 100), (100, 130))
    rule = SplitSettings(Resemblance(), alike=-1.0, pause=2.0, apart=20)
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


def split_turns(odds: float) -> list[Event]:
    """Return the events of a stream in which every voice is unlike the one before."""
    model = tiny_model()
    subject = Transcriber(
        model.search,
        model.final_search,
        replace(
            tiny_settings(),
            final_pass=OFTEN,
            embedder="tiny",
            split=SplitSettings(Resemblance(), alike=0.5, heard=6, least=3, apart=4, odds=odds),
        ),
    )
    return hearing.events_of(subject, Strangers(), [bursts()])


def test_another_voice_ends_a_turn() -> None:
    """Where the voice changes in the middle of a turn it becomes several; no word is lost or said twice."""
    whole, events = finals(expected()), split_turns(odds=0.0)
    after = finals(events)
    assert len(after) > len(whole)
    for slot in (0, 1):
        one, other = (
            [(word.word, word.start) for e in some if e.turn.slot == slot for word in e.turn.words]
            for some in (whole, after)
        )
        assert one == other
    ids = [event.turn.id for event in after]
    assert len(set(ids)) == len(ids)
    assert {event.turn for event in events if isinstance(event, TurnStart)} >= set(ids)


def test_parts_that_are_one_person_s_stay_together() -> None:
    """However unlike the voices around a word are: what is alike as a whole is one turn."""
    assert [e.turn for e in finals(split_turns(odds=-50.0))] == [e.turn for e in finals(expected())]


def test_parts_end_where_others_begin() -> None:
    """A part is heard up to the next place where the turn may be split, and no further than is told."""
    words = said((0, 10), (10, 20), (30, 40), (40, 50))
    found = parts(words, [1, 3], SplitSettings(Resemblance(), most=15))
    assert [one.word for one in found] == [1, 3]
    assert found[0].before.tolist() == list(range(10))
    assert found[0].after.tolist() == [*range(10, 20), *range(30, 35)]
    assert found[1].before.tolist() == [*range(15, 20), *range(30, 40)]
    assert found[1].after.tolist() == list(range(40, 50))


def test_recordings_are_split_at_less_and_single_talkers_never() -> None:
    """Where all turns are looked at once more a place needs less evidence; where one person talks nothing is asked."""
    seldom, often = (SplitSettings.when(one, Resemblance()) for one in ("seldom", "often"))
    assert seldom is not None
    assert seldom == SplitSettings(Resemblance())
    assert often is not None
    assert (often.alike, often.odds) > (seldom.alike, seldom.odds)
    assert replace(often, alike=seldom.alike, odds=seldom.odds) == seldom
    assert SplitSettings.when("never", Resemblance()) is None


@pytest.mark.parametrize("alike", [False, True])
def test_a_turn_is_split_where_somebody_sounds_from_elsewhere(alike: bool) -> None:
    """With one voice all through, the word from which on it comes from another place begins another turn."""
    places = Resemblance(Likeness(), Spectra(3 * np.eye(2), np.full(2, 20.0)), voice=0.0)
    subject, sound = Splitter(SplitSettings(places, alike=0.0, odds=0.0)), Sound()
    words = said((0, 30), (30, 60), (60, 90), (90, 120))
    subject.look(words, 1, True)
    found = None
    while found is None:
        for steps in subject.wanted:
            here = np.full(len(steps), 1.0) if alike else np.where(steps < 60, 1.0, -1.0)
            spectrum = np.array([here.mean(), -here.mean()])
            found = subject.receive(Told(np.ones(4), spectrum, 0.04 * len(steps)), sound)
    assert found == ([] if alike else [2])
