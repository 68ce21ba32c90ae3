"""What the embedder learns: cuts of one person near each other, and far from everybody else's.

Two losses: of all classes an additive angular margin (Deng et al., arXiv 1801.07698), and of the persons of the batch
which cut belongs to which (angular prototypes, Chung et al., arXiv 2003.11982). The second one needs no class, and so
takes the people that were made of others.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from meetscribe.nn.embedder import Embedder, EmbedderConfig
from meetscribe.nn.features import Features
from meetscribe.training.augmentation import warped_filters
from meetscribe.training.crops import CropBatch


@dataclass(frozen=True)
class PeopleConfig:
    """How much of each loss."""

    margin: float = 0.1  # radians
    scale: float = 30.0  # of cosines
    pairs: float = 1.0
    masking_error: float = 0.7  # nats: how wrong separating masks are


class PeopleClassifier(nn.Module):
    """The embedder, and a direction for each person in training."""

    def __init__(self, config: EmbedderConfig, people: int) -> None:
        super().__init__()
        self.config = config
        self.embedder = Embedder(config)
        self.prototypes = nn.Linear(config.dimensions, people, bias=False)
        self.pair_scale = nn.Parameter(torch.tensor(15.0))


@dataclass
class PeopleObjective:
    """Who is who."""

    config: PeopleConfig = field(default_factory=PeopleConfig)
    features: Features = field(default_factory=Features)
    filters: Tensor = field(default_factory=lambda: torch.from_numpy(warped_filters()))

    def __call__(
        self, model: PeopleClassifier, batch: CropBatch, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of a batch and its parts."""
        frames = self.frames(batch, rng)
        voices = model.embedder(frames)
        with torch.autocast(frames.device.type, enabled=False):
            known = batch.person >= 0
            classes = self._classes(model, voices[known], batch.person[known])
            pairs, right = _pairs(voices, model.pair_scale)
        loss = classes + self.config.pairs * pairs
        return loss, {"classes": classes.item(), "pairs": pairs.item(), "right": right.item()}

    @torch.no_grad()
    def frames(self, batch: CropBatch, rng: np.random.Generator) -> Tensor:
        """Return the features of the cuts, in full precision."""
        with torch.autocast(batch.audio.device.type, enabled=False):
            features, filters = self.features.to(batch.audio.device), self.filters.to(batch.audio.device)
            power = features.spectrum(batch.audio)
            energies = features.energies(power, filters[batch.warp])
            masked = batch.separated.nonzero()[:, 0]
            if len(masked):
                chosen, others = filters[batch.warp[masked]], batch.others[masked]
                own = features.spectrum(batch.audio[masked] - others) @ chosen
                odds = (own.clamp_min(1.0) / (features.spectrum(others) @ chosen).clamp_min(1.0)).log()
                wrong = torch.from_numpy(rng.standard_normal(odds.shape, np.float32)).to(odds)
                odds = odds + self.config.masking_error * wrong
                energies[masked] += functional.logsigmoid(odds)
            return energies + batch.colour[:, None]

    def _classes(self, model: PeopleClassifier, voices: Tensor, people: Tensor) -> Tensor:
        if not len(people):
            return voices.sum() * 0.0
        cosines = functional.linear(voices, functional.normalize(model.prototypes.weight, dim=-1))
        own = cosines.gather(1, people[:, None]).clamp(-0.999, 0.999)
        with_margin = (own.acos() + self.config.margin).cos()
        logits = cosines.scatter(1, people[:, None], with_margin) * self.config.scale
        return functional.cross_entropy(logits, people)


def _pairs(voices: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss of finding each person's other cut in the batch, and how many are found."""
    similar = voices[0::2] @ voices[1::2].T * scale.clamp(1.0, 60.0)
    own = torch.arange(len(similar), device=similar.device)
    both = functional.cross_entropy(similar, own) + functional.cross_entropy(similar.T, own)
    return both / 2, (similar.argmax(1) == own).float().mean()
