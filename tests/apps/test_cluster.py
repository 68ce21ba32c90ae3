import os
import signal
import sys
from types import ModuleType, SimpleNamespace

import pytest
import soundfile
from fakes import LoudnessEngine, LoudnessTranscriber, load_loudness, speech

from meetscribe.apps.cluster import on_cluster
from meetscribe.apps.recogniser import Recogniser
from meetscribe.apps.transcribe import task_of
from meetscribe.errors import MissingError
from meetscribe.meeting import fold


class KilledOnce(LoudnessTranscriber):
    """Ends its worker at the first loud recording that any worker meets."""

    def receive_audio(self, samples):
        mark = os.environ["MEETSCRIBE_TEST_MARK"]
        if abs(samples).max(initial=0.0) > 0.9 and not os.path.exists(mark):
            with open(mark, "w"):
                os.kill(os.getpid(), signal.SIGKILL)
        super().receive_audio(samples)


def load_killed_once(directory):
    """Load a recogniser whose first worker does not survive."""
    return Recogniser(directory.name, LoudnessEngine(), KilledOnce)


def test_without_ray_the_remedy_is_said(monkeypatch, tmp_path):
    """Where Ray is not installed the sentence says how to install it."""
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingError, match=r"meetscribe\[ray\]"):
        list(on_cluster([task_of(tmp_path / "a.wav")], load_killed_once, tmp_path))


def test_what_is_asked_of_a_worker_of_a_cluster_needs_no_pool(monkeypatch, tmp_path):
    """Also where Ray is not installed: recordings are handed to a stand-in that calls what Ray would, as Ray would."""
    soundfile.write(tmp_path / "a.wav", speech("AbC"), 16_000)

    class Remote:
        def __init__(self, work):
            self.work = work

        def remote(self, *arguments):
            return lambda: self.work(*arguments)

    ray = ModuleType("ray")
    ray.exceptions = SimpleNamespace(WorkerCrashedError=ChildProcessError)  # type: ignore[attr-defined]
    ray.is_initialized = lambda: True  # type: ignore[attr-defined]
    ray.remote = lambda **_: Remote  # type: ignore[attr-defined]
    ray.wait = lambda running, num_returns: (running[:num_returns], running[num_returns:])  # type: ignore[attr-defined]
    ray.get = lambda ready: ready()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ray", ray)
    (done,) = on_cluster([task_of(tmp_path / "a.wav")], load_loudness, tmp_path)
    assert [turn.text for turn in fold(done.log or ()).turns] == ["1", "3"]


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_does_all_although_a_worker_is_killed(monkeypatch, tmp_path):
    """On a real local cluster every recording is transcribed, also the one whose worker was killed in the middle."""
    pytest.importorskip("ray")
    monkeypatch.setenv("MEETSCRIBE_TEST_MARK", str(tmp_path / "killed"))
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([os.getcwd(), "tests", os.environ.get("PYTHONPATH", "")])
    )
    for name, loud in [("a", 1.0), ("b", 1.99), ("c", 1.0)]:
        soundfile.write(tmp_path / f"{name}.wav", loud * speech("AbC"), 16_000)
    tasks = [*map(task_of, sorted(tmp_path.glob("*.wav"))), task_of(tmp_path / "none.wav")]
    done = {transcript.task.name: transcript for transcript in on_cluster(tasks, load_killed_once, tmp_path)}
    assert (tmp_path / "killed").exists()
    assert "no such file" in (done.pop("none").error or "")
    assert {name: [turn.text for turn in fold(one.log or ()).turns] for name, one in done.items()} == {
        name: ["1", "3"] for name in "abc"
    }
