"""The single-talker recogniser: features, encoder and transducer in one module."""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn

from meetscribe.nn.encoder import Encoder, EncoderConfig, EncoderState
from meetscribe.nn.features import HOP, Features
from meetscribe.nn.steppable import Steppable
from meetscribe.nn.transducer import Transducer, TransducerConfig

SILENCE = 0
"""The frame-wise class of steps in which nothing is said."""


@dataclass(frozen=True)
class RecogniserConfig:
    """Sizes of all parts."""

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    transducer: TransducerConfig = field(default_factory=TransducerConfig)
    frame_classes: int = 79  # silence and the phone symbols, for the auxiliary frame-wise loss


class RecogniserState(NamedTuple):
    """Past of the features, samples (B, 240), and of the encoder."""

    samples: Tensor
    encoder: EncoderState


class Recogniser(Steppable[RecogniserState]):
    """Audio (B, samples) to tables of log probabilities (B, T, V previous label, V next symbol)."""

    def __init__(self, config: RecogniserConfig) -> None:
        super().__init__()
        self.config = config
        self.features = Features()
        self.encoder = Encoder(config.encoder)
        self.transducer = Transducer(config.encoder.width, config.transducer)
        self.frame_classifier = nn.Linear(config.encoder.width, config.frame_classes)
        self.stride = HOP * self.encoder.stride
        self.lookahead = HOP * self.encoder.lookahead

    @property
    def chunk_samples(self) -> int:
        """Samples of one streaming step."""
        return self.stride * self.config.encoder.chunk

    def initial_state(self, batch: int) -> RecogniserState:
        """Return the state of `batch` streams before anything was heard."""
        return RecogniserState(self.features.initial_state(batch), self.encoder.initial_state(batch))

    def forward(self, audio: Tensor, lengths: Tensor, chunk: int | None) -> Tensor:
        """Score whole recordings.

        Args:
            audio: (B, samples) in -1…1.
            lengths: valid samples of each (B,).
            chunk: steps heard at once, as when streaming; None: each step sees the whole recording.

        Returns:
            Log probabilities (B, T, V, V), T = samples // stride.
        """
        frames = self.features(audio[:, : audio.shape[1] // self.stride * self.stride])
        steps = torch.div(lengths, self.stride, rounding_mode="floor")
        return self.transducer.table(self.encoder(frames, steps, chunk))

    def speech(self, encoded: Tensor) -> Tensor:
        """Return the probability that each step of encodings (B, T, D) is no silence, (B, T)."""
        return 1.0 - self.classes(encoded)[..., SILENCE]

    def classes(self, encoded: Tensor) -> Tensor:
        """Return the probabilities of the frame-wise classes of encodings (B, T, D), (B, T, K)."""
        return torch.softmax(self.frame_classifier(encoded), -1)

    def step(self, x: Tensor, state: RecogniserState) -> tuple[Tensor, RecogniserState]:
        """Score one chunk of each stream: x (B, chunk_samples) to (B, chunk, V, V)."""
        frames, samples = self.features.step(x, state.samples)
        encoded, encoder = self.encoder.step(frames, state.encoder)
        return self.transducer.table(encoded), RecogniserState(samples, encoder)
