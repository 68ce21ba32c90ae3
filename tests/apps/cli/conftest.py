"""A command line with two fake models, in an empty home."""

import json
from dataclasses import dataclass

import pytest
import soundfile
from fakes import load_loudness, speech

from meetscribe.apps.cli import past, transcribe
from meetscribe.apps.cli.main import main


@dataclass
class Result:
    """What a call of the command gave."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(tmp_path, monkeypatch, capfd):
    """Call the command line in `tmp_path`."""
    for name in ("fake", "other"):
        (tmp_path / "models" / name).mkdir(parents=True)
        configuration = {"version": "1", "description": f"a {name} model", "default": name == "fake"}
        (tmp_path / "models" / name / "model.json").write_text(json.dumps(configuration))
    monkeypatch.setenv("MEETSCRIBE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(transcribe, "load_recogniser", load_loudness)
    monkeypatch.setattr(past, "load_recogniser", load_loudness)
    monkeypatch.setattr("meetscribe.models.bundled_directory", lambda: tmp_path / "bundled")
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        assert "Traceback" not in captured.err
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture
def recording(tmp_path):
    """Write recordings in which every capital letter is a second of speech."""

    def write(name, pattern="AbC"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, speech(pattern), 16_000, subtype="PCM_16")
        return path

    return write
