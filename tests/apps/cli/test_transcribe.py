import json
import os
from pathlib import Path

import pytest
import rooms_material
import soundfile
from fakes import load_deadly

from meetscribe.apps.cli.main import normalise
from meetscribe.formats import json_document, jsonl
from meetscribe.sources.file import FileSource


def test_one_file_goes_to_stdout(cli, recording):
    """A recording becomes text on stdout, and nothing else is printed."""
    recording("a.wav")
    result = cli("transcribe", "a.wav")
    assert (result.code, result.out, result.err) == (0, "A: 1\nA: 3\n", "")


def test_the_formats_of_one_recording_agree(cli, recording):
    """Text, JSON, JSON lines and SegLST say the same of one recording."""
    recording("a.wav")
    every = [word for name in ("text", "json", "jsonl", "seglst") for word in ("-f", name)]
    assert cli("transcribe", "a.wav", *every, "-o", "out").code == 0
    assert sorted(os.listdir("out")) == ["a.json", "a.jsonl", "a.seglst.json", "a.txt"]
    with open("out/a.json") as file:
        document = json.loads(file.read())
    assert (document["session"], document["duration"], document["model"]) == ("a", 3.0, "fake")
    assert [turn["text"] for turn in document["turns"]] == ["1", "3"]
    with open("out/a.jsonl") as file:
        types = [json.loads(line)["type"] for line in file]
    assert types == ["session", "final", "final", "end"]
    with open("out/a.seglst.json") as file:
        assert [(s["session_id"], s["words"], s["start_time"]) for s in json.load(file)] == [
            ("a", "1", 0.0),
            ("a", "3", 2.0),
        ]


def test_bad_files_do_not_stop_the_others(cli, recording, tmp_path):
    """The good files are done, every bad one is a line at the end that names it and the remedy; exit code 2."""
    recording("good.wav")
    recording("also good.flac", "AB")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "folder").mkdir()
    result = cli("transcribe", "none.wav", "good.wav", "empty.wav", "folder", "also good.flac", "-o", "out")
    assert result.code == 2
    assert sorted(os.listdir("out")) == ["also good.txt", "good.txt"]
    lines = result.err.splitlines()
    assert [line for line in lines if line.startswith("meetscribe: [")] == [
        "meetscribe: [1/4] none.wav: failed",
        "meetscribe: [2/4] good.wav: 2 turns in 0:03",
        "meetscribe: [3/4] empty.wav: failed",
        "meetscribe: [4/4] also good.flac: 2 turns in 0:02",
    ]
    assert lines[4].startswith("meetscribe: 2 done, 0 skipped, 3 failed in ")
    for name, line in zip(["folder", "none.wav", "empty.wav"], lines[5:], strict=True):
        assert line.startswith(f"meetscribe: {name}: ")
    assert result.out == ""


def test_a_truncated_file_is_transcribed_and_reported(cli, recording, tmp_path):
    """What is there of a truncated recording is written, with an error and exit code 2."""
    data = recording("a.wav", "AbCd").read_bytes()
    (tmp_path / "a.wav").write_bytes(data[: 44 + 32_000 * 2])
    result = cli("transcribe", "a.wav")
    assert (result.code, result.out) == (2, "A: 1\n")
    assert "a.wav: only its first 2.0 s" in result.err


def test_no_speech_is_no_error(cli, recording):
    """Silence gives empty text, no turns, an empty list, and a line on stderr; exit code 0."""
    recording("a.wav", "abc")
    for name, empty in [("text", ""), ("seglst", "[]\n")]:
        result = cli("transcribe", "a.wav", "-f", name)
        assert (result.code, result.out) == (0, empty)
        assert result.err == "meetscribe: a.wav: no speech was found\n"
    assert json.loads(cli("transcribe", "a.wav", "-f", "json").out)["turns"] == []


