"""The recogniser that a session needs, loaded from a model's directory. torch is imported here, late."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from meetscribe.session.ports import Engine, Transcriber


@dataclass(frozen=True)
class Recogniser:
    """A loaded model: one engine for all meetings, and a transcriber for each."""

    name: str
    engine: Engine
    new_transcriber: Callable[[], Transcriber]


Loader = Callable[[Path], Recogniser]


def load_recogniser(directory: Path) -> Recogniser:
    """Load the model of a directory.

    Raises:
        CheckpointError: its files are damaged or foreign.
    """
    raise NotImplementedError(directory)
