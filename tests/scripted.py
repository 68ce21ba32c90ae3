"""A network that says what a script tells it to: tables and activity of each slot, whatever it hears."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from search_worlds import clear_scores

from meetscribe.streaming.steps import (
    STEP_FRAMES,
    STEP_SAMPLES,
    StepRequest,
    StepResult,
    StreamResult,
    StreamStep,
    WholeResult,
)


@dataclass(frozen=True)
class ScriptedEngine:
    """Runs steps of a stream that is said to be so: tables [C, T, V, V] and activity [C, T], over and over.

    Features hold slot and step, by which the final pass' pieces are known again.
    """

    tables: np.ndarray
    activity: np.ndarray

    def run(self, requests: Sequence[StepRequest]) -> list[StepResult]:
        """Return the results of the steps, in their order."""
        return [
            self._stream(request) if isinstance(request, StreamStep) else self._whole(request.features)
            for request in requests
        ]

    def _stream(self, request: StreamStep) -> StreamResult:
        first = request.state or 0
        steps = np.arange(first, first + len(request.audio) // STEP_SAMPLES)
        slots, place = np.arange(len(self.tables)), steps % self.tables.shape[1]
        frames = np.repeat(steps, STEP_FRAMES)
        features = np.stack(np.broadcast_arrays(slots[:, None], frames[None]), -1).astype(np.float32)
        return StreamResult(self.tables[:, place], self.activity[:, place], features, int(steps[-1]) + 1)

    def _whole(self, features: np.ndarray) -> WholeResult:
        steps = features[::STEP_FRAMES, 1].astype(int) % self.tables.shape[1]
        return WholeResult(self.tables[int(features[0, 0]), steps])


def script(said: Sequence[dict[int, int]], active: Sequence[Sequence[tuple[int, int]]], steps: int):
    """Returns an engine in whose slots symbols are said (frame: symbol), and somebody speaks in (from, to)."""
    activity = np.full((len(said), steps), 0.02, np.float32)
    for row, spans in zip(activity, active, strict=True):
        for begin, end in spans:
            row[begin:end] = 0.98
    return ScriptedEngine(np.stack([clear_scores(one, steps) for one in said]), activity)
