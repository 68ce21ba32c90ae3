import asyncio
import sys
from dataclasses import replace
from typing import Any

import pytest

from meetscribe.apps.hearing import apart, mixed
from meetscribe.apps.recogniser import Recogniser, load_recogniser
from meetscribe.errors import MissingError
from meetscribe.lm.wording import Wording
from meetscribe.session.speakers import SpeakerSettings

NOBODY: Any = None  # an engine that is never asked


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


def test_recordings_and_single_talkers_have_recognisers_of_their_own():
    """Both write and know what the usual one is to; without them the usual one hears all."""
    wording, speakers = Wording(numerals="digits"), SpeakerSettings(people=3)
    heard: list[tuple[str, dict]] = []

    def hearing_as(name: str) -> Any:
        return lambda **settings: heard.append((name, settings))

    usual = Recogniser("m", NOBODY, hearing_as("usual"))
    others = {name: replace(usual, new_transcriber=hearing_as(name)) for name in ("single", "recorded")}
    chosen = replace(usual, **others).worded(wording).knowing(speakers)
    for one in (chosen, chosen.alone(), chosen.patient()):
        one.new_transcriber()
        assert one.speakers == speakers
    assert heard == [(name, {"wording": wording}) for name in ("usual", "single", "recorded")]
    assert usual.alone() is usual.patient() is usual


@pytest.mark.parametrize("hears", [mixed, apart])
def test_the_mix_of_a_recording_is_heard_patiently(hears):
    """`transcribe`, `import` and `redo` hear with the recogniser for recordings."""
    opened: list[str] = []

    def opening(name: str) -> Any:
        return lambda: opened.append(name)

    usual = Recogniser("m", NOBODY, opening("usual"))
    recorded = replace(usual, new_transcriber=opening("recorded"))
    asyncio.run(hears(replace(usual, recorded=recorded)).recognition.open())
    assert opened == ["recorded"]
