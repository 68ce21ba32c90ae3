import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fakes import bursts
from live_process import WORDS, Live


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder, a fake model, and a recording of thirty words."""
    (tmp_path / "models" / "bursts").mkdir(parents=True)
    (tmp_path / "models" / "bursts" / "model.json").write_text(json.dumps({"version": 1, "default": True}))
    audio = bursts(WORDS, np.random.default_rng(7))
    soundfile.write(tmp_path / "words.wav", audio, 16_000, subtype="PCM_16")
    soundfile.write(
        tmp_path / "short.wav", bursts(["900"], np.random.default_rng(1)), 16_000, subtype="PCM_16"
    )
    return tmp_path


@pytest.fixture
def live(home: Path):
    """Start meetings; none is left behind."""
    started: list[Live] = []

    def start(*arguments: str, before: tuple[str, ...] = ()) -> Live:
        started.append(Live(home, *arguments, before=before))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()
        one.close()
