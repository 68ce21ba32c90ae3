"""Losses of the recogniser: cross-entropies along an alignment, and the sum over alignments near it.

All take log probabilities and return sums over the batch, with what to divide by left to the caller.
Not covered: sequence-discriminative losses.
"""

import torch
from torch import Tensor
from torch.nn import functional

IGNORED = -100
IMPOSSIBLE = -1e30


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


def banded_transducer_loss(
    blank: Tensor, label: Tensor, band: Tensor, steps: Tensor, labels: Tensor
) -> Tensor:
    """Return -log of the summed probability of all monotonic alignments inside a band, (B,).

    One symbol a step: a path through step t either emits blank and keeps its label count u, or emits label u + 1.
    The sum over alignments of the recurrent neural aligner (Sak et al. 2017), pruned as in arXiv 2206.13236 but around
    a known alignment.

    Args:
        blank: log probability of blank in step t after band[t] + w labels, (B, T, W).
        label: likewise of the next label, (B, T, W).
        band: (B, T + 1) of `monotonic_band`.
        steps: valid steps (B,).
        labels: labels of each example (B,).
    """
    batch, frames, width = blank.shape
    reached = blank.new_full((batch, width), IMPOSSIBLE)
    reached[:, 0] = 0.0
    offset = torch.arange(width, device=blank.device)
    for t in range(frames):
        count = band[:, t, None] + offset
        stay = reached + blank[:, t]
        move = torch.where(count < labels[:, None], reached + label[:, t], IMPOSSIBLE)
        wide_stay = functional.pad(stay, (0, 2), value=IMPOSSIBLE)
        wide_move = functional.pad(move, (1, 1), value=IMPOSSIBLE)
        wide = torch.logaddexp(wide_stay, wide_move)
        shift = (band[:, t + 1] - band[:, t])[:, None]
        advanced = functional.pad(wide, (0, width), value=IMPOSSIBLE).gather(1, offset + shift)
        reached = torch.where((t < steps)[:, None], advanced.clamp_min(IMPOSSIBLE), reached)
    final = band.gather(1, steps[:, None])
    end = (labels[:, None] - final).clamp(0, width - 1)
    return -reached.gather(1, end)[:, 0]
