"""Losses of the transducer: cross-entropies along an alignment, the sum over alignments near it, and what hurries both.

All take log probabilities and return sums over the batch, with what to divide by left to the caller.
Not covered: losses beside the transducer (`meetscribe.nn.auxiliary_losses`); the sum over everything that might have
been said (`meetscribe.nn.discriminative_loss`).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from meetscribe.nn.loss_kernels import banded_sum

IGNORED = -100


def smoothed_cross_entropy(log_probs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Return the summed cross-entropy with uniformly smoothed targets (Szegedy et al. 2016).

    Args:
        log_probs: (B, T, V).
        targets: (B, T), `IGNORED` where there is none.
        smoothing: probability mass spread over all V.
    """
    flat, wanted = log_probs.flatten(0, 1), targets.flatten()
    hit = functional.nll_loss(flat, wanted, ignore_index=IGNORED, reduction="sum")
    if smoothing == 0.0:
        return hit
    spread = -flat[wanted != IGNORED].sum() / flat.shape[-1]
    return (1.0 - smoothing) * hit + smoothing * spread


def alignment_path(emitted: Tensor) -> Tensor:
    """Return the previous label of each step for emitted symbols (B, T), blank = 0, label = anything else."""
    steps = torch.arange(emitted.shape[1], device=emitted.device).expand_as(emitted)
    last = torch.where(emitted > 0, steps, -1).cummax(1).values
    before = functional.pad(last, (1, 0), value=-1)[:, :-1]
    return torch.where(before >= 0, emitted.clamp_min(0).gather(1, before.clamp_min(0)), 0)


def monotonic_band(emission: Tensor, labels: Tensor, steps: int, width: int, slack: int) -> Tensor:
    """Return the first label count that the banded sum looks at in each step, (B, T + 1).

    At time t (before step t) a path may have emitted between band[t] and band[t] + width - 1 labels. The band holds
    all counts that are reached when each label moves up to `slack` steps around its place in the alignment, as far as
    `width` allows, and never moves on by more than one label a step.

    Args:
        emission: step of each label in a known alignment, ascending (B, U).
        labels: number of labels of each example (B,).
        steps: T.
        width: label counts looked at in each step.
        slack: steps.
    """
    time = torch.arange(steps + 1, device=emission.device)
    index = torch.arange(emission.shape[1], device=emission.device)
    real = index[None] < labels[:, None]
    passed = ((emission[:, None] < time[None, :, None]) & real[:, None]).sum(-1)
    late = ((emission[:, None] + slack < time[None, :, None]) & real[:, None]).sum(-1)
    centred = torch.maximum(late, passed - width // 2).clamp_min(0)
    return torch.minimum(centred, (labels[:, None] + 1 - width).clamp_min(0))


class _BandedSum(torch.autograd.Function):
    """The sum over alignments with its gradients, which come with it at little cost."""

    @staticmethod
    def forward(
        ctx: Any, blank: Tensor, label: Tensor, band: Tensor, steps: Tensor, labels: Tensor
    ) -> Tensor:
        """Return -log of the sum, (B,)."""
        exact = [tensor.detach().to("cpu", torch.float64).contiguous().numpy() for tensor in (blank, label)]
        whole = [tensor.to("cpu", torch.int64).contiguous().numpy() for tensor in (band, steps, labels)]
        total, *shares = (torch.from_numpy(array).to(blank) for array in banded_sum(*exact, *whole))
        ctx.save_for_backward(*shares)
        return -total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of blank and label."""
        stays, moves = ctx.saved_tensors
        above = above[:, None, None]
        return -stays * above, -moves * above, None, None, None


def banded_transducer_loss(
    blank: Tensor, label: Tensor, band: Tensor, steps: Tensor, labels: Tensor
) -> Tensor:
    """Return -log of the summed probability of all monotonic alignments inside a band, (B,).

    One symbol a step: a path through step t either emits blank and keeps its label count u, or emits label u + 1.
    The sum over alignments of the recurrent neural aligner (Sak et al. 2017), pruned as in arXiv 2206.13236 but around
    a known alignment. It is computed on the processor in float64, wherever the tensors are: a step depends on the
    step before it, and the sums are small.

    Args:
        blank: log probability of blank in step t after band[t] + w labels, (B, T, W).
        label: likewise of the next label, (B, T, W).
        band: (B, T + 1) of `monotonic_band`.
        steps: valid steps (B,).
        labels: labels of each example (B,).
    """
    return _BandedSum.apply(blank, label, band, steps, labels)  # type: ignore[no-any-return]


def fast_emit(label: Tensor, weight: float) -> Tensor:
    """Return the same log probabilities of labels with gradients 1 + weight times as great (arXiv 2010.11148).

    Given to the transducer loss in the place of `label`, with blanks unchanged, this is FastEmit's regularisation:
    paths that go on to the next label now are preferred to those that wait, whatever is said.
    """
    return label * (1.0 + weight) - weight * label.detach()


@dataclass(frozen=True)
class EndOfTurnPenalty:
    """What `<eot>` costs beside its place, in nats; the defaults are those of arXiv 2205.05199 and 2004.11544."""

    late: float = 1.0  # per step later than `grace` after the turn's end
    early: float = 0.1  # per step before the turn's end
    grace: int = 5  # steps after the end that cost nothing
    most: float = 5.0  # nats: what an <eot> costs at the most, however misplaced


def end_of_turn_penalty(
    counts: Tensor, labels: Tensor, ends: Tensor, symbol: int, config: EndOfTurnPenalty
) -> Tensor:
    """Return what is to be subtracted from the label log probabilities of a band, (B, T, W).

    Zero wherever the next label is not `<eot>`.

    Args:
        counts: labels before each place, band[t] + w, (B, T, W).
        labels: symbols of each example (B, U), anything but `<eot>` behind the last.
        ends: step in which each turn's last word ends, in the order of the `<eot>`s, (B, K).
        symbol: number of `<eot>`.
        config: the weights.
    """
    rows = torch.arange(len(labels), device=labels.device)[:, None, None]
    index = counts.clamp(0, labels.shape[1] - 1)
    closes = labels == symbol
    turn = (closes.cumsum(1) - 1).clamp(0, ends.shape[1] - 1)
    end = ends.gather(1, turn)[rows, index]
    step = torch.arange(counts.shape[1], device=labels.device)[None, :, None]
    late = config.late * (step - config.grace - end).clamp_min(0)
    early = config.early * (end - step).clamp_min(0)
    wanted = closes[rows, index] & (counts < labels.shape[1])
    return torch.where(wanted, (late + early).clamp_max(config.most), 0.0)
