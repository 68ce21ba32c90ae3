"""Lattice-free maximum mutual information: what was said against everything that a language of phones allows.

Yang et al., arXiv 2212.04325, after Povey et al. 2016: with a context of one label the sum over all label sequences
of a transducer with a bigram of its symbols is a forward pass over as many states as there are symbols.
Not covered: the sum over the alignments of what was said (`meetscribe.nn.losses`).
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from meetscribe.nn.loss_kernels import whole_sum


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
