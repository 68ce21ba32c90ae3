import json
from dataclasses import replace

import pytest
import rooms_material
import soundfile
import stored_meetings as made
from fakes import LoudnessEngine, LoudnessTranscriber

from meetscribe.apps.cli import past, transcribe
from meetscribe.apps.recogniser import Recogniser
from meetscribe.store.store import Store


@pytest.fixture
def store(tmp_path):
    """The store that the command line uses."""
    with Store(tmp_path / "data" / "meetscribe") as opened:
        yield opened


def test_import_keeps_a_recording_as_a_meeting(cli, recording, store):
    """Its id on stdout; transcript and sound are kept, with the file's name and time."""
    path = recording("planning.wav", "AbCd")
    result = cli("import", "planning.wav")
    (made,) = result.out.split()
    assert (result.code, made.endswith("-planning")) == (0, True)
    summary = store.summary(made)
    assert (summary.turns, summary.duration, summary.state) == (2, 4 * 16_000, "ended")
    kept, _ = soundfile.read(next(store.folder(made).glob("audio-0-*.flac")))
    assert len(kept) == len(soundfile.read(path)[0])
    assert cli("search", "3").out == f"{made} [0:02] A: 3\n"


def test_import_takes_transcripts_as_they_are(cli, recording, store):
    """What `transcribe` wrote before becomes a meeting too, ended and with its names."""
    recording("a.wav")
    assert cli("transcribe", "a.wav", "-f", "jsonl", "-f", "json", "-o", "out").code == 0
    result = cli("import", "out/a.jsonl", "out/a.json", "--title", "Old notes")
    ids = result.out.split()
    assert [store.summary(one).title for one in ids] == ["Old notes", "Old notes"]
    assert [[turn.text for turn in store.meeting(one).turns] for one in ids] == [["1", "3"]] * 2
    assert not store.unfinished()


def test_import_goes_on_after_a_bad_file(cli, recording, store, tmp_path):
    """Every bad file is a sentence, the others are kept, exit code 2; a cut one is kept as far as it goes."""
    recording("good.wav")
    data = recording("cut.wav", "AbCd").read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[: 44 + 32_000 * 2])
    (tmp_path / "empty.wav").touch()
    result = cli("import", "empty.wav", "cut.wav", "good.wav")
    assert (result.code, len(result.out.split()), len(result.err.splitlines())) == (2, 2, 2)
    assert len(store.meetings()) == 2


def test_redo_keeps_names_and_corrections(cli, recording, store):
    """The transcript is the new model's, what people decided stays, and so does the time line."""
    recording("a.wav", "AbC")
    made = cli("import", "a.wav").out.strip()
    assert cli("edit", "rename", made, "t1", "Alice").code == 0
    assert cli("edit", "correct", made, "t2", "three").code == 0
    before = cli("export", made).out
    result = cli("redo", "last", "--model", "other")
    assert (result.code, result.out) == (0, f"{made}\n")
    assert "2 turns; kept 1 names and 1 corrections" in result.err
    assert cli("export", made).out == before == "Alice: 1\nA: three\n"
    document = json.loads(cli("export", made, "-f", "json").out)
    assert (document["model"], document["duration"]) == ("other", 3.0)
    assert cli("search", "three").out == f"{made} [0:02] A: three\n"
    assert [event.seq for event in store.log(made)] == list(range(1, len(store.log(made)) + 1))


def test_redo_needs_a_recording(cli, recording, store):
    """A meeting whose recording was deleted is left as it is, with a sentence."""
    recording("a.wav", "AbC")
    made = cli("import", "a.wav").out.strip()
    store.delete_audio(made)
    result = cli("redo", made)
    assert (result.code, "has no recording any more" in result.err) == (2, True)
    assert store.summary(made).turns == 2


@pytest.fixture
def headsets(tmp_path):
    """A recording of two people, each with a microphone that hears the other a little."""
    audio, _, _ = rooms_material.headsets(seconds=12.0, leak=0.2)
    soundfile.write(tmp_path / "both.wav", audio, 16_000)
    for number, name in enumerate(("m-alice.wav", "m-bob.wav")):
        soundfile.write(tmp_path / name, audio[:, number], 16_000)


