import json
from pathlib import Path

import numpy as np
import pytest
import rooms_material
import soundfile
from fakes import load_loudness, speech

from meetscribe.apps.cli import live
from meetscribe.session.recorder import Recording


@pytest.fixture(autouse=True)
def loudness(monkeypatch):
    """The worker loads the recogniser that needs no model."""
    monkeypatch.setattr(live, "load_recogniser", load_loudness)


def test_a_recording_is_played_as_if_live(cli, recording):
    """Turns are lines on stdout, states on stderr; the meeting is kept with its audio."""
    result = cli(
        "live", "--headless", "--from-file", recording("standup.wav"), "--speed", "max", "--data-dir", "data"
    )
    assert result.code == 0
    assert result.out.splitlines() == ["[00:00.0-00:01.0] A: 1", "[00:02.0-00:03.0] A: 3"]
    assert "listening" in result.err
    listed = json.loads(cli("list", "--json", "--data-dir", "data").out)
    assert [(one["title"], one["turns"], one["duration"]) for one in listed] == [("standup", 2, 3.0)]
    kept = Recording(Path("data") / "meetings" / listed[0]["id"])
    assert kept.length == 48_000


def test_events_are_lines_of_json(cli, recording):
    """With --json stdout holds events, numbered without holes, from `session` to `end`, and nothing else."""
    file = recording("standup.wav")
    result = cli(
        "live", "--json", "--from-file", file, "--speed", "max", "--title", "Monday", "--data-dir", "data"
    )
    events = [json.loads(line) for line in result.out.splitlines()]
    durable = [event for event in events if "seq" in event]
    assert [event["seq"] for event in durable] == list(range(1, len(durable) + 1))
    assert (durable[0]["type"], durable[0]["title"], durable[-1]["type"]) == ("session", "Monday", "end")
    assert [event["turn"]["text"] for event in durable if event["type"] == "final"] == ["1", "3"]
    assert {"level", "progress"} <= {event["type"] for event in events}


def test_channels_are_mixed_or_apart(cli, tmp_path):
    """--channels apart gives every channel turns of its own, mixed one transcript of all."""
    soundfile.write("two.wav", np.concatenate([speech("Ab"), speech("aB")], axis=1), 16_000)
    arguments = ("live", "--json", "--from-file", "two.wav", "--speed", "max", "--data-dir", "data")
    apart = cli(*arguments, "--channels", "apart").out.splitlines()
    turns = [json.loads(line)["turn"] for line in apart if '"final"' in line]
    assert sorted((turn["channel"], turn["start"]) for turn in turns) == [(0, 0.0), (1, 1.0)]
    mixed = cli(*arguments, "--channels", "mixed").out.splitlines()
    assert {json.loads(line)["turn"]["channel"] for line in mixed if '"final"' in line} == {None}


def test_a_recording_of_headsets_is_played_as_one(cli, tmp_path):
    """What channels are is found out as by `transcribe`, and turns are their owners'; --layout tells otherwise."""
    audio, _, _ = rooms_material.headsets(seconds=12.0, leak=0.2)
    soundfile.write("both.wav", audio, 16_000)
    arguments = ("live", "--json", "--from-file", "both.wav", "--speed", "max", "--data-dir", "data")

    def whose(*more):
        lines = cli(*arguments, *more).out.splitlines()
        turns = [json.loads(line)["turn"] for line in lines if '"final"' in line]
        return {(turn["channel"], turn["speaker"]) for turn in turns}

    assert whose() == {(0, "Channel 1"), (1, "Channel 2")}
    assert {channel for channel, _ in whose("--layout", "mixed")} == {None}


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("--layout", "array"), "--layout is for recordings"),
        (("--from-file", "a.wav", "--layout", "mixed", "--channels", "apart"), "give one of them"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused(cli, recording, arguments, match):
    """Inputs have no layouts, and channels are not told twice: exit code 2 and a sentence."""
    recording("a.wav")
    result = cli("live", "--json", *arguments)
    assert (result.code, match in result.err) == (2, True)


def test_a_transcript_can_be_kept_without_audio(cli, recording):
    """With --no-record nothing is left of the sound."""
    file = recording("standup.wav")
    cli("live", "--json", "--from-file", file, "--speed", "max", "--no-record", "--data-dir", "data")
    assert not list(Path("data").rglob("audio-*"))
    assert len(json.loads(cli("list", "--json", "--data-dir", "data").out)) == 1


def test_a_terminal_or_headless(cli, recording):
    """Without a terminal the screen is refused, with the remedy."""
    result = cli("live", "--from-file", recording("standup.wav"), "--data-dir", "data")
    assert result.code == 2
    assert "--headless" in result.err


def test_a_file_that_cannot_be_played_leaves_no_meeting(cli):
    """A wrong file is one sentence, and nothing is kept."""
    result = cli("live", "--headless", "--from-file", "missing.wav", "--data-dir", "data")
    assert (result.code, "no such file" in result.err) == (2, True)
    assert json.loads(cli("list", "--json", "--data-dir", "data").out) == []


def test_a_model_that_cannot_be_loaded_is_told(cli, recording, tmp_path):
    """The engine's refusal ends the command with its sentence."""
    (tmp_path / "models" / "bad").mkdir()
    (tmp_path / "models" / "bad" / "model.json").write_text('{"version": 1}')
    file = recording("standup.wav")
    result = cli("live", "--headless", "--from-file", file, "--model", "bad", "--data-dir", "data")
    assert result.code == 3
    assert "it is damaged" in result.err
