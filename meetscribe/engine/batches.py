"""Runs the steps that transcribers ask for: equal ones are stacked into one batch.

Not covered: streams and their order (`streams.py`), choosing whose steps wait when the machine is too slow.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from meetscribe.nn.embedder import Embedder
from meetscribe.nn.segmenter import SeparatorTransducerSegmenter
from meetscribe.nn.steppable import joined_states, split_states
from meetscribe.streaming.steps import (
    STEP_FRAMES,
    StepRequest,
    StepResult,
    StreamResult,
    StreamStep,
    VoiceResult,
    VoiceStep,
    WholeResult,
    WholeStep,
)

MOST_AT_ONCE = 16
"""Steps in one batch; more wait for the next, so that memory stays bounded."""


class InProcessEngine:
    """The network, and the embedder where there is one, in the caller's own process and thread."""

    def __init__(self, network: SeparatorTransducerSegmenter, embedder: Embedder | None = None) -> None:
        self.network = network.eval()
        self.embedder = None if embedder is None else embedder.eval()

    def run(self, requests: Sequence[StepRequest]) -> list[StepResult]:
        """Return the results of the steps, in their order."""
        results: dict[int, StepResult] = {}
        groups: dict[object, list[int]] = {}
        for number, request in enumerate(requests):
            groups.setdefault(type(request), []).append(number)
        for numbers in groups.values():
            for begin in range(0, len(numbers), MOST_AT_ONCE):
                chosen = numbers[begin : begin + MOST_AT_ONCE]
                results.update(zip(chosen, self._batch([requests[i] for i in chosen]), strict=True))
        return [results[number] for number in range(len(requests))]

    @torch.inference_mode()
    def _batch(self, requests: list[StepRequest]) -> Sequence[StepResult]:
        streams = [request for request in requests if isinstance(request, StreamStep)]
        if streams:
            return self._advance(streams)
        voices = [request.features for request in requests if isinstance(request, VoiceStep)]
        if voices:
            return self._tell(voices)
        return self._score([request.features for request in requests if isinstance(request, WholeStep)])

    def _advance(self, requests: list[StreamStep]) -> list[StreamResult]:
        fresh = self.network.initial_state(1)
        state = joined_states([fresh if r.state is None else r.state for r in requests])
        audio = torch.from_numpy(np.stack([request.audio for request in requests]))
        said, state = self.network.step(audio, state)
        parts = split_states(state, len(requests))
        rows = (said.scores.numpy(), said.activity.numpy(), said.features.numpy())
        arrays = zip(*rows, parts, said.voice.numpy(), strict=True)
        return [StreamResult(*row) for row in arrays]

    def _score(self, pieces: list[NDArray[np.float32]]) -> list[WholeResult]:
        padded, steps = _padded(pieces)
        scores = self.network.whole(padded, torch.tensor(steps))
        return [WholeResult(row[:count].numpy()) for row, count in zip(scores, steps, strict=True)]

    def _tell(self, words: list[NDArray[np.float32]]) -> list[VoiceResult]:
        if self.embedder is None:
            raise RuntimeError("a voice is asked for, and there is no embedder")
        padded, steps = _padded(words)
        own = [count * STEP_FRAMES // self.embedder.steps.stride for count in steps]
        return [VoiceResult(voice.numpy()) for voice in self.embedder(padded, torch.tensor(own))]


def _padded(pieces: list[NDArray[np.float32]]) -> tuple[torch.Tensor, list[int]]:
    """Return features as one batch, and the steps of each."""
    steps = [len(piece) // STEP_FRAMES for piece in pieces]
    padded = np.zeros((len(pieces), max(steps) * STEP_FRAMES, pieces[0].shape[1]), np.float32)
    for row, piece, count in zip(padded, pieces, steps, strict=True):
        row[: count * STEP_FRAMES] = piece[: count * STEP_FRAMES]
    return torch.from_numpy(padded), steps
