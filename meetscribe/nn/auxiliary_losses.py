"""Losses beside the transducer: of silent slots, and CTC.

Each is a mean over the valid steps of all slots, so that weights mean the same for any batch. B stands for
examples × slots.
Not covered: the transducer's own losses (`meetscribe.nn.losses`), the separator's, and the weights between them.
"""

import torch
from torch import Tensor
from torch.nn import functional


def masking_loss(encoded: Tensor, silent: Tensor, steps: Tensor) -> Tensor:
    """Return the mean over valid steps of ‖h_t‖₂ where the slot is silent (arXiv 2205.05199).

    What a normalising layer has just made has a fixed norm: give it what comes after a projection.

    Args:
        encoded: encodings h (B, T, D).
        silent: whether the slot's talker says nothing in the step (B, T).
        steps: valid steps (B,).
    """
    norms = torch.linalg.vector_norm(encoded, dim=-1)
    return _mean(norms * silent, steps)


def ctc_loss(log_probs: Tensor, labels: Tensor, steps: Tensor, counts: Tensor) -> Tensor:
    """Return the mean over valid steps of -log of all CTC alignments of the labels (Graves et al. 2006).

    An example whose labels do not fit into its steps counts nothing.

    Args:
        log_probs: (B, T, V); class 0 is CTC's blank.
        labels: classes of each example (B, U), 1 … V - 1.
        steps: valid steps (B,).
        counts: labels of each example (B,).
    """
    costs = functional.ctc_loss(
        log_probs.transpose(0, 1), labels, steps, counts, blank=0, reduction="none", zero_infinity=True
    )
    return costs.sum() / steps.sum().clamp_min(1)


def without_symbols_below(labels: Tensor, counts: Tensor, first: int) -> tuple[Tensor, Tensor]:
    """Return the label sequences (B, U) and their lengths (B,) with all symbols below `first` taken out.

    For CTC, which has no symbols for the start and the end of a turn: the others keep their order and numbers.
    """
    place = torch.arange(labels.shape[1], device=labels.device)
    kept = (labels >= first) & (place < counts[:, None])
    order = torch.argsort(~kept, dim=1, stable=True)
    number = kept.sum(1)
    return torch.where(place < number[:, None], labels.gather(1, order), 0), number


def _mean(values: Tensor, lengths: Tensor) -> Tensor:
    """Return the mean of values (B, T) over the first `lengths` (B,) of each row."""
    valid = torch.arange(values.shape[1], device=values.device) < lengths[:, None]
    return torch.where(valid, values, 0.0).sum() / valid.sum().clamp_min(1)
