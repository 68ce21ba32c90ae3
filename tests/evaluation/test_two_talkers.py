import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from meetscribe.evaluation import multitalker, report
from meetscribe.evaluation.controls import BYPASSED, WHOLE
from meetscribe.testing import write_tiny_model

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "two_talkers.py"
pytestmark = pytest.mark.skipif(
    not multitalker.available() or not SCRIPT.is_file(), reason="meeteval or the benchmarks are not there"
)


@pytest.fixture
def script():
    """The benchmark as a module."""
    spec = importlib.util.spec_from_file_location("two_talkers", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def sets(tmp_path):
    """A set of two recordings and the long one, of noise that the references say is speech."""
    generator = np.random.default_rng(2)
    for name, seconds, count in ((report.TWO_TALKERS, 4, 2), (report.LONG, 50, 1)):
        folder = tmp_path / name
        folder.mkdir()
        rows = []
        for number in range(count):
            audio = 0.2 * generator.standard_normal(16_000 * seconds)
            soundfile.write(folder / f"{name}-{number}.wav", audio, 16_000)
            for who, start in (("A", 0.5), ("B", 1.5)):
                row = {"session_id": f"{name}-{number}", "speaker": who, "words": "go see"}
                rows.append({**row, "start_time": start, "end_time": start + 2})
        (folder / "reference.seglst.json").write_text(json.dumps(rows))
    return tmp_path


def _main(script, sets, monkeypatch, capsys, *more: str):
    write_tiny_model(sets / "tiny")
    given = ["--model", str(sets / "tiny"), "--sets", str(sets), "--kept", str(sets / "kept"), *more]
    monkeypatch.setattr(sys, "argv", ["two_talkers.py", *given])
    return script.main(), capsys.readouterr()


@pytest.mark.slow
def test_one_command_gives_the_table_and_all_figures(script, sets, monkeypatch, capsys):
    """Sets that are there are measured under each control, the long one by its pieces too; others get a sentence."""
    chosen = ("--control", WHOLE, "--control", BYPASSED, "--json", str(sets / "figures.json"))
    code, said = _main(script, sets, monkeypatch, capsys, *chosen)
    assert code == 0
    assert "| two talkers, in all: ORC-WER | 50 % |" in said.out
    assert f"{report.NOISE} holds no set" in said.err
    figures = json.loads((sets / "figures.json").read_text())
    assert set(figures["sets"]) == {report.TWO_TALKERS, report.LONG}
    assert set(figures["sets"][report.TWO_TALKERS]) == {WHOLE, BYPASSED}
    assert figures["sets"][report.TWO_TALKERS][WHOLE]["recordings"] == 2
    assert figures["sets"][report.TWO_TALKERS][WHOLE]["orc_wer"]["length"] == 8
    assert figures["long"]["stream"]["final"]["length"] == figures["long"]["pieces"]["final"]["length"] == 4
    again = _main(script, sets, monkeypatch, capsys, *chosen)
    assert again[1].out == said.out
    assert "batches" in said.err
    assert "batches" not in again[1].err


def test_a_model_that_is_not_there_is_one_sentence(script, sets, monkeypatch, capsys):
    """The exit code says that what was given is bad."""
    code, said = _main(script, sets, monkeypatch, capsys, "--model", str(sets / "nowhere"))
    assert code == 2
    assert said.out == ""
    assert "nowhere" in said.err
