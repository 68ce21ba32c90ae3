"""What the separator learns: the features of each slot's talkers as they would be had the other been silent.

Who is alone keeps everything, noise included (a mask of one); where two overlap, the mixture's energy is shared out in
proportion to theirs. So single talk passes as it is, and what the recogniser hears of two is as loud as it was.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from meetscribe.nn.features import Features
from meetscribe.nn.separator import FLOOR, SLOTS, Masks, Separator, masked
from meetscribe.training.augmentation import warped_filters
from meetscribe.training.mixtures import MixtureBatch

SILENT_ENERGY = 10.0
"""Mel energy (16-bit samples) that counts as nothing; below the floor of masked features."""


@dataclass(frozen=True)
class SeparationConfig:
    """How much of each loss."""

    mask: float = 1.0  # mean difference of features, in nats
    activity: float = 0.3
    overlap: float = 2.0  # how much more frames count in which two talk


@dataclass
class SeparationObjective:
    """The separator on its own."""

    config: SeparationConfig = field(default_factory=SeparationConfig)
    features: Features = field(default_factory=Features)
    filters: Tensor = field(default_factory=lambda: torch.from_numpy(warped_filters()))

    def __call__(
        self, model: Separator, batch: MixtureBatch, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of a batch and its parts."""
        power = self.features.spectrum(batch.audio)
        filters = self.filters[batch.warp]
        mixture = self.features.energies(power, filters)
        return separation_loss(model(power), mixture, batch, filters, self)


def separation_loss(
    found: Masks, mixture: Tensor, batch: MixtureBatch, filters: Tensor, objective: SeparationObjective
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of masks and activity, and its parts.

    Args:
        found: of the mixtures.
        mixture: their log-mel features (B, 4 T, F).
        batch: the mixtures.
        filters: mel filters of each mixture (B, 257, F).
        objective: its features and weights.
    """
    target = slot_features(mixture, batch, filters, objective.features)
    heard = (mixture > FLOOR)[:, None]
    both = batch.talking.all(1)[:, None, :, None]
    weight = heard * (1.0 + objective.config.overlap * both)
    differences = (masked(mixture, found.masks) - target).abs() * weight
    mask = differences.sum() / (SLOTS * weight.sum()).clamp_min(1)
    steps = found.activity.shape[-1]
    speaks = batch.talking.float().unflatten(-1, (steps, -1)).mean(-1)
    activity = functional.binary_cross_entropy_with_logits(found.activity, speaks)
    with torch.no_grad():
        overlapped = (differences * both).sum() / (SLOTS * (weight * both).sum()).clamp_min(1)
        wrong = ((found.activity > 0) != (speaks > 0.5)).float().mean()
    loss = objective.config.mask * mask + objective.config.activity * activity
    parts = {"mask": mask, "overlapped": overlapped, "activity": activity, "activity_errors": wrong}
    return loss, {name: value.item() for name, value in parts.items()}


@torch.no_grad()
def slot_features(mixture: Tensor, batch: MixtureBatch, filters: Tensor, features: Features) -> Tensor:
    """Return the log-mel features that each slot should hear, (B, C, 4 T, F)."""
    power = features.spectrum(batch.sources.flatten(0, 1)).unflatten(0, (-1, SLOTS))
    energy = power @ filters[:, None]
    holder = functional.one_hot(batch.holder, SLOTS).transpose(1, 2)[..., None]
    share = (energy + SILENT_ENERGY * holder) / (energy.sum(1, keepdim=True) + SILENT_ENERGY)
    shared = mixture[:, None] + share.clamp_min(1e-9).log()
    return torch.where(share > 0.999, mixture[:, None], shared.clamp_min(FLOOR))
