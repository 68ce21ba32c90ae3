"""Batches of simulated meetings: the mixture, what each slot should hear of it, and what each slot should say.

Rows of labels are slots: row C b + n is slot n of mixture b. All mixtures of a batch have the same length.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from meetscribe.nn.features import HOP
from meetscribe.nn.ideal_masks import holder, talking
from meetscribe.nn.losses import IGNORED
from meetscribe.nn.separator import SLOTS
from meetscribe.training.simulation.render import Mixture
from meetscribe.training.targets import STEP, Targets, make_targets

FRAMES = STEP // HOP
"""Frames of 10 ms in a step."""


class Mixtures(Protocol):
    """Simulated meetings by number, all of one length."""

    def __getitem__(self, number: int, /) -> Mixture:
        """Return a mixture; the same number gives the same."""
        ...


@dataclass(frozen=True)
class MixtureBatch:
    """Tensors of B mixtures; T steps, U labels, C slots."""

    audio: Tensor  # float32 (B, 640 T)
    sources: Tensor  # float32 (B, C, 640 T), what the talkers of each slot contribute
    talking: Tensor  # bool (B, C, 4 T), whether the slot's talker is in a turn
    holder: Tensor  # int64 (B, 4 T), slot that holds what nobody overlaps: of who speaks, or spoke last
    steps: Tensor  # int64 (C B,)
    classes: Tensor  # int64 (C B, T)
    emitted: Tensor  # int64 (C B, T)
    labels: Tensor  # int64 (C B, U)
    emission: Tensor  # int64 (C B, U)
    ends: Tensor  # int64 (C B, U)
    label_counts: Tensor  # int64 (C B,)

    @property
    def seconds(self) -> float:
        """Audio in the batch."""
        return self.audio.numel() / 16_000


class MixtureBatches(Dataset[MixtureBatch]):
    """Batches by number, deterministic."""

    def __init__(self, mixtures: Mixtures, size: int) -> None:
        self.mixtures, self.size = mixtures, size

    def __getitem__(self, number: int) -> MixtureBatch:
        """Return batch `number`, 0, 1, …, without end."""
        return collate_mixtures([self.mixtures[number * self.size + i] for i in range(self.size)])


def collate_mixtures(mixtures: Sequence[Mixture]) -> MixtureBatch:
    """Put mixtures of one length together."""
    steps = len(mixtures[0].audio) // STEP
    rows = [row for mixture in mixtures for row in slot_targets(mixture, steps)]
    count, most = len(rows), max(1, *(len(row.labels) for row in rows))
    classes, emitted = np.zeros((count, steps), np.int64), np.zeros((count, steps), np.int64)
    labels, ends = np.zeros((count, most), np.int64), np.zeros((count, most), np.int64)
    emission = np.full((count, most), steps, np.int64)
    for number, row in enumerate(rows):
        length = len(row.labels)
        classes[number] = row.classes
        emitted[number, row.emission] = row.labels
        labels[number, :length], emission[number, :length] = row.labels, row.emission
        ends[number, :length] = row.ends
    talks = [talking(mixture.turns, steps * FRAMES) for mixture in mixtures]
    arrays = (
        np.stack([mixture.audio[: steps * STEP] for mixture in mixtures]),
        np.stack([mixture.sources[:, : steps * STEP] for mixture in mixtures]),
        np.stack(talks),
        np.stack([holder(each) for each in talks]),
        np.full(count, steps),
        classes,
        emitted,
        labels,
        emission,
        ends,
        np.array([len(row.labels) for row in rows]),
    )
    return MixtureBatch(*(torch.from_numpy(array) for array in arrays))


def slot_targets(mixture: Mixture, steps: int) -> list[Targets]:
    """Return the targets of each slot; a slot whose labels do not fit one symbol a step is left unlabelled."""
    found = []
    for slot in range(SLOTS):
        turns = [turn.words for turn in mixture.turns if turn.slot == slot and turn.words]
        targets = make_targets(turns, 0.0, steps, 1.0)
        found.append(targets or Targets(np.full(steps, IGNORED), *(np.zeros(0, np.int64) for _ in range(3))))
    return found
