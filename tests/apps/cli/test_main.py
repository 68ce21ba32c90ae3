import json
import subprocess
import sys

from meetscribe import __version__


def test_models_are_listed(cli):
    """`models` lists names, the default one marked; `--json` gives a list."""
    result = cli("models")
    assert result.code == 0
    assert result.out.split()[:2] == ["*", "fake"]
    rows = json.loads(cli("models", "--json").out)
    assert [(row["name"], row["default"]) for row in rows] == [("fake", True), ("other", False)]


def test_the_version_is_shown(cli):
    """`--version` prints the version on stdout, before or after a command."""
    assert cli("--version").out == f"meetscribe {__version__}\n"
    assert cli("models", "--version").out == f"meetscribe {__version__}\n"


def test_help_needs_no_torch():
    """The command line starts without importing torch, which takes seconds."""
    code = "import sys, meetscribe.apps.cli.main; sys.exit('torch' in sys.modules or 'numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_color_is_honoured(cli, monkeypatch):
    """With NO_COLOR set there are no escape sequences, even where a terminal is pretended."""
    monkeypatch.setenv("NO_COLOR", "1")
    result = cli("transcribe", "--no-such-flag")
    assert "\x1b[3" not in result.err
    assert result.code == 2