def test_several_jobs_give_the_same_files(cli, recording):
    """Recordings that are transcribed at once come out as they do one after another."""
    names = [recording(f"{number}.wav", "aBc" * (number + 1)).name for number in range(3)]
    assert cli("transcribe", *names, "-f", "jsonl", "-o", "one").code == 0
    result = cli("transcribe", *names, "missing.wav", "-f", "jsonl", "-o", "many", "-j", "2")
    assert result.code == 2
    assert "missing.wav: there is no such file" in result.err.splitlines()[-1]
    for number in range(3):
        with open(f"one/{number}.jsonl") as one, open(f"many/{number}.jsonl") as many:
            assert one.read() == many.read()


def test_resuming_skips_what_is_done(cli, recording, tmp_path):
    """With --resume a recording that was transcribed with these options is left alone, its files too."""
    recording("a.wav")
    recording("b.wav")
    assert cli("transcribe", "a.wav", "-o", "out").code == 0
    (tmp_path / "out/a.txt").write_text("mine\n")
    before = (tmp_path / "out/a.txt").stat().st_mtime_ns
    result = cli("transcribe", "a.wav", "b.wav", "-o", "out", "--resume")
    assert result.code == 0
    assert "a.wav: already transcribed" in result.err
    assert ((tmp_path / "out/a.txt").read_text(), (tmp_path / "out/a.txt").stat().st_mtime_ns) == (
        "mine\n",
        before,
    )
    assert (tmp_path / "out/b.txt").read_text() == "A: 1\nA: 3\n"


def test_a_number_of_speakers_that_cannot_be_is_refused(cli, recording):
    """Nobody is no number of people."""
    recording("a.wav")
    refused = cli("transcribe", "a.wav", "--num-speakers", "0")
    assert (refused.code, "num_speakers" in refused.err) == (2, True)


def test_resuming_does_again_what_has_changed(cli, recording, tmp_path):
    """Another content, other options, or a file that is gone: the recording is transcribed again."""
    recording("a.wav")
    again = ("transcribe", "a.wav", "-o", "out", "--resume")
    assert cli(*again).code == 0
    assert "already" in cli(*again).err
    recording("a.wav", "aBc")
    assert "already" not in cli(*again).err
    assert (tmp_path / "out/a.txt").read_text() == "A: 2\n"
    assert "already" not in cli(*again, "--model", "other").err
    assert "already" not in cli(*again, "--layout", "mixed").err
    assert "already" not in cli(*again, "--num-speakers", "2").err
    assert "already" not in cli(*again, "-f", "srt").err
    (tmp_path / "out/a.srt").unlink()
    assert "already" not in cli(*again, "-f", "srt").err
    assert "already" in cli(*again, "-f", "srt").err


def test_a_file_that_changes_while_it_is_read_is_noticed(cli, recording, monkeypatch, tmp_path):
    """What could be read of it is written, it is named, the others are done, and it is not taken for done."""
    path = recording("a.wav", "AbCdEfGh")
    recording("b.wav")
    read = FileSource.read

    def growing(source):
        for number, block in enumerate(read(source)):
            if number == 1 and source.path.name == "a.wav":
                path.write_bytes(path.read_bytes() + b"more")
            yield block

    monkeypatch.setattr(FileSource, "read", growing)
    result = cli("transcribe", "a.wav", "b.wav", "-o", "out")
    assert result.code == 2
    assert "a.wav: it changed while it was read" in result.err.splitlines()[-1]
    assert sorted(os.listdir("out")) == ["a.txt", "b.txt"]
    monkeypatch.undo()


def test_a_folder_is_all_recordings_in_it(cli, recording, tmp_path):
    """Recordings below a folder are transcribed under their places in it; other files are left alone."""
    for name in ("year/jan/a.wav", "year/feb/a.wav", "year/b.wav", "year/b.flac"):
        recording(name)
    (tmp_path / "year/notes.txt").write_text("no audio")
    assert cli("transcribe", "year", "-o", "out", "-j", "2").code == 0
    found = sorted(str(path.relative_to("out")) for path in Path("out").rglob("*.txt"))
    assert found == ["b.flac.txt", "b.wav.txt", "feb/a.txt", "jan/a.txt"]


