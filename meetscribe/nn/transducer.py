"""Predictor and joiner of a strictly monotonic transducer with a previous-label context of one.

Each step emits exactly one symbol: blank or a phone (Zhou et al., arXiv 2010.16368; the topology is the recurrent
neural aligner's, Sak et al. 2017). With so short a context the network's whole answer for a step is a table of
previous label against next symbol, which is what the search reads.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class TransducerConfig:
    """Sizes of the predictor and the joiner."""

    symbols: int = 81
    inner: int = 256  # channels where encoding and label meet


class Transducer(nn.Module):
    """Encodings and previous labels to scores of the next symbol."""

    def __init__(self, width: int, config: TransducerConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder_projection = nn.Linear(width, config.inner)
        self.predictor = nn.Embedding(config.symbols, config.inner)
        self.joiner = nn.Linear(config.inner, config.symbols)
        nn.init.normal_(self.predictor.weight, std=0.1)

    def forward(self, encoded: Tensor, previous: Tensor) -> Tensor:
        """Score one or several previous labels a step.

        Args:
            encoded: (B, T, D).
            previous: labels (B, T) or (B, T, W).

        Returns:
            Log probabilities of the next symbol, (B, T, V) or (B, T, W, V).
        """
        projected = self.encoder_projection(encoded)
        if previous.dim() == 3:
            projected = projected[:, :, None]
        return self._joined(projected + self.predictor(previous))

    def table(self, encoded: Tensor) -> Tensor:
        """Score all previous labels of each step: (B, T, D) to log probabilities (B, T, V previous, V next)."""
        return self._joined(self.encoder_projection(encoded)[:, :, None] + self.predictor.weight)

    def _joined(self, met: Tensor) -> Tensor:
        return functional.log_softmax(self.joiner(torch.tanh(met)), -1)
