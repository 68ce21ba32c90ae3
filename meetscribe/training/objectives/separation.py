"""What the separator learns: ideal ratio masks (`nn/ideal_masks.py`), and who talks."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from meetscribe.nn.features import Features
from meetscribe.nn.ideal_masks import shared_features, shares
from meetscribe.nn.periodicity import Periodicity
from meetscribe.nn.separator import FLOOR, SLOTS, Masks, Separator, heard, masked
from meetscribe.training.mixtures import MixtureBatch

RANGE = 8.0
"""Nats between the loudest parts of speech and those that do not matter."""


@dataclass(frozen=True)
class SeparationConfig:
    """How much of each loss."""

    mask: float = 0.2  # mean difference of features, in nats
    activity: float = 1.0
    overlap: float = 2.0  # how much more frames count in which two talk
    dominance: float = 3.0  # which slot is the louder in each band
    after: float = 2.0  # how much more activity counts just after an overlap


DUETS = SeparationConfig(mask=0.0, activity=0.0)
"""Of duets: everybody talks all the time."""

ALONE = 0.3
"""How much dominance counts where one talks, against where two do."""

AFTER = 100
"""Frames of 10 ms after an overlap in which it counts as much who goes on: the words of a turn follow into its slot."""


@dataclass
class SeparationObjective:
    """The separator on its own."""

    config: SeparationConfig = field(default_factory=SeparationConfig)
    features: Features = field(default_factory=Features)
    periodicity: Periodicity = field(default_factory=Periodicity)

    def __call__(
        self, model: Separator, batch: MixtureBatch, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of a batch and its parts."""
        mixture, x = self.prepared(batch)
        _, loss, parts = separation_loss(model(x), mixture, batch, self)
        return loss, parts

    @torch.no_grad()
    def prepared(self, batch: MixtureBatch) -> tuple[Tensor, Tensor]:
        """Return the mixtures' log-mel features and the separator's input, in full precision."""
        device = batch.audio.device
        with torch.autocast(device.type, enabled=False):
            mixture = self.features.to(device)(batch.audio)
            return mixture, heard(mixture, self.periodicity.to(device)(batch.audio))


def separation_loss(
    found: Masks, mixture: Tensor, batch: MixtureBatch, objective: SeparationObjective
) -> tuple[Masks, Tensor, dict[str, float]]:
    """Return the masks in the order of the slots, their loss, and its parts.

    Args:
        found: of the mixtures, in any order (see `crossing`).
        mixture: their log-mel features (B, 4 T, F).
        batch: the mixtures.
        objective: its features and weights.
    """
    with torch.autocast(mixture.device.type, enabled=False):
        share = slot_shares(batch, objective.features.to(mixture.device))
    both = batch.talking.all(1)
    after = goes_on(batch.talking)
    places = loudness(mixture) * torch.where(both | after, 1.0, ALONE)[..., None]
    found = Masks(found.odds.float(), found.activity.float())
    straight, crossed = dominance_costs(found.odds, share, places)
    cross = crossing(straight, crossed, batch)
    steps = found.activity.shape[-1]
    found = found.exchanged(cross.unflatten(1, (steps, -1))[..., 0])
    audible = (mixture > FLOOR)[:, None]
    weight = audible * (1.0 + objective.config.overlap * both[:, None, :, None])
    differences = (masked(mixture, found.masks) - shared_features(mixture, share)).abs() * weight
    mask = differences.sum() / (SLOTS * weight.sum()).clamp_min(1)
    speaks = batch.talking.float().unflatten(-1, (steps, -1)).mean(-1)
    told = 1.0 + objective.config.after * after.float().unflatten(-1, (steps, -1)).mean(-1)
    activity = cross_entropy(found.activity, speaks, told[:, None].expand_as(speaks))
    dominance = torch.where(cross, crossed, straight).sum() / places.sum().clamp_min(1)
    weights = objective.config
    loss = weights.mask * mask + weights.activity * activity + weights.dominance * dominance
    with torch.no_grad():
        parts = {
            "mask": mask,
            "dominance": dominance,
            "right": _share_right(found, share, places * both[..., None]),
            "right_alone": _share_right(found, share, places * ~both[..., None]),
            "activity": activity,
            "activity_errors": ((found.activity > 0) != (speaks > 0.5)).float().mean(),
        }
    return found, loss, {name: value.item() for name, value in parts.items()}


def _share_right(found: Masks, share: Tensor, places: Tensor) -> Tensor:
    """Return where the right slot is the louder, of all places (B, T, F) by their weight."""
    right = (found.odds[:, 0] > found.odds[:, 1]) == (share[:, 0] > 0.5)
    return (right * places).sum() / places.sum().clamp_min(1)


def dominance_costs(odds: Tensor, share: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Return how wrong the masks are about which slot is the louder, as they are and exchanged, (B, T) each.

    It is the cross-entropy of energy shares. The difference of features alone is least for hours when both slots hear
    everything; telling the talkers apart band by band is what has to be learned first.

    Args:
        odds: of the masks (B, C, T, F).
        share: of each slot in the energy (B, C, T, F).
        places: how much each place counts (B, T, F).
    """
    difference = odds[:, 0] - odds[:, 1]
    straight, crossed = (
        (cross_entropy(difference, share[:, n], reduction="none") * places).sum(-1) for n in range(SLOTS)
    )
    return straight, crossed


def goes_on(talking: Tensor) -> Tensor:
    """Return where one goes on alone after an overlap, up to AFTER frames, bool (B, T) of talking (B, C, T)."""
    both = talking.all(1)
    recent = functional.max_pool1d(functional.pad(both.float(), (AFTER, 0))[:, None], AFTER + 1, 1)[:, 0] > 0
    return recent & talking.any(1) & ~both


@torch.no_grad()
def crossing(straight: Tensor, crossed: Tensor, batch: MixtureBatch) -> Tensor:
    """Return where the separator's slots stand for each other's, bool (B, 2 T); see `dominance_costs`.

    Within a stretch of talk, from silence to silence, the slots have to be held apart; which of them is which is free,
    as in Graph-PIT (arXiv 2107.14446): who spoke last may be long ago. When streaming, `nn/order.py` puts them in
    order.
    """
    talk = batch.talking.any(1)
    begins = talk & ~functional.pad(talk, (1, 0))[:, :-1]
    stretch = (begins.long().cumsum(1) - 1).clamp_min(0)
    sums = [cost.new_zeros(cost.shape).scatter_add_(1, stretch, cost) for cost in (straight, crossed)]
    return (sums[1] < sums[0]).gather(1, stretch)


def loudness(mixture: Tensor) -> Tensor:
    """Return how much of each band is speech, (B, T, F): 0 at RANGE below the loud ones, rising to 1."""
    loud = torch.quantile(mixture.flatten(1)[:, ::7], 0.97, dim=1)[:, None, None]
    return ((mixture - loud) / RANGE + 1.0).clamp(0.0, 1.0)


@torch.no_grad()
def slot_shares(batch: MixtureBatch, features: Features) -> Tensor:
    """Return the share of each slot's talkers in the energy of each band, (B, C, 4 T, F)."""
    power = features.spectrum(batch.sources.flatten(0, 1)).unflatten(0, (-1, SLOTS))
    return shares(power @ features.filters, batch.holder)
