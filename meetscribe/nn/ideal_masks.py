"""Ideal ratio masks: what a separator that makes no mistake would let each slot hear.

Training (`training/objectives/separation.py`) aims at them, and `evaluation/oracle.py` hears them in the separator's
place. Who is alone keeps everything, noise included (a mask of one); where two overlap, the mixture's energy is shared
out in proportion to theirs. So single talk passes as it is, and what the recogniser hears of two is as loud as it was.
Not covered: where the contributions of the slots come from.
"""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, where
from torch.nn.functional import one_hot

from meetscribe.nn.features import HOP
from meetscribe.nn.separator import FLOOR, SLOTS

SILENT_ENERGY = 10.0
"""Mel energy (16-bit samples) that counts as nothing; below the floor of masked features."""

ALONE = 0.999
"""From this share of a band's energy on a slot has all of it."""


class Spoken(Protocol):
    """A turn: its slot (None: the first), start and end in samples."""

    @property
    def slot(self) -> int | None:
        """Where its talker is."""
        ...

    @property
    def start(self) -> int:
        """First sample."""
        ...

    @property
    def end(self) -> int:
        """Sample after the last one."""
        ...


def talking(turns: Iterable[Spoken], frames: int) -> NDArray[np.bool_]:
    """Return in which of the first frames of 10 ms each slot's talker is in a turn, bool (C, frames)."""
    found = np.zeros((SLOTS, frames), bool)
    for turn in turns:
        found[turn.slot or 0, turn.start // HOP : -(-turn.end // HOP)] = True
    return found


def holder(talks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the slot that holds what nobody overlaps in each frame: of who talks alone, or did last, (frames,)."""
    alone = np.where(talks[0] != talks[1], talks[1].astype(np.int64), -1)
    last = np.maximum.accumulate(np.where(alone >= 0, np.arange(talks.shape[1]), -1))
    return np.where(last >= 0, alone[np.maximum(last, 0)], 0)


def shares(energies: Tensor, holders: Tensor) -> Tensor:
    """Return the share of each slot's talkers in the energy of each band, (…, C, T, F).

    Args:
        energies: of each slot's talkers in each band, (…, C, T, F).
        holders: slot that has what is nobody's, (…, T).
    """
    silent = SILENT_ENERGY * one_hot(holders, SLOTS).transpose(-1, -2)[..., None]
    return (energies + silent) / (energies.sum(-3, keepdim=True) + SILENT_ENERGY)


def shared_features(mixture: Tensor, share: Tensor) -> Tensor:
    """Return the log-mel features that each slot should hear, (…, C, T, F), of a mixture's (…, T, F)."""
    whole = mixture.unsqueeze(-3)
    parts = (whole + share.clamp_min(1e-30).log()).clamp_min(FLOOR)
    return where(share > ALONE, whole, parts)