def test_a_process_that_dies_takes_one_recording_with_it(cli, recording, monkeypatch):
    """With -j what a dead process was at is tried once more, then named; the others are done."""
    recording("a.wav")
    soundfile.write("kill.wav", 1.99 * soundfile.read("a.wav")[0], 16_000)
    recording("c.wav")
    monkeypatch.setattr("meetscribe.apps.cli.transcribe.load_recogniser", load_deadly)
    result = cli("transcribe", "a.wav", "kill.wav", "c.wav", "-o", "out", "-j", "2", "-f", "jsonl")
    assert result.code == 2
    assert "kill.wav: the process that transcribed it died" in result.err
    assert "kill.jsonl" not in os.listdir("out")


def test_channels_of_people_become_their_turns(cli, tmp_path):
    """A file of headsets has a speaker for each channel, named by --together's files, and layouts can be told."""
    audio, _, _ = rooms_material.headsets(seconds=12.0, leak=0.2)
    for name, sound in [("m-alice.wav", audio[:, 0]), ("m-bob.wav", audio[:, 1]), ("both.wav", audio)]:
        soundfile.write(tmp_path / name, sound, 16_000)
    result = cli("transcribe", "m-alice.wav", "m-bob.wav", "--together", "-o", "out", "-f", "json")
    assert (result.code, os.listdir("out")) == (0, ["m.json"])
    turns = json.loads((tmp_path / "out/m.json").read_text())["turns"]
    assert {(turn["channel"], turn["speaker_id"], turn["speaker"]) for turn in turns} == {
        (0, "s1", "alice"),
        (1, "s2", "bob"),
    }
    both = json.loads(cli("transcribe", "both.wav", "-f", "json").out)["turns"]
    assert {turn["speaker"] for turn in both} == {"Channel 1", "Channel 2"}
    mixed = json.loads(cli("transcribe", "both.wav", "-f", "json", "--layout", "mixed").out)["turns"]
    assert {(turn["channel"], turn["speaker_id"]) for turn in mixed} == {(None, None)}


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["a.wav", "--model", "none"], "there is no model 'none'; installed are: fake, other"),
        (["a.wav", "-f", "pdf"], "there is no format 'pdf'"),
        (["a.wav", "b.wav"], "--output-dir"),
        (["a.wav", "-f", "text", "-f", "json"], "--output-dir"),
        (["a.wav", "x/a.wav", "-o", "out"], "would both be written"),
        (["a.wav", "-o", "a.wav"], "no directory"),
        (["a.wav", "-o", "a.wav/below"], "cannot be written"),
        (["a.wav", "-j", "0"], "jobs"),
        (["a.wav", "--no-such-flag"], "no-such-flag"),
        ([], "FILE"),
    ],
)
def test_usage_that_cannot_work_is_refused(cli, recording, arguments, match):
    """Unknown models, formats and flags, and places that cannot be written: exit code 2 and the remedy."""
    recording("a.wav")
    recording("x/a.wav")
    result = cli("transcribe", *arguments)
    assert (result.code, result.out) == (2, "")
    assert match in " ".join(result.err.split())


def test_a_damaged_model_is_bad_input(cli, recording, tmp_path):
    """A model that cannot be loaded is one sentence and exit code 2."""
    recording("a.wav")
    (tmp_path / "models" / "bad").mkdir()
    (tmp_path / "models" / "bad" / "model.json").write_text("{}")
    for jobs in "1", "2":
        result = cli("transcribe", "a.wav", "b.wav", "-o", "out", "--model", "bad", "-j", jobs)
        assert result.code == 2
        assert "bad: it is damaged" in result.err


def test_no_model_at_all_is_something_missing(cli, recording, monkeypatch, tmp_path):
    """Without any model the exit code is 3."""
    recording("a.wav")
    monkeypatch.setenv("MEETSCRIBE_MODELS_DIR", str(tmp_path / "nothing"))
    result = cli("transcribe", "a.wav")
    assert result.code == 3
    assert "MEETSCRIBE_MODELS_DIR" in result.err


