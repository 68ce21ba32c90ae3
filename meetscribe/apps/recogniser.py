"""The recogniser that a session needs, loaded from a model's directory; torch is imported by `load_recogniser`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from meetscribe.engine.in_process import InProcessRecognition
from meetscribe.session.ports import Engine, Transcriber


@dataclass(frozen=True)
class Recogniser:
    """A loaded model: one engine for all meetings, and a transcriber for each."""

    name: str
    engine: Engine
    new_transcriber: Callable[[], Transcriber]

    def recognition(self) -> InProcessRecognition:
        """Return who transcribes streams in this process."""
        return InProcessRecognition(self.engine, self.new_transcriber)


Loader = Callable[[Path], Recogniser]


def load_recogniser(directory: Path) -> Recogniser:
    """Load the model of a directory.

    The network runs in one thread: its steps are small, and two threads become many times slower as soon as another
    program needs one of their cores.

    Raises:
        CheckpointError: its files are damaged or foreign.
    """
    return _load(directory, bypassed=False)


def load_bypassed(directory: Path) -> Recogniser:
    """Load the model of a directory without its separator: what the recogniser makes of the mixture.

    Raises:
        CheckpointError: its files are damaged or foreign.
    """
    return _load(directory, bypassed=True)


def _load(directory: Path, *, bypassed: bool) -> Recogniser:
    import torch

    from meetscribe.checkpoint import load_model
    from meetscribe.engine.batches import InProcessEngine

    torch.set_num_threads(1)
    loaded = load_model(directory)
    model = loaded.bypassed() if bypassed else loaded
    return Recogniser(model.name, InProcessEngine(model.network), model.new_transcriber)
