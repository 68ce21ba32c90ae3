"""What the network said of a recording, kept, so that settings of turns can be tried without the network.

A replay goes through the whole transcriber with the tables and the activity that were kept. The final pass reads the
first pass' tables then: times and counts are those of the pipeline, final words are not.
Not covered: settings that change what the network is asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from meetscribe.evaluation import run
from meetscribe.lm.wording import RAW
from meetscribe.session.ports import Engine
from meetscribe.session.ports import Transcriber as AnyTranscriber
from meetscribe.streaming.steps import (
    STEP_FRAMES,
    STEP_SAMPLES,
    StepRequest,
    StepResult,
    StreamResult,
    StreamStep,
    WholeResult,
)

if TYPE_CHECKING:
    from meetscribe.checkpoint import Model

NATS = 1 / 20
"""Log probabilities are kept in this unit, in a byte: what is below -12.7 is never searched."""


@dataclass(frozen=True, eq=False)
class Replay:
    """An engine that answers with what was kept.

    Attributes:
        tables: uint8 [C, T, V, V].
        activity: float32 [C, T].
        voice: float32 [C, T, D].
        samples: of the recording.
    """

    tables: NDArray[np.uint8]
    activity: NDArray[np.float32]
    voice: NDArray[np.float32]
    samples: int

    @classmethod
    def read(cls, path: Path) -> "Replay":
        """Read what `record` has kept."""
        with np.load(path) as kept:
            return cls(kept["tables"], kept["activity"], kept["voice"], int(kept["samples"]))

    def write(self, path: Path) -> None:
        """Keep it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        rest = {"activity": self.activity, "voice": self.voice, "samples": self.samples}
        np.savez_compressed(path, tables=self.tables, **rest)

    def run(self, requests: Sequence[StepRequest]) -> list[StepResult]:
        """Return the results of the steps, in their order; features hold slot and step."""
        return [
            self._stream(request) if isinstance(request, StreamStep) else self._whole(request.features)
            for request in requests
        ]

    def _stream(self, request: StreamStep) -> StreamResult:
        first = request.state or 0
        steps = np.arange(first, first + len(request.audio) // STEP_SAMPLES)
        slots, frames = np.arange(len(self.tables))[:, None], np.repeat(steps, STEP_FRAMES)[None]
        features = np.stack(np.broadcast_arrays(slots, frames), -1).astype(np.float32)
        scores = self.tables[:, steps].astype(np.float32) * -NATS
        said = (scores, self.activity[:, steps], features, int(steps[-1]) + 1)
        return StreamResult(*said, self.voice[:, steps])

    def _whole(self, features: NDArray[np.float32]) -> WholeResult:
        steps = features[::STEP_FRAMES, 1].astype(int)
        return WholeResult(self.tables[int(features[0, 0]), steps].astype(np.float32) * -NATS)


@dataclass(frozen=True)
class Pipeline:
    """What `run.transcribe` needs."""

    engine: Engine
    new_transcriber: Callable[[], AnyTranscriber]


def record(engine: Engine, audio: NDArray[np.float32], chunk: int) -> Replay:
    """Return what an engine says of a recording (float32 [samples]), heard `chunk` samples at a time."""
    state, results = None, []
    for begin in range(0, len(audio), chunk):
        part = audio[begin : begin + chunk]
        (result,) = engine.run([StreamStep(np.pad(part, (0, chunk - len(part))), state)])
        assert isinstance(result, StreamResult)
        state = result.state
        results.append(result)
    tables = [np.clip(np.round(-result.scores / NATS), 0, 255).astype(np.uint8) for result in results]
    activity = np.concatenate([result.activity for result in results], 1).astype(np.float32)
    none = np.zeros((*activity.shape, 0), np.float32)
    voices = [result.voice for result in results if result.voice is not None]
    voice = np.concatenate(voices, 1) if voices else none
    return Replay(np.concatenate(tables, 1), activity, voice, len(audio))


def replay(model: "Model", kept: Replay) -> run.Run:
    """Return the run of a recording as the model's settings make it of what was kept."""
    pipeline = Pipeline(kept, partial(model.new_transcriber, len(kept.tables), RAW))
    return run.transcribe(pipeline, np.zeros(kept.samples, np.float32))
