"""Perfect separation as a control: the recogniser hears each slot as if a separator had made no mistake.

What each slot's talkers contribute to a simulated recording lies beside it (`scripts/simulate`). Their shares in the
energy of each band are what a separator learns to find (`nn/ideal_masks.py`); here they are known. So
this control tells what separation costs, and what is left to the recogniser, the search and the logic of turns.
Activity is known too: where a slot's talkers are loud. It says nothing of whether a pause ends a turn.
Not covered: real recordings, of which nobody knows what each person contributed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor

from meetscribe.engine.batches import InProcessEngine
from meetscribe.errors import InputError
from meetscribe.evaluation.segments import Segment
from meetscribe.nn.encoder import EncoderState
from meetscribe.nn.features import SMALLEST_ENERGY
from meetscribe.nn.ideal_masks import holder, shared_features, shares, talking
from meetscribe.nn.segmenter import SeparatorTransducerSegmenter
from meetscribe.nn.separator import SLOTS
from meetscribe.streaming.steps import (
    STEP_FRAMES,
    STEP_SAMPLES,
    StepRequest,
    StepResult,
    StreamResult,
    StreamStep,
)

FOLDER = "slots"
"""Below the folder of a set: what each slot's talkers contribute, a channel each."""

DEPTH = 1e-3
"""A slot is active where it has this part of the power of its loud steps."""


class OracleState(NamedTuple):
    """Where a stream is: steps heard, and the recogniser's past in both slots."""

    heard: int
    encoder: EncoderState


def read_sources(recording: Path) -> NDArray[np.float32]:
    """Read what each slot's talkers contribute to a recording of a set, float32 [slots, samples].

    Raises:
        InputError: it is not there, or has other than two channels.
    """
    path = recording.parent / FOLDER / f"{recording.stem}.flac"
    try:
        samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"{path} cannot be read, which perfect separation needs: write the set again with scripts/simulate"
        ) from error
    if samples.shape[1] != SLOTS:
        raise InputError(f"{path} has {samples.shape[1]} channels instead of {SLOTS}; write the set again")
    return np.ascontiguousarray(samples.T, np.float32)


def activity(sources: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 1 where a slot's talkers are loud, else 0, of sources [slots, samples]: float32 [slots, steps]."""
    steps = sources[:, : sources.shape[1] // STEP_SAMPLES * STEP_SAMPLES].reshape(
        len(sources), -1, STEP_SAMPLES
    )
    power = np.square(steps).mean(-1)
    loud = np.quantile(power.max(0), 0.95) if power.size else 0.0
    return (power > max(DEPTH * loud, 1e-12)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class OracleEngine:
    """Runs the steps of one recording's stream, whose sources are known.

    Attributes:
        network: its recogniser is used, its separator is not.
        audio: the recording, float32 [samples].
        sources: what each slot's talkers contribute, float32 [slots, samples].
        turns: of the reference, with slots.
    """

    network: SeparatorTransducerSegmenter
    audio: NDArray[np.float32]
    sources: NDArray[np.float32]
    turns: Sequence[Segment]

    def run(self, requests: Sequence[StepRequest]) -> list[StepResult]:
        """Return the results of the steps, in their order."""
        results: list[StepResult] = []
        for request in requests:
            if isinstance(request, StreamStep):
                results.append(self._advance(request))
            else:
                results += self._whole.run([request])
        return results

    @cached_property
    def _whole(self) -> InProcessEngine:
        return InProcessEngine(self.network)

    @cached_property
    def _activity(self) -> NDArray[np.float32]:
        return activity(self.sources)

    @cached_property
    @torch.inference_mode()
    def _features(self) -> Tensor:
        """What each slot hears of the whole recording, (C, T, F): frames see nothing that comes after them."""
        features = self.network.recogniser.features
        filled = -len(self.audio) % self.network.chunk_samples
        sound = torch.from_numpy(np.pad(np.vstack([self.audio, self.sources]), ((0, 0), (0, filled))))
        energies = features.spectrum(sound) @ features.filters
        holders = torch.from_numpy(holder(talking(self.turns, energies.shape[1])))
        return shared_features(energies[0].clamp_min(SMALLEST_ENERGY).log(), shares(energies[1:], holders))

    @torch.inference_mode()
    def _advance(self, request: StreamStep) -> StreamResult:
        recogniser, steps = self.network.recogniser, len(request.audio) // STEP_SAMPLES
        state = request.state or OracleState(0, recogniser.encoder.initial_state(SLOTS))
        first, last = state.heard, state.heard + steps
        part = self._features[:, first * STEP_FRAMES : last * STEP_FRAMES]
        encoded, encoder = recogniser.encoder.step(part, state.encoder)
        scores = recogniser.transducer.table(encoded).numpy()
        known = self._activity[:, first:last]
        speaks = np.pad(known, ((0, 0), (0, steps - known.shape[1]))) * recogniser.speech(encoded).numpy()
        voice = self.network.voices(encoded, part).numpy()
        return StreamResult(scores, speaks, part.numpy(), OracleState(last, encoder), voice)
