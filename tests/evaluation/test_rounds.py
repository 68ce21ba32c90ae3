import numpy as np
import pytest
import soundfile

from meetscribe.evaluation import controls, rounds
from meetscribe.evaluation.controls import BYPASSED, NO_LANGUAGE, WHOLE
from meetscribe.evaluation.record import Record
from meetscribe.evaluation.rounds import Round, Task
from meetscribe.evaluation.run import final_turns
from meetscribe.testing import write_tiny_model


@pytest.fixture
def model(tmp_path):
    """The tiny model as a directory."""
    write_tiny_model(tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.fixture
def tasks(tmp_path):
    """Three recordings of noise, and the second half of one."""
    generator = np.random.default_rng(3)
    for name, seconds in (("a", 2), ("b", 1), ("c", 3)):
        soundfile.write(tmp_path / f"{name}.wav", 0.2 * generator.standard_normal(16_000 * seconds), 16_000)
    whole = [Task(name, tmp_path / f"{name}.wav") for name in "abc"]
    return [*whole, Task("c", tmp_path / "c.wav", 24_000, 48_000)]


def _batches(monkeypatch):
    """Return the list that the sizes of batches go to, in the order in which they run."""
    sizes, run = [], rounds.run_batch

    def counted(batch, *rest):
        sizes.append(len(batch))
        run(batch, *rest)

    monkeypatch.setattr(rounds, "run_batch", counted)
    return sizes


def test_what_was_run_is_not_run_again(model, tasks, tmp_path, monkeypatch):
    """Runs come in the order of the tasks; a second round runs nothing, a task that is new only itself."""
    sizes, around = _batches(monkeypatch), Round(model, tmp_path / "kept", together=2)
    found = around.run(tasks[1:], WHOLE, print)
    assert [run.heard for run in found] == [1.0, 3.0, 1.5]
    assert sizes == [2, 1]
    assert around.run(tasks[1:], WHOLE, print) == found
    assert sizes == [2, 1]
    assert [run.heard for run in around.run(tasks, WHOLE, print)] == [2.0, 1.0, 3.0, 1.5]
    assert sizes == [2, 1, 1]


def test_a_changed_model_or_recording_is_run_again(model, tasks, tmp_path, monkeypatch):
    """Neither another model nor another recording of the same name is taken for the one that was run."""
    sizes, around = _batches(monkeypatch), Round(model, tmp_path / "kept")
    around.run(tasks[:1], WHOLE, print)
    soundfile.write(tasks[0].audio, np.zeros(16_000), 16_000)
    rounds._sum_of.cache_clear()
    assert [run.heard for run in around.run(tasks[:1], WHOLE, print)] == [1.0]
    write_tiny_model(model, seed=2)
    rounds.digest.cache_clear()
    around.run(tasks[:1], WHOLE, print)
    assert sizes == [1, 1, 1]


def test_long_recordings_run_alone(tasks, monkeypatch):
    """One that takes as long as ALONE shares its engine with none, so that its times are its own."""
    monkeypatch.setattr(rounds, "ALONE", 2.5)
    found = list(rounds._batches([(str(number), task) for number, task in enumerate(tasks)], 8))
    assert [[name for name, _ in batch] for batch in found] == [["2"], ["1", "3", "0"]]


def test_controls_leave_out_what_they_say(model):
    """Bypassed, a model has one slot; without language its words cost what they cost alone."""
    whole, bypassed = (controls.load(model, control) for control in (WHOLE, BYPASSED))
    assert bypassed.engine.network.slots == 1  # pyright: ignore[reportAttributeAccessIssue]
    assert whole.engine.network.slots >= 1  # pyright: ignore[reportAttributeAccessIssue]
    silent = controls.load(model, NO_LANGUAGE).new_transcriber
    settings = silent.func.__self__.settings  # pyright: ignore[reportFunctionMemberAccess, reportAttributeAccessIssue]
    assert (settings.first_pass.lm_weight, settings.final_pass.word_score) == (0.0, controls.WORD_ALONE)
    with pytest.raises(ValueError, match="nonsense"):
        controls.load(model, "nonsense")


def test_pocketsphinx_hears_a_recording_as_one_turn(tmp_path):
    """Its words have times inside the recording; without words there is no turn."""
    pytest.importorskip("pocketsphinx")
    audio = 0.1 * np.random.default_rng(1).standard_normal(16_000).astype(np.float32)
    done = controls.Pocketsphinx().run(audio, lambda: 1.0)
    assert done.heard == 1.0
    assert all(
        0 <= word.start < word.end <= 16_160 for turn in final_turns(done.events) for word in turn.words
    )
    Record(tmp_path).write("noise", done)
    assert Record(tmp_path).read("noise") == done
