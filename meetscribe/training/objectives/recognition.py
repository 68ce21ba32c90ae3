"""The recogniser's training loss on one batch: along the alignment, over alignments, or these against all else."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from meetscribe.lm.symbols import END_OF_TURN
from meetscribe.nn.discriminative_loss import lattice_free_sum
from meetscribe.nn.loss_kernels import IMPOSSIBLE
from meetscribe.nn.losses import (
    IGNORED,
    EndOfTurnPenalty,
    alignment_path,
    banded_transducer_loss,
    end_of_turn_penalty,
    fast_emit,
    monotonic_band,
    smoothed_cross_entropy,
)
from meetscribe.nn.recogniser import Recogniser
from meetscribe.training.augmentation import warped_filters
from meetscribe.training.batches import Batch
from meetscribe.training.spoken import PhoneLanguage

CHUNKS: tuple[tuple[int | None, float], ...] = ((4, 0.15), (8, 0.4), (16, 0.15), (None, 0.3))
"""Chunks (steps of 40 ms) that batches are trained with, and how often: one network for all and the final pass."""


@dataclass(frozen=True)
class RecognitionConfig:
    """Which losses, and how much of each; all are per step of 40 ms."""

    stage: str = "alignment"  # or "full-sum"
    frame_weight: float = 1.0  # of the frame-wise cross-entropy
    smoothing: float = 0.1
    band: int = 8  # label counts looked at in each step by the full sum
    slack: int = 5  # steps that a label may move in the full sum
    fast_emit: float = 0.0  # λ of FastEmit, in the full sum
    end_of_turn: EndOfTurnPenalty | None = None  # in the full sum
    language: PhoneLanguage | None = None  # with it the full sum is set against all that the language allows
    likelihood: float = 0.2  # of the full sum by itself, beside the discriminative loss


def against(language: PhoneLanguage, **losses: Any) -> RecognitionConfig:
    """Return the losses of the discriminative stage, in which the frame-wise one counts half; `losses` are others."""
    return RecognitionConfig("full-sum", frame_weight=0.5, language=language, **losses)


class Labelled(Protocol):
    """What rows of a batch should be recognised as: see `training.batches.Batch`."""

    @property
    def steps(self) -> Tensor:
        """Valid steps (B,)."""
        ...

    @property
    def classes(self) -> Tensor:
        """Frame-wise class (B, T)."""
        ...

    @property
    def emitted(self) -> Tensor:
        """Label or blank of each step (B, T)."""
        ...

    @property
    def labels(self) -> Tensor:
        """Symbols (B, U)."""
        ...

    @property
    def emission(self) -> Tensor:
        """Step of each label (B, U)."""
        ...

    @property
    def ends(self) -> Tensor:
        """Step in which the sound of each label ends (B, U)."""
        ...

    @property
    def label_counts(self) -> Tensor:
        """Labels of each row (B,)."""
        ...


@dataclass
class RecognitionObjective:
    """The recogniser on single talkers."""

    config: RecognitionConfig = field(default_factory=RecognitionConfig)
    filters: Tensor = field(default_factory=lambda: torch.from_numpy(warped_filters()))

    def __call__(
        self, model: Recogniser, batch: Batch, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of a batch and its parts, each averaged over steps."""
        features = model.features(batch.audio, self.filters.to(batch.audio.device)[batch.warp])
        features = torch.where(batch.hidden, model.encoder.mean, features)
        encoded = model.encoder(features, batch.steps, drawn_chunk(rng))
        return recognition_loss(model, encoded, batch, self.config)


def drawn_chunk(rng: np.random.Generator) -> int | None:
    """Return how many steps are heard at once in a training step; None: all."""
    return CHUNKS[rng.choice(len(CHUNKS), p=[share for _, share in CHUNKS])][0]


