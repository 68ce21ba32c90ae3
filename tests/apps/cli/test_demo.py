import pytest
from fakes import load_loudness

from meetscribe.apps.cli import demo


@pytest.fixture
def bundled(tmp_path, monkeypatch, recording):
    """Put a fake recording into a fake package."""
    path = recording("package/demo/recording.flac", "AbC")
    monkeypatch.setattr(demo, "files", lambda name: tmp_path / "package")
    monkeypatch.setattr(demo, "load_recogniser", load_loudness)
    return path


def test_the_demo_prints_turns_and_progress(cli, bundled):
    """Without a terminal turns are lines on stdout and progress is on stderr."""
    result = cli("demo")
    assert result.code == 0
    assert result.out.splitlines() == ["[00:00.0-00:01.0] A: 1", "[00:02.0-00:03.0] A: 3"]
    assert "100 % of 0:03" in result.err
    assert "2 turns in 0:03" in result.err


def test_the_demo_on_a_terminal_shows_turns_and_a_bar(cli, bundled, monkeypatch):
    """On a terminal turns scroll by above a progress bar."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    result = cli("demo", "--speed", "100")
    assert result.code == 0
    assert "0:02" in result.out
    assert "━" in result.out


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "fast"])
def test_an_impossible_speed_is_refused(cli, bundled, speed):
    """A speed is a positive number or max."""
    result = cli("demo", "--speed", speed)
    assert result.code == 2
    assert "positive number, or max" in result.err


def test_a_missing_recording_is_said(cli, bundled):
    """Without its recording the demo says so; exit code 3."""
    bundled.unlink()
    assert cli("demo").code == 3
