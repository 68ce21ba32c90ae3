"""What the separator learns: the features of each slot's talkers as they would be had the other been silent.

Who is alone keeps everything, noise included (a mask of one); where two overlap, the mixture's energy is shared out in
proportion to theirs. So single talk passes as it is, and what the recogniser hears of two is as loud as it was.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from meetscribe.nn.features import Features
from meetscribe.nn.separator import FLOOR, SLOTS, Masks, Separator, masked
from meetscribe.training.augmentation import warped_filters
from meetscribe.training.mixtures import MixtureBatch

SILENT_ENERGY = 10.0
"""Mel energy (16-bit samples) that counts as nothing; below the floor of masked features."""


RANGE = 8.0
"""Nats between the loudest parts of speech and those that do not matter."""

FRESH = 50.0
"""Frames for which the beginning of an overlap counts more."""

SEGMENT = 8
"""Frames in which dominance may be the other way round without cost, in half of its loss."""


@dataclass(frozen=True)
class SeparationConfig:
    """How much of each loss."""

    mask: float = 1.0  # mean difference of features, in nats
    activity: float = 0.3
    overlap: float = 2.0  # how much more frames count in which two talk
    dominance: float = 3.0  # which of two that overlap is the louder in each band
    grouping: float = 1.0  # the same, when the slots may be exchanged in each short segment


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
        self.features.to(batch.audio.device)
        power = self.features.spectrum(batch.audio)
        filters = self.filters.to(batch.audio.device)[batch.warp]
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
    share = slot_shares(batch, filters, objective.features.to(mixture.device))
    target = slot_features(mixture, share)
    heard = (mixture > FLOOR)[:, None]
    both = batch.talking.all(1)[:, None, :, None]
    weight = heard * (1.0 + objective.config.overlap * both)
    loud = loudness(mixture)[:, None] * both * freshness(batch.talking)[:, None, :, None]
    differences = (masked(mixture, found.masks) - target).abs() * weight
    mask = differences.sum() / (SLOTS * weight.sum()).clamp_min(1)
    steps = found.activity.shape[-1]
    speaks = batch.talking.float().unflatten(-1, (steps, -1)).mean(-1)
    activity = cross_entropy(found.activity, speaks)
    with torch.no_grad():
        overlapped = (differences * both).sum() / (SLOTS * (weight * both).sum()).clamp_min(1)
        wrong = ((found.activity > 0) != (speaks > 0.5)).float().mean()
    dominance, grouping = dominance_loss(found.odds, share, loud)
    weights = objective.config
    loss = (
        weights.mask * mask
        + weights.activity * activity
        + weights.dominance * dominance
        + weights.grouping * grouping
    )
    parts = {
        "mask": mask,
        "overlapped": overlapped,
        "dominance": dominance,
        "grouping": grouping,
        "activity": activity,
        "activity_errors": wrong,
    }
    return loss, {name: value.item() for name, value in parts.items()}


def dominance_loss(odds: Tensor, share: Tensor, heard: Tensor) -> tuple[Tensor, Tensor]:
    """Return how wrong the masks are about which slot is the louder: the cross-entropy of energy shares.

    The difference of features alone is least for years when both slots hear everything; telling the talkers apart
    band by band is what has to be learned first.

    Args:
        odds: of the masks (B, C, T, F).
        share: of each slot in the energy (B, C, T, F).
        heard: how much each place counts (B, 1, T, F).
    """
    difference, places = odds[:, 0] - odds[:, 1], heard[:, 0]
    straight, crossed = (
        (cross_entropy(difference, share[:, n], reduction="none") * places).sum(-1) for n in range(SLOTS)
    )
    segments = [cost.unflatten(-1, (-1, SEGMENT)).sum(-1) for cost in (straight, crossed)]
    count = places.sum().clamp_min(1)
    return straight.sum() / count, torch.minimum(*segments).sum() / count


def freshness(talking: Tensor) -> Tensor:
    """Return how much frames of an overlap count, (B, T): its first half second most.

    Who goes on and who begins is heard best there; what is learned there carries further.
    """
    both = talking.all(1)
    place = torch.arange(both.shape[1], device=both.device)
    since = place - torch.where(both, 0, place).cummax(1).values
    return 0.25 + torch.exp(-since / FRESH)


def loudness(mixture: Tensor) -> Tensor:
    """Return how much of each band is speech, (B, T, F): 0 at RANGE below the loud ones, rising to 1."""
    loud = torch.quantile(mixture.flatten(1)[:, ::7], 0.97, dim=1)[:, None, None]
    return ((mixture - loud) / RANGE + 1.0).clamp(0.0, 1.0)


@torch.no_grad()
def slot_shares(batch: MixtureBatch, filters: Tensor, features: Features) -> Tensor:
    """Return the share of each slot's talkers in the energy of each band, (B, C, 4 T, F).

    Where nobody is heard all belongs to the slot that holds the floor.
    """
    power = features.spectrum(batch.sources.flatten(0, 1)).unflatten(0, (-1, SLOTS))
    energy = power @ filters[:, None]
    holder = functional.one_hot(batch.holder, SLOTS).transpose(1, 2)[..., None]
    return (energy + SILENT_ENERGY * holder) / (energy.sum(1, keepdim=True) + SILENT_ENERGY)


def slot_features(mixture: Tensor, share: Tensor) -> Tensor:
    """Return the log-mel features that each slot should hear, (B, C, 4 T, F)."""
    shared = mixture[:, None] + share.clamp_min(1e-9).log()
    return torch.where(share > 0.999, mixture[:, None], shared.clamp_min(FLOOR))