def whose(store, meeting):
    """The channel and the name of everybody who speaks in a meeting."""
    kept = store.meeting(meeting)
    return {(turn.channel, kept.name(turn.speaker_id)) for turn in kept.turns}


def test_import_knows_layouts(cli, headsets, store):
    """A channel for each person is found out, and can be told; several files become one meeting with their names."""
    (made,) = cli("import", "both.wav").out.split()
    assert whose(store, made) == {(0, "Channel 1"), (1, "Channel 2")}
    (mixed,) = cli("import", "both.wav", "--layout", "mixed").out.split()
    assert whose(store, mixed) == {(None, None)}
    (together,) = cli("import", "m-alice.wav", "m-bob.wav", "--together").out.split()
    assert whose(store, together) == {(0, "alice"), (1, "bob")}
    assert store.summary(together).title == "m"
    refused = cli("import", "both.wav", "notes.json", "--together")
    assert (refused.code, "notes.json is a transcript" in refused.err) == (2, True)


def test_redo_hears_channels_as_they_were_or_as_it_is_told(cli, headsets, store):
    """A meeting of headsets stays one, with its names; --layout makes one of it, or something else."""
    (made,) = cli("import", "both.wav").out.split()
    turns = store.summary(made).turns
    assert cli("edit", "rename", made, "s2", "Bob").code == 0
    assert cli("redo", made).code == 0
    assert {channel for channel, _ in whose(store, made)} == {0, 1}
    assert (1, "Bob") in whose(store, made)
    assert store.summary(made).turns == turns
    assert cli("redo", made, "--layout", "mixed").code == 0
    assert {channel for channel, _ in whose(store, made)} == {None}
    (mixed,) = cli("import", "both.wav", "--layout", "mixed").out.split()
    assert cli("redo", mixed, "--layout", "per-speaker").code == 0
    assert {channel for channel, _ in whose(store, mixed)} == {0, 1}
    wrong = cli("redo", mixed, "--layout", "stereo")
    assert (wrong.code, "layout" in wrong.err) == (2, True)


def test_recover_finishes_what_was_interrupted(cli, store):
    """What was recorded becomes text, nothing twice; the meeting has its end, and can be found."""
    name = made.interrupt(store)
    assert json.loads(cli("list", "--json").out)[0]["state"] == "recovering"
    result = cli("recover")
    assert (result.code, result.out) == (0, f"{name}\n")
    assert "recovered, 0:05 and 3 turns" in result.err
    assert [turn.start // 16_000 for turn in store.meeting(name).turns] == [0, 2, 4]
    assert store.summary(name).state == "ended"
    assert "no meeting was interrupted" in cli("recover").err
    again = cli("recover", name)
    assert (again.code, "nothing to recover" in again.err) == (2, True)


class Telling(LoudnessTranscriber):
    """Hears one word in every loud second."""

    def events(self):
        return [replace(event, turn=replace(event.turn, text="zyzzyva")) for event in super().events()]


def test_what_was_said_is_in_no_log(cli, recording, monkeypatch):
    """Even with -v, nothing that any command says on stderr holds a word of a transcript or a correction."""
    for module in (past, transcribe):
        monkeypatch.setattr(
            module, "load_recogniser", lambda path: Recogniser(path.name, LoudnessEngine(), Telling)
        )
    recording("a.wav", "AbC")
    taken = cli("import", "a.wav", "-v")
    made = taken.out.strip()
    assert "zyzzyva" in cli("show", made).out
    commands = [["list"], ["show", made], ["export", made], ["search", "zyzzyva*"], ["transcribe", "a.wav"]]
    commands += [["edit", "correct", made, "t1", "unmistakable"], ["redo", made], ["delete", made, "--yes"]]
    logged = taken.err + "".join(cli(*command, "-v").err for command in commands)
    assert "model found" in logged
    assert "zyzzyva" not in logged
    assert "unmistakable" not in logged
