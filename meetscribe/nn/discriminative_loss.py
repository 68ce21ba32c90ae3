"""Lattice-free maximum mutual information: what was said against everything that a language of phones allows.

Yang et al., arXiv 2212.04325, after Povey et al. 2016: with a context of one label the sum over all label sequences
of a transducer with a bigram of its symbols is a forward pass over as many states as there are symbols.
Not covered: the sum over the alignments of what was said (`meetscribe.nn.losses`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from meetscribe.lm.symbols import BLANK, FIRST_PHONE_SYMBOL, NUMBER_OF_SYMBOLS
from meetscribe.nn.loss_kernels import whole_sum

SEEN = 0.2
"""How often a pair of symbols that was never seen counts as seen, times how frequent the second one is."""


@dataclass(frozen=True)
class PhoneLanguage:
    """What is added to the transducer's scores in training, as the search adds its language models and priors.

    Attributes:
        added: nats added to symbol j after label i, float32 (V, V); row 0 is the beginning of a piece.
    """

    added: Tensor


def phone_language(
    sequences: Iterable[Sequence[int]], lm_weight: float, prior_scale: float, blank_penalty: float
) -> PhoneLanguage:
    """Return a bigram of symbols, weighed as in the search's settings.

    Args:
        sequences: symbols of pieces of speech, no blanks.
        lm_weight: factor on the bigram's log probabilities.
        prior_scale: factor on the log frequency of phones, which is taken off.
        blank_penalty: taken from each blank.
    """
    counts = np.zeros((NUMBER_OF_SYMBOLS, NUMBER_OF_SYMBOLS))
    for symbols in sequences:
        np.add.at(counts, ([BLANK, *symbols[:-1]], list(symbols)), 1.0)
    frequency = counts.sum(0) + 1e-2
    frequency[BLANK] = 1e-9
    frequency /= frequency.sum()
    smoothed = counts + SEEN * NUMBER_OF_SYMBOLS * frequency
    added = lm_weight * np.log(smoothed / smoothed.sum(1, keepdims=True))
    added[:, FIRST_PHONE_SYMBOL:] -= prior_scale * np.log(frequency[FIRST_PHONE_SYMBOL:])
    added[:, BLANK] = -blank_penalty
    return PhoneLanguage(torch.from_numpy(added.astype(np.float32)))


class _WholeSum(torch.autograd.Function):
    """The sum over all paths with its gradients, which come with it."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, steps: Tensor) -> Tensor:
        """Return the log of the sum, (B,)."""
        arcs = scores.detach().to("cpu", torch.float32).exp().contiguous().numpy()
        total, shares = whole_sum(arcs, steps.cpu().numpy())
        ctx.save_for_backward(torch.from_numpy(shares).to(scores))
        return torch.from_numpy(total).to(scores)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of the scores."""
        (shares,) = ctx.saved_tensors
        return shares * above[:, None, None, None], None


def lattice_free_sum(scores: Tensor, steps: Tensor) -> Tensor:
    """Return the log of the sum over all label sequences and all their alignments, (B,).

    Args:
        scores: of symbol j after label i in step t, (B, T, V, V), neither far above 0 nor all far below.
        steps: valid steps (B,).
    """
    return _WholeSum.apply(scores, steps)  # type: ignore[no-any-return]
