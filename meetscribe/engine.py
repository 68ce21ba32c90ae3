"""Runs the steps that transcribers ask for: equal ones are stacked into one batch.

Not covered: a worker process; choosing whose steps wait when the machine is too slow.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from meetscribe.nn.recogniser import Recogniser
from meetscribe.nn.steppable import joined_states, split_states
from meetscribe.streaming.steps import STEP_SAMPLES, StepRequest, StepResult, StreamStep

MOST_AT_ONCE = 16
"""Steps in one batch; more wait for the next, so that memory stays bounded."""


class InProcessEngine:
    """The network in the caller's own process and thread."""

    def __init__(self, network: Recogniser) -> None:
        self.network = network.eval()

    def run(self, requests: Sequence[StepRequest]) -> list[StepResult]:
        """Return the results of the steps, in their order."""
        results: dict[int, StepResult] = {}
        groups: dict[object, list[int]] = {}
        for number, request in enumerate(requests):
            groups.setdefault(isinstance(request, StreamStep), []).append(number)
        for numbers in groups.values():
            for begin in range(0, len(numbers), MOST_AT_ONCE):
                chosen = numbers[begin : begin + MOST_AT_ONCE]
                results.update(zip(chosen, self._batch([requests[i] for i in chosen]), strict=True))
        return [results[number] for number in range(len(requests))]

    @torch.inference_mode()
    def _batch(self, requests: list[StepRequest]) -> list[StepResult]:
        streams = [request for request in requests if isinstance(request, StreamStep)]
        return self._advance(streams) if streams else self._score([request.audio for request in requests])

    def _advance(self, requests: list[StreamStep]) -> list[StepResult]:
        fresh = self.network.initial_state(1)
        state = joined_states([fresh if r.state is None else r.state for r in requests])
        audio = torch.from_numpy(np.stack([request.audio for request in requests]))
        scores, state = self.network.step(audio, state)
        return [
            StepResult(row.numpy(), part)
            for row, part in zip(scores, split_states(state, len(requests)), strict=True)
        ]

    def _score(self, pieces: list[NDArray[np.float32]]) -> list[StepResult]:
        lengths = [len(piece) for piece in pieces]
        padded = np.zeros((len(pieces), max(lengths)), np.float32)
        for row, piece in zip(padded, pieces, strict=True):
            row[: len(piece)] = piece
        scores = self.network(torch.from_numpy(padded), torch.tensor(lengths), None)
        return [
            StepResult(row[: length // STEP_SAMPLES].numpy())
            for row, length in zip(scores, lengths, strict=True)
        ]
