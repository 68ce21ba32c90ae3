import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import soundfile
from fakes import speech

from meetscribe.testing import write_tiny_model

ROOT = Path(__file__).resolve().parent.parent


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *map(str, arguments)]
    subprocess.run(command, check=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_carries_models_and_the_demonstration(wheel):
    """Everything under `models/`, the bundled recording and the mark of types are inside."""
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "models"], capture_output=True, text=True, check=False
    )
    expected = {f"meetscribe/_{name}" for name in tracked.stdout.splitlines() if (ROOT / name).is_file()}
    assert (
        expected
        | {"meetscribe/demo/recording.flac", "meetscribe/py.typed", "meetscribe/apps/web/static/index.html"}
        <= names
    )
    assert not any("__pycache__" in name or name.startswith(("tests/", "models/")) for name in names)


def test_an_installed_wheel_transcribes_from_another_folder(wheel, tmp_path):
    """A non-editable install needs nothing of the checkout."""
    pip("install", "--no-deps", "--target", tmp_path / "site", wheel)
    write_tiny_model(tmp_path / "models" / "tiny")
    soundfile.write(tmp_path / "a.wav", speech("Ab"), 16_000)
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path / "site"),
        "MEETSCRIBE_MODELS_DIR": str(tmp_path / "models"),
        "XDG_CONFIG_HOME": str(tmp_path),
    }

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert Path(run("-c", "import meetscribe; print(meetscribe.__file__)").strip()).is_relative_to(tmp_path)
    command = ["-m", "meetscribe.apps.cli.main"]
    assert "tiny" in run(*command, "models")
    run(*command, "transcribe", "a.wav", "--model", "tiny", "-f", "json", "-o", "out")
    assert '"model": "tiny"' in (tmp_path / "out" / "a.json").read_text()