def recognition_loss(
    model: Recogniser, encoded: Tensor, batch: Labelled, config: RecognitionConfig
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of encodings (B, T, D) and its parts, each averaged over steps."""
    classes = torch.log_softmax(model.frame_classifier(encoded), -1)
    steps = batch.steps.sum()
    frame = smoothed_cross_entropy(classes, batch.classes, config.smoothing) / steps
    if config.stage == "alignment":
        scores = model.transducer(encoded, alignment_path(batch.emitted))
        label = smoothed_cross_entropy(scores, batch.emitted, config.smoothing) / steps
        parts = {"label": label, "frame": frame}
        loss = label
    else:
        sums = sums_over_alignments(model, encoded, batch, config)
        parts = {name: total.sum() / steps for name, total in sums.items()} | {"frame": frame}
        loss = parts["label"]
        if config.language is not None:
            loss = config.likelihood * loss + parts["against_all"]
    loss = loss + config.frame_weight * frame
    return loss, {name: value.item() for name, value in parts.items()}


def sums_over_alignments(
    model: Recogniser, encoded: Tensor, batch: Labelled, config: RecognitionConfig
) -> dict[str, Tensor]:
    """Return sums over alignments in a band, each (B,).

    Returns:
        label: negative log probability of the labels.
        against_all: negative log share of the labels among all that the language allows, if there is one; zero for rows
            whose labels have no alignment.
    """
    steps = encoded.shape[1]
    band = monotonic_band(batch.emission, batch.label_counts, steps, config.band, config.slack)
    counts = band[:, :steps, None] + torch.arange(config.band, device=band.device)
    last = batch.labels.shape[1] - 1
    rows = torch.arange(len(band), device=band.device)[:, None, None]
    following = batch.labels[rows, counts.clamp(0, last)]
    previous = torch.where(counts > 0, batch.labels[rows, (counts - 1).clamp(0, last)], 0)
    if config.language is None:
        scores = model.transducer(encoded, previous)
        blank, label = scores[..., 0], scores.gather(-1, following[..., None])[..., 0]
    else:
        table = model.transducer.table(encoded)
        time = torch.arange(steps, device=band.device)[None, :, None]
        blank, label = table[rows, time, previous, 0], table[rows, time, previous, following]
    hurried = fast_emit(label, config.fast_emit)
    if config.end_of_turn is not None:
        hurried = hurried - end_of_turn_penalty(
            counts, batch.labels, turn_ends(batch), END_OF_TURN, config.end_of_turn
        )
    sums = {"label": banded_transducer_loss(blank, hurried, band, batch.steps, batch.label_counts)}
    if config.language is not None:
        added = config.language.added.to(table)
        blank, label = blank + added[previous, 0], label + added[previous, following]
        said = -banded_transducer_loss(blank, label, band, batch.steps, batch.label_counts)
        everything = lattice_free_sum(table + added, batch.steps)
        sums["against_all"] = torch.where(said > IMPOSSIBLE / 2, everything - said, 0.0)
    return sums


def turn_ends(batch: Labelled) -> Tensor:
    """Return the step in which the last word of each `<eot>`'s turn ends, (B, K)."""
    closes = batch.labels == END_OF_TURN
    most = max(1, int(closes.sum(1).max()))
    order = torch.argsort(~closes, dim=1, stable=True)[:, :most]
    return batch.ends.gather(1, order)


@torch.no_grad()
def frame_errors(model: Recogniser, encoded: Tensor, batch: Batch) -> tuple[int, int]:
    """Return how many steps were given the wrong class, and how many there are."""
    valid = batch.classes != IGNORED
    wrong = (model.frame_classifier(encoded).argmax(-1) != batch.classes) & valid
    return int(wrong.sum()), int(valid.sum())


@torch.no_grad()
def greedy_labels(model: Recogniser, encoded: Tensor, steps: Tensor) -> list[list[int]]:
    """Return the symbols of the best path, taken greedily step by step, for each example."""
    table = model.transducer.table(encoded).argmax(-1)
    previous = torch.zeros(len(table), dtype=torch.int64, device=table.device)
    emitted = []
    for t in range(table.shape[1]):
        symbol = table[:, t].gather(1, previous[:, None])[:, 0]
        symbol = torch.where(t < steps, symbol, 0)
        previous = torch.where(symbol > 0, symbol, previous)
        emitted.append(symbol)
    return [[s for s in row if s > 0] for row in torch.stack(emitted, 1).tolist()]