def test_a_fault_is_reported_as_one(cli, recording, monkeypatch):
    """An unexpected error is a sentence too."""
    recording("a.wav")
    monkeypatch.setattr("meetscribe.apps.cli.transcribe.load_recogniser", lambda directory: 1 / 0)
    result = cli("transcribe", "a.wav")
    assert result.code == 1
    assert "fault of meetscribe" in result.err


def test_interrupting_ends_with_130(cli, recording, monkeypatch):
    """Ctrl-C ends quietly and leaves no half-written file."""
    recording("a.wav")

    def interrupt(directory):
        raise KeyboardInterrupt

    monkeypatch.setattr("meetscribe.apps.cli.transcribe.load_recogniser", interrupt)
    result = cli("transcribe", "a.wav", "-o", "out")
    assert (result.code, result.err) == (130, "meetscribe: interrupted\n")
    assert not os.path.exists("out")


def test_underscores_and_shared_flags_anywhere():
    """Flags may be spelt with underscores, and shared flags may follow the command."""
    written = ["transcribe", "a_b.wav", "--output_dir", "o_1", "--data_dir=x_y", "-v", "--", "--data_dir"]
    assert normalise(written) == [
        "--data-dir=x_y",
        "-v",
        "transcribe",
        "a_b.wav",
        "--output-dir",
        "o_1",
        "--",
        "--data_dir",
    ]
    assert normalise(["models", "--config", "c_d.toml", "--json"]) == [
        "--config",
        "c_d.toml",
        "models",
        "--json",
    ]


def test_flag_over_environment_over_file_over_default(cli, recording, monkeypatch, tmp_path):
    """The nearer setting wins."""
    recording("a.wav")
    (tmp_path / "c.toml").write_text('model = "other"\nformat = ["json"]\n')

    def model_of(*arguments):
        return json.loads(cli("transcribe", "a.wav", "-f", "json", *arguments).out)["model"]

    assert model_of() == "fake"
    assert model_of("--config", "c.toml") == "other"
    assert json_document.decode(cli("transcribe", "a.wav", "--config", "c.toml").out).turns
    monkeypatch.setenv("MEETSCRIBE_MODEL", "fake")
    assert model_of("--config", "c.toml") == "fake"
    assert model_of("--config", "c.toml", "--model", "other") == "other"
    monkeypatch.setenv("MEETSCRIBE_FORMAT", "jsonl")
    assert jsonl.decode(cli("transcribe", "a.wav").out)


@pytest.mark.parametrize(
    ("content", "match"),
    [("model =", "TOML"), ('modell = "x"', "modell"), ('jobs = "many"', "jobs"), (None, "no such")],
)
def test_bad_configuration_is_named(cli, tmp_path, content, match):
    """A configuration that is missing, broken or misspelt is one sentence and exit code 2."""
    if content is not None:
        (tmp_path / "c.toml").write_text(content)
    result = cli("models", "--config", tmp_path / "c.toml")
    assert result.code == 2
    assert match in result.err
    assert "c.toml" in result.err
    assert result.err.count("\n") == 1


def test_a_bar_is_shown_on_stderr_while_stdout_stays_clean(cli, recording, monkeypatch):
    """On a terminal progress is drawn on stderr; what goes to stdout is the transcript alone."""
    recording("a.wav")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    result = cli("transcribe", "a.wav", "none.wav", "-o", "out")
    assert result.code == 2
    assert "a.wav" in result.err
    assert "━" in result.err
    assert "none.wav: there is no such file" in result.err
    assert cli("transcribe", "a.wav").out == "A: 1\nA: 3\n"


def test_verbose_says_more_but_never_what_was_said(cli, recording):
    """With -v the steps are logged on stderr, without any text of the transcript."""
    recording("a.wav", "A" * 7)
    result = cli("transcribe", "a.wav", "-v")
    assert result.out == "".join(f"A: {n}\n" for n in range(1, 8))
    assert "model found" in result.err
    assert "done" in result.err
    assert "text" not in result.err
