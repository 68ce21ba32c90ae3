import os
import signal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from live_process import WORDS, log_of, words

from meetscribe import events as ev
from meetscribe.session.recorder import Recording
from meetscribe.store.store import Store
from meetscribe.timeline import to_grid

SPEED = 8


def moments(count: int, seed: int) -> list[float]:
    """Random moments of the meeting, which lasts 34 s."""
    return np.random.default_rng(seed).uniform(1.0, 30.0, count).round(2).tolist()


def kill_everything(live, home: Path, after: float) -> None:
    """Kill a meeting at a moment, and prove what the next start makes of it."""
    first = live("--from-file", str(home / "words.wav"), "--speed", str(SPEED))
    meeting = first.until(lambda event: event["at"] >= after)["session"]
    first.kill()
    seen = [event for event in first.rest() if "seq" in event]
    folder = home / "data" / "meetings" / meeting
    heard = max(event["at"] for event in first.events)
    for path in folder.glob("audio-*.wav"):
        assert soundfile.info(path).frames > 0
    recorded = Recording(folder).length
    assert recorded / 16_000 >= heard
    with Store(home / "data") as store:
        assert [one.id for one in store.unfinished()] == [meeting]
    second = live("--from-file", str(home / "short.wav"), "--speed", "max")
    second.rest()
    assert f"meeting '{meeting}' was interrupted" in second.said
    log = log_of(home, meeting)
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    said = [event["turn"]["text"] for event in seen if event["type"] == "final"]
    assert [event.turn.text for event in log if isinstance(event, ev.Final)][: len(said)] == said
    assert isinstance(log[-1], ev.End)
    assert log[-1].duration >= recorded - 16
    audio, _ = soundfile.read(home / "words.wav", dtype="float32")
    complete = words_until(audio, recorded)
    assert words(log)[: len(complete)] == complete
    assert len(words(log)) <= len(complete) + 1
    assert "recovering" in [event.state for event in log if isinstance(event, ev.Status)]


def words_until(audio: np.ndarray, end: int) -> list[str]:
    """The words that are over before a sample."""
    loud = np.abs(audio) > 0
    quiet = np.flatnonzero(np.convolve(loud, np.ones(4_000), "valid") == 0)
    ends = [quiet[0], *(one for before, one in pairwise(quiet) if one > before + 1)]
    return WORDS[: sum(one <= end for one in ends)]


def kill_engine(live, home: Path, after: float) -> None:
    """Kill the engine at a moment, and prove that the meeting does not suffer."""
    engine = None
    for speed in (
        SPEED,
        SPEED // 2,
        SPEED // 4,
    ):  # on a busy machine the meeting may be over before it is seen
        meeting = live("--from-file", str(home / "words.wav"), "--speed", str(speed))
        meeting.until(lambda event: event["at"] >= after)
        if (engine := meeting.worker()) is not None:
            break
        meeting.rest()
    assert engine is not None
    os.kill(engine, signal.SIGKILL)
    events = meeting.rest()
    log = log_of(home, events[0]["session"])
    assert words(log) == WORDS
    states = [event.state for event in log if isinstance(event, ev.Status)]
    assert states[0] == "listening"
    assert "degraded" in states
    assert isinstance(log[-1], ev.End)
    assert log[-1].duration == to_grid(soundfile.info(home / "words.wav").frames)
    recording = Recording(home / "data" / "meetings" / events[0]["session"])
    audio, _ = soundfile.read(home / "words.wav", dtype="float32")
    np.testing.assert_array_equal(recording.read(0, 0, recording.length), audio)


@pytest.mark.parametrize("after", moments(3, 1))
def test_a_meeting_that_is_killed_loses_nothing(live, home: Path, after: float) -> None:
    """After SIGKILL the files are valid, and the next start completes the transcript: no word missing, none twice."""
    kill_everything(live, home, after)


@pytest.mark.parametrize("after", moments(3, 2))
def test_an_engine_that_is_killed_is_not_missed(live, home: Path, after: float) -> None:
    """After SIGKILL of the engine recording goes on, the state shows it, and no word is missing or comes twice."""
    kill_engine(live, home, after)


@pytest.mark.endurance
@pytest.mark.parametrize("after", moments(20, 3))
def test_a_meeting_that_is_killed_loses_nothing_twenty_times(live, home: Path, after: float) -> None:
    """The same at twenty other moments."""
    kill_everything(live, home, after)


@pytest.mark.endurance
@pytest.mark.parametrize("after", moments(20, 4))
def test_an_engine_that_is_killed_is_not_missed_twenty_times(live, home: Path, after: float) -> None:
    """The same at twenty other moments."""
    kill_engine(live, home, after)
