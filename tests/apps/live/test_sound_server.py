"""`meetscribe live` in a real terminal, hearing a real sound server.

Two people at once are shown with a recogniser of the tests' own (`two_voices.py`: what one voice says are low tones,
the other's words are high ones), because the shipped model may hear one person at a time. Everything else is what
people run: PulseAudio, capture, recorder, worker process, session, store and screen. How well the shipped model
understands what comes that way is compared with `transcribe` on the same file.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile
from sound_server import meeting_sink_and_another
from two_voices import HIGH, LOW, conversation

import meetscribe
from meetscribe import events as ev
from meetscribe.evaluation import multitalker
from meetscribe.evaluation.normaliser import PLAIN
from meetscribe.evaluation.segments import Segment, normalised, of_meeting, read_segments
from meetscribe.meeting import fold
from meetscribe.store.store import Store

from .terminal import ROOT, Terminal

pytestmark = pytest.mark.sound_server
DEMO = Path(meetscribe.__file__).parent / "demo"
SECONDS = 16.5  # of the bundled recording, between two turns
PROGRAM = [str(ROOT / "tests" / "two_voices_program.py")]
COMMAND = ["-m", "meetscribe.apps.cli.main"]
PATIENCE = 120


@pytest.fixture
def server():
    """A sound server with a sink that a meeting is played into, and one that is in use otherwise."""
    with meeting_sink_and_another() as running:
        yield running


@pytest.fixture
def environment(server, tmp_path):
    """What a program needs to find the server, the tests' modules and a model."""
    (tmp_path / "models" / "fake").mkdir(parents=True)
    (tmp_path / "models" / "fake" / "model.json").write_text(json.dumps({"version": 1, "default": True}))
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])])
    models = {"MEETSCRIBE_MODELS_DIR": str(tmp_path / "models")}
    return {**server.environment, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **models}


def leave(terminal):
    """Quit as people do, and wait for the end."""
    terminal.press("q")
    terminal.wait_for(lambda lines: any("Stop the meeting?" in line for line in lines))
    terminal.press("\r")
    assert terminal.wait_for_end(PATIENCE) == 0


def kept(folder):
    """The log of the meeting that was held."""
    with Store(folder / "data") as store:
        (meeting,) = store.meetings()
        return store.log(meeting.id)


def said(turns):
    """The words of turns, by their time."""
    return [turn.text for turn in sorted(turns, key=lambda turn: turn.start)]


def rate_of(said, heard):
    """The ORC-WER of what was heard."""
    rate = multitalker.orc_wer(normalised(said, PLAIN), normalised(heard, PLAIN)).rate
    assert rate is not None
    return rate


def in_one_session(segments):
    return [Segment("meeting", s.speaker, s.start, s.end, s.words, s.slot) for s in segments]


def test_both_voices_of_an_overlap_stand_on_the_same_rows_and_a_lost_sink_is_seen(
    server, environment, tmp_path
):
    """Who talk at once stand side by side; a removed sink is a state and a gap, and no other source is heard."""
    arguments = ["--data-dir", str(tmp_path / "data"), "live", "--input", "meeting.monitor"]
    with Terminal(*PROGRAM, *arguments, environment=environment) as terminal:
        terminal.wait_for(lambda lines: lines[0].startswith(" ● listening"), PATIENCE)
        assert server.play("meeting", conversation(LOW[:3], HIGH[:3])).wait(PATIENCE) == 0
        terminal.wait_for(lambda lines: any(str(HIGH[2]) in line for line in lines), PATIENCE)
        for low, high in zip(LOW[:3], HIGH[:3], strict=True):
            assert any(str(low) in line and str(high) in line for line in terminal.lines), terminal.lines

        server.play("other", conversation(LOW[3:4] * 9, []))  # what nobody may hear
        server.remove_sink("meeting")
        terminal.wait_for(lambda lines: lines[0].startswith(" ✖ device lost"), PATIENCE)
        terminal.wait_for(lambda lines: any("moved the recording" in line for line in lines), PATIENCE)
        time.sleep(2)
        server.add_sink("meeting")
        terminal.wait_for(lambda lines: lines[0].startswith(" ● listening"), PATIENCE)
        assert server.play("meeting", conversation(LOW[4:], HIGH[4:])).wait(PATIENCE) == 0
        terminal.wait_for(lambda lines: any(str(HIGH[5]) in line for line in lines), PATIENCE)
        assert any("≈" in line for line in terminal.lines)
        leave(terminal)
    log = kept(tmp_path)
    (gap,) = [event for event in log if isinstance(event, ev.Gap)]
    assert gap.end - gap.start > 16_000
    assert "moved the recording to other.monitor" in gap.reason
    meeting = fold(log)
    for slot, pitches in enumerate((LOW[:3] + LOW[4:], HIGH[:3] + HIGH[4:])):
        assert said(turn for turn in meeting.turns if turn.slot == slot) == list(map(str, pitches))


@pytest.mark.slow
@pytest.mark.skipif(not multitalker.available(), reason="meeteval is not installed (extra eval)")
def test_what_stands_on_the_screen_is_as_good_as_the_file_transcribed(server, environment, tmp_path):
    """The shipped model in a terminal: an ORC-WER within 10 points of the file's, and its words on the screen."""
    del environment["MEETSCRIBE_MODELS_DIR"]
    sound, rate = soundfile.read(DEMO / "recording.flac", dtype="float32")
    sound = sound[: int(SECONDS * rate)]
    soundfile.write(tmp_path / "meeting.wav", sound, rate)
    reference = [s for s in read_segments(DEMO / "reference.seglst.json") if s.end <= SECONDS * 16_000]
    command = [sys.executable, *COMMAND, "transcribe", "meeting.wav", "-f", "seglst"]
    written = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, check=True
    )
    (tmp_path / "file.seglst.json").write_bytes(written.stdout)
    of_file = rate_of(in_one_session(reference), in_one_session(read_segments(tmp_path / "file.seglst.json")))
    arguments = ["--data-dir", str(tmp_path / "data"), "live", "--input", "meeting.monitor"]
    with Terminal(*COMMAND, *arguments, environment=environment) as terminal:
        terminal.wait_for(lambda lines: lines[0].startswith(" ● listening"), PATIENCE)
        assert server.play("meeting", sound, rate).wait(PATIENCE) == 0
        time.sleep(1)  # what was played is still on its way
        finished = fold(kept(tmp_path)).turns  # those that leaving finishes may come after the last picture
        assert finished
        leave(terminal)
        meeting = fold(kept(tmp_path))
        shown = terminal.written.decode(errors="replace")
        assert all(max(turn.text.split(), key=len) in shown for turn in finished)
    if any("no sound has come" in gap.reason for gap in meeting.gaps) and not os.environ.get("CI"):
        pytest.skip("this machine is too busy for its sound server to play without a stop")
    assert not meeting.gaps
    assert rate_of(in_one_session(reference), in_one_session(of_meeting(meeting))) <= of_file + 0.10
