"""The whole network on simulated meetings, half of what it hears being single talkers.

The transducer's loss over both slots, and beside it what helps it (SURT 2.0, arXiv 2306.10559; arXiv 2205.05199):
masks and activity as the separator learned them, silence of the encodings where a slot is silent, CTC.
Masks are gated as when streaming (`nn/order.py`), by who really talks: the labels' slots would not fit a course that is
found.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from meetscribe.lm.symbols import FIRST_PHONE_SYMBOL
from meetscribe.nn.auxiliary_losses import ctc_loss, masking_loss, without_symbols_below
from meetscribe.nn.order import BOTH, gated
from meetscribe.nn.recogniser import Recogniser
from meetscribe.nn.segmenter import SeparatorTransducerSegmenter
from meetscribe.nn.separator import FRAMES as SEPARATOR_FRAMES
from meetscribe.nn.separator import masked
from meetscribe.training.batches import Batch
from meetscribe.training.mixtures import FRAMES, MixtureBatch
from meetscribe.training.objectives.recognition import (
    Labelled,
    RecognitionConfig,
    RecognitionObjective,
    drawn_chunk,
    recognition_loss,
)
from meetscribe.training.objectives.separation import (
    SeparationConfig,
    SeparationObjective,
    separation_loss,
)


@dataclass(frozen=True)
class JointConfig:
    """How much of each loss; all are per step of 40 ms."""

    recognition: RecognitionConfig = field(default_factory=lambda: RecognitionConfig("full-sum"))
    separation: SeparationConfig = field(default_factory=SeparationConfig)
    single: float = 1.0  # of the single talkers' loss
    separator: float = 0.2  # of the separator's own losses; 0: it stays as it is
    masking: float = 0.0  # of the norm of encodings where a slot is silent
    ctc: float = 0.0


@dataclass(frozen=True)
class JointBatch:
    """Single talkers, and mixtures."""

    single: Batch
    mixtures: MixtureBatch

    @property
    def seconds(self) -> float:
        """Audio in the batch."""
        return self.single.seconds + self.mixtures.seconds


@dataclass
class JointObjective:
    """Separator, recogniser and segmenter together."""

    config: JointConfig = field(default_factory=JointConfig)

    def __post_init__(self) -> None:
        self.single = RecognitionObjective(self.config.recognition)
        self.separation = SeparationObjective(self.config.separation)

    def __call__(
        self, model: SeparatorTransducerSegmenter, batch: JointBatch, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of a batch and its parts."""
        single, parts = self.single(model.recogniser, batch.single, rng)
        mixed, more = self.mixed(model, batch.mixtures, drawn_chunk(rng))
        loss = mixed + self.config.single * single
        return loss, {**{f"single_{name}": value for name, value in parts.items()}, **more}

    def mixed(
        self, model: SeparatorTransducerSegmenter, batch: MixtureBatch, chunk: int | None
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of mixtures and its parts."""
        assert model.separator is not None
        recogniser = model.recogniser
        mixture, x = self.separation.prepared(batch)
        found, separation, more = separation_loss(model.separator(x), mixture, batch, self.separation)
        owner = torch.where(batch.talking.all(1), BOTH, batch.holder)[:, ::SEPARATOR_FRAMES]
        features = masked(mixture, gated(found, owner).masks).flatten(0, 1)
        encoded = recogniser.encoder(features, batch.steps, chunk)
        loss, parts = recognition_loss(recogniser, encoded, batch, self.config.recognition)
        loss = loss + self.config.separator * separation
        if self.config.masking:
            silent = ~batch.talking.flatten(0, 1).unflatten(-1, (-1, FRAMES)).any(-1)
            projected = recogniser.transducer.encoder_projection(encoded)
            masking = masking_loss(projected, silent, batch.steps)
            loss, parts["masking"] = loss + self.config.masking * masking, masking.item()
        if self.config.ctc:
            ctc = frame_ctc(recogniser, encoded, batch)
            loss, parts["ctc"] = loss + self.config.ctc * ctc, ctc.item()
        return loss, parts | more


def frame_ctc(recogniser: Recogniser, encoded: Tensor, batch: Labelled) -> Tensor:
    """Return the CTC loss of the frame-wise classifier, whose silence is CTC's blank: phones that last are repeats."""
    labels, counts = without_symbols_below(batch.labels, batch.label_counts, FIRST_PHONE_SYMBOL)
    classes = torch.where(labels > 0, labels - FIRST_PHONE_SYMBOL + 1, 0)
    scores = torch.log_softmax(recogniser.frame_classifier(encoded), -1)
    return ctc_loss(scores, classes, batch.steps, counts)
