import json
from types import SimpleNamespace

import pytest
from fakes import load_loudness
from sources.capture_fakes import an_input

from meetscribe.apps import doctor
from meetscribe.apps.cli import doctor as command
from meetscribe.apps.doctor import Speed, check_inputs, check_space, judge
from meetscribe.errors import MissingError
from meetscribe.sources.inputs import Inputs
from meetscribe.sources.level import Level
from meetscribe.sources.pulse import Server

DESK = an_input("desk")
SPEAKER = an_input("speaker.monitor", monitor_of="speaker")
FOUND = Inputs(Server("pulse", "desk", "speaker"), (DESK, SPEAKER))


@pytest.fixture
def here(monkeypatch):
    """A machine on which all is well."""
    monkeypatch.setattr(command, "load_recogniser", load_loudness)
    monkeypatch.setattr(doctor, "look", lambda: FOUND)
    monkeypatch.setattr(doctor.portaudio, "load", lambda: None)
    monkeypatch.setattr(doctor, "measure", lambda inputs, opens: [Level(one, -50.0) for one in inputs])


def test_all_is_well(cli, here):
    """Everything that a meeting needs is looked at, and the speed of this machine is measured."""
    result = cli("doctor", "--json")
    assert result.code == 0
    answer = json.loads(result.out)
    assert answer["ready"]
    assert answer["real_time_factor"] >= 0
    names = [check["name"] for check in answer["checks"]]
    assert names == [
        "PortAudio", "sound server", "system sound", "input desk", "input speaker.monitor", "disk space",
        "model", "speed", "terminal",
    ]  # fmt: skip


def test_what_is_missing_is_said_with_its_remedy(cli, here, monkeypatch):
    """Without any way to record, the sentence with the install command comes, and exit code 3."""
    error = MissingError("PortAudio is not installed; apt-get install libportaudio2")

    def fails():
        raise error

    monkeypatch.setattr(doctor, "look", fails)
    monkeypatch.setattr(doctor.portaudio, "load", fails)
    result = cli("doctor")
    assert result.code == 3
    assert "NO  PortAudio: not installed\n    PortAudio is not installed; apt-get install" in result.out
    assert "NO  inputs: none" in result.out


def test_a_damaged_model_is_missing(cli, here, monkeypatch, tmp_path):
    """A model that cannot be loaded is said, with exit code 3."""
    bad = tmp_path / "models" / "bad"
    bad.mkdir()
    (bad / "model.json").write_text("{}")
    result = cli("doctor", "--model", "bad")
    assert result.code == 3
    assert "install the model again" in result.out


def test_portaudio_is_not_needed_beside_a_sound_server(cli, here, monkeypatch):
    """Where a sound server captures, a missing PortAudio is only a warning."""

    def fails():
        raise MissingError("PortAudio is not installed")

    monkeypatch.setattr(doctor.portaudio, "load", fails)
    result = cli("doctor")
    assert result.code == 0
    assert "!!  PortAudio" in result.out


@pytest.mark.parametrize(
    ("level", "verdict", "words"),
    [
        (Level(DESK, -40.0), "fine", "-40 dBFS"),
        (Level(DESK, -120.0), "warning", "unmute"),
        (Level(DESK, None, "busy"), "warning", "close the program"),
        (Level(SPEAKER, -120.0), "fine", "nothing is played"),
    ],
)
def test_every_input_is_heard(level, verdict, words):
    """An input that is silent, or cannot be opened, is a warning with a remedy; a quiet loudspeaker is none."""
    check = check_inputs(FOUND, lambda inputs: [level])[0]
    assert check.verdict == verdict
    assert words in f"{check.finding} {check.remedy}"


def test_loudspeakers_alone_are_no_microphone():
    """Where only monitors can be recorded, that is said."""
    found = Inputs(FOUND.server, (SPEAKER,))
    last = check_inputs(found, lambda inputs: [Level(SPEAKER, -30.0)])[-1]
    assert (last.name, last.verdict) == ("microphone", "warning")


@pytest.mark.parametrize(("hours", "verdict"), [(0.5, "missing"), (5, "warning"), (50, "fine")])
def test_space_is_counted_in_hours(monkeypatch, tmp_path, hours, verdict):
    """Disk space is what can be recorded in it; the folder need not exist yet."""
    free = int(hours * doctor.BYTES_PER_HOUR)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    assert check_space(tmp_path / "not" / "there").verdict == verdict


@pytest.mark.parametrize(
    ("factor", "verdict", "words"),
    [(0.2, "fine", "keeps up"), (0.6, "warning", "with one channel"), (1.4, "warning", "does not keep up")],
)
def test_a_slow_machine_is_said_before_the_meeting(factor, verdict, words):
    """A second of audio must take less than half a second for two channels to be followed."""
    check = judge(Speed(factor, factor))
    assert check.verdict == verdict
    assert words in check.finding
