"""Which of the separator's slots comes first: who spoke last stays in the slot that he was in.

The separator holds two voices apart for as long as anybody talks; after a silence it may put the same voice into its
other slot (it learned so: `training/objectives/separation.py`). Here its slots are exchanged where that keeps whoever
begins after a silence in the slot of whoever spoke last (`docs/decisions/0010`), the first one in slot 0.
Not covered: who it is that speaks.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from meetscribe.nn.separator import Masks

SILENCE = 2
"""Steps of 20 ms after which the slots may be exchanged."""


class OrderState(NamedTuple):
    """For each stream: whether slots are exchanged (B,), who spoke last (B,), steps of silence so far (B,)."""

    exchanged: Tensor
    floor: Tensor
    quiet: Tensor


def initial_order(batch: int, device: torch.device) -> OrderState:
    """Return the state of `batch` streams in which nobody has spoken."""
    zeros = torch.zeros(batch, dtype=torch.int64, device=device)
    return OrderState(zeros.bool(), zeros, zeros + SILENCE)


def in_order(found: Masks, state: OrderState) -> tuple[Masks, OrderState]:
    """Return masks and activity of a piece in the order of the slots, and the new state."""
    exchanged, floor, quiet = state
    steps = []
    for speaks in (found.activity > 0).unbind(-1):  # (B, 2) each
        talk = speaks.any(1)
        alone = speaks[:, 0] != speaks[:, 1]
        begins = talk & (quiet >= SILENCE)
        first = torch.where(speaks[:, 0], 0, 1)
        exchanged = torch.where(begins, first != floor, exchanged)
        floor = torch.where(alone, torch.where(exchanged, 1 - first, first), floor)
        quiet = torch.where(talk, 0, quiet + 1)
        steps.append(exchanged)
    return found.exchanged(torch.stack(steps, 1)), OrderState(exchanged, floor, quiet.clamp_max(SILENCE))
