"""Settings of all tests: examples without a time limit, the same ones in every run of CI; approved texts."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_addoption(parser):
    """Add the flag that approves what golden tests see."""
    parser.addoption(
        "--update-golden", action="store_true", help="approve what stands in tests/golden; read the diff"
    )


@pytest.fixture
def golden(request):
    """Compare a text with the approved one in a file; `--update-golden` approves it."""

    def compare(path, text):
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n", encoding="utf-8")
        approved = (
            path.read_text(encoding="utf-8") if path.exists() else f"(there is no {path}: --update-golden)"
        )
        assert (text + "\n").splitlines() == approved.splitlines()

    return compare
