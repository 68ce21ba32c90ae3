"""The recogniser's training loss on one batch, in its two stages: along the alignment, then over alignments."""

from dataclasses import dataclass

import torch
from torch import Tensor

from meetscribe.nn.losses import (
    IGNORED,
    alignment_path,
    banded_transducer_loss,
    monotonic_band,
    smoothed_cross_entropy,
)
from meetscribe.nn.recogniser import Recogniser
from meetscribe.training.batches import Batch


@dataclass(frozen=True)
class ObjectiveConfig:
    """Which losses, and how much of each; all are per step of 40 ms."""

    stage: str = "alignment"  # or "full-sum"
    frame_weight: float = 1.0  # of the frame-wise cross-entropy
    smoothing: float = 0.1
    band: int = 8  # label counts looked at in each step by the full sum
    slack: int = 5  # steps that a label may move in the full sum


def batch_loss(
    model: Recogniser, batch: Batch, filters: Tensor, chunk: int | None, config: ObjectiveConfig
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of a batch and its parts, each averaged over steps.

    Args:
        model: what is trained.
        batch: on the model's device.
        filters: mel filters of each vocal-tract factor (W, 257, F).
        chunk: steps heard at once; None: all.
        config: the stage and its weights.
    """
    features = model.features(batch.audio, filters[batch.warp])
    features = torch.where(batch.hidden, model.encoder.mean, features)
    encoded = model.encoder(features, batch.steps, chunk)
    classes = torch.log_softmax(model.frame_classifier(encoded), -1)
    steps = batch.steps.sum()
    frame = smoothed_cross_entropy(classes, batch.classes, config.smoothing) / steps
    if config.stage == "alignment":
        scores = model.transducer(encoded, alignment_path(batch.emitted))
        label = smoothed_cross_entropy(scores, batch.emitted, config.smoothing) / steps
    else:
        label = full_sum(model, encoded, batch, config).sum() / steps
    loss = label + config.frame_weight * frame
    return loss, {"label": label.item(), "frame": frame.item()}


def full_sum(model: Recogniser, encoded: Tensor, batch: Batch, config: ObjectiveConfig) -> Tensor:
    """Return the negative log probability of the labels of each example, summed over alignments in a band, (B,)."""
    steps = encoded.shape[1]
    band = monotonic_band(batch.emission, batch.label_counts, steps, config.band, config.slack)
    counts = band[:, :steps, None] + torch.arange(config.band, device=band.device)
    last = batch.labels.shape[1] - 1
    rows = torch.arange(len(band), device=band.device)[:, None, None]
    following = batch.labels[rows, counts.clamp(0, last)]
    previous = torch.where(counts > 0, batch.labels[rows, (counts - 1).clamp(0, last)], 0)
    scores = model.transducer(encoded, previous)
    label = scores.gather(-1, following[..., None])[..., 0]
    return banded_transducer_loss(scores[..., 0], label, band, batch.steps, batch.label_counts)


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
