import asyncio
import itertools

import numpy as np
import pytest
from fakes import ListSink, ListSource, LoudnessEngine, LoudnessTranscriber, speech
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe import events as ev
from meetscribe.engine.in_process import InProcessRecognition
from meetscribe.errors import AudioError
from meetscribe.meeting import fold
from meetscribe.session.follower import mix
from meetscribe.session.session import MeetingSession, SessionSettings

START = ev.Session(session="m", title="m", started="2026-11-22T09:00:00+00:00")
PATIENT = SessionSettings(patient=True, quiet=True)


def recognition():
    """A recognition that needs no model, in this process."""
    return InProcessRecognition(LoudnessEngine(), LoudnessTranscriber)


def run(source):
    """The log of a session over a source, and everything that its sink got."""
    sink = ListSink()
    session = MeetingSession(START, source, recognition(), [sink], PATIENT)
    log = asyncio.run(session.run())
    assert sink.closed
    return log, sink.events


def blocks_of(audio, sizes):
    """Cut audio into blocks of these sizes, the rest as one."""
    cuts = [*np.clip(np.cumsum([0, *sizes]), 0, len(audio)).tolist(), len(audio)]
    return [(a, audio[a:b]) for a, b in itertools.pairwise(cuts) if b > a]


@settings(max_examples=20)
@given(st.lists(st.integers(1, 40_000), max_size=20))
def test_any_blocks_give_the_same_log(sizes):
    """How the source cuts its audio does not show in the log."""
    audio = speech("AbCd")
    assert run(ListSource(blocks_of(audio, sizes)))[0] == run(ListSource([(0, audio)]))[0]


def test_the_log_begins_ends_and_has_no_holes():
    """A log is a session, its turns and an end, numbered from 1; sinks get it all in order."""
    log, seen = run(ListSource(blocks_of(speech("AbC"), [16_000, 16_000])))
    assert isinstance(log[0], ev.Session)
    assert isinstance(log[-1], ev.End)
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    assert [event for event in seen if isinstance(event, ev.DurableEvent)] == log
    assert [event.turn.text for event in log if isinstance(event, ev.Final)] == ["1", "3"]
    assert fold(log).duration == 48_000
    assert {event.session for event in seen} == {"m"}
    assert any(isinstance(event, ev.Progress) for event in seen)


def test_missing_audio_is_a_gap_and_times_stay_true():
    """A jump in position is reported, and what comes after keeps its place."""
    audio = speech("A")
    log, _ = run(ListSource([(0, audio), (4 * 16_000, audio)]))
    (gap,) = [event for event in log if isinstance(event, ev.Gap)]
    assert (gap.start, gap.end) == (16_000, 64_000)
    assert [event.turn.text for event in log if isinstance(event, ev.Final)] == ["1", "5"]


def test_audio_that_comes_twice_is_heard_once():
    """A block that goes back in time adds only what is new."""
    audio = speech("Ab")
    log, _ = run(ListSource([(0, audio), (16_000, speech("bC"))]))
    assert [event.turn.text for event in log if isinstance(event, ev.Final)] == ["1", "3"]
    assert fold(log).duration == 48_000


def test_a_source_that_fails_loses_nothing():
    """What was heard before the error is transcribed and closed, then the error is raised."""
    sink = ListSink()
    source = ListSource([(0, speech("Ab")[:24_000])], AudioError("x.wav: broken; copy it again"))
    session = MeetingSession(START, source, recognition(), [sink], PATIENT)
    with pytest.raises(AudioError, match="broken"):
        asyncio.run(session.run())
    assert [type(event) for event in session.log] == [ev.Session, ev.Final, ev.End]
    assert sink.closed


def test_mixing_is_the_mean_of_the_channels():
    """Channels are averaged; one channel is left as it is."""
    audio = np.random.default_rng(0).uniform(-1, 1, (100, 3)).astype(np.float32)
    np.testing.assert_allclose(mix(audio), audio.sum(axis=1) / 3, atol=1e-6)
    np.testing.assert_array_equal(mix(audio[:, :1]), audio[:, 0])
