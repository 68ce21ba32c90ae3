import sys

import pytest

from meetscribe.apps.recogniser import load_recogniser
from meetscribe.errors import MissingError


class NowhereToKeep:
    """Imports of the network fail as numba does where neither the program's folder nor the home can be written."""

    def find_spec(self, name, path=None, target=None):
        """Fail at the import of what loads models."""
        if name == "meetscribe.checkpoint":
            raise RuntimeError(
                "cannot cache function 'step': no locator available for file 'search_kernels.py'"
            )


def test_a_program_that_can_keep_no_compiled_code_says_what_to_do(monkeypatch, tmp_path):
    """An installation that belongs to root, run by a service without a home: one sentence, not numba's traceback."""
    monkeypatch.delitem(sys.modules, "meetscribe.checkpoint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [NowhereToKeep(), *sys.meta_path])
    with pytest.raises(MissingError, match="set NUMBA_CACHE_DIR"):
        load_recogniser(tmp_path)
