import json

import pytest
from sources.capture_fakes import Studio, an_input

from meetscribe.apps.cli import devices as command
from meetscribe.errors import MissingError
from meetscribe.sources.inputs import Inputs
from meetscribe.sources.pulse import Server

DESK = an_input("desk", description="Desk microphone", default=True)
BUSY = an_input("busy", channels=2, rate=48_000)
SPEAKER = an_input("speaker.monitor", description="Monitor of Speaker", monitor_of="speaker")


@pytest.fixture
def here(monkeypatch):
    """A sound server with a microphone at -20 dBFS, one that another program has, and a silent loudspeaker."""
    found = Inputs(Server("pulse", "desk", "speaker"), (DESK, BUSY, SPEAKER))
    studio = Studio()

    def open_stream(wanted):
        if wanted == BUSY:
            raise MissingError("busy: it cannot be recorded; close the program that uses it")
        stream = studio.open(wanted)
        stream.come(1.0, 0.1 if wanted == DESK else 0.0)
        return stream

    monkeypatch.setattr(command, "look", lambda: found)
    monkeypatch.setattr(command, "open_stream", open_stream)
    return studio


def test_devices_are_listed_with_a_meter_each(cli, here):
    """Every input has its number, a bar, its level, its name and what it is; the default one is marked."""
    result = cli("devices")
    assert result.code == 0
    first, second, third = result.out.splitlines()
    assert first.startswith("*0  █████████████·······  -20 dBFS  desk  Desk microphone, 1 channel, 16 kHz")
    assert "close the program that uses it  busy" in second
    assert "silent" in third
    assert third.endswith("system audio")
    assert "--input" in result.err
    assert all(stream.closed for stream in here.streams)


def test_devices_as_json(cli, here):
    """With --json there is one list with the same facts, and what is wrong with an input."""
    rows = json.loads(cli("devices", "--json").out)
    assert [row["name"] for row in rows] == ["desk", "busy", "speaker.monitor"]
    assert [row["level_dbfs"] for row in rows] == [-20.0, None, -120.0]
    assert [row["system_audio"] for row in rows] == [False, False, True]
    assert [row["number"] for row in rows] == [0, 1, 2]
    assert "close the program" in rows[1]["trouble"]


def test_on_a_terminal_the_meters_move(cli, here, monkeypatch):
    """A terminal shows the meters for some seconds."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    result = cli("devices", "--seconds", "0.2")
    assert result.code == 0
    assert "█" in result.out


def test_without_devices_something_is_missing(cli, monkeypatch):
    """Where nothing can be recorded the command says what helps; exit code 3."""
    monkeypatch.setattr(command, "look", lambda: Inputs(None, ()))
    result = cli("devices", "--json")
    assert result.code == 3
    assert "plug in a microphone" in result.err
