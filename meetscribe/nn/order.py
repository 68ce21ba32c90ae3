"""Which of the separator's slots comes first, and who has the whole sound: where only one talks, nothing is masked.

The separator says every 20 ms which of its slots it hears, and is often wrong about that for a while; after a silence
it may put the same voice into its other slot (it learned so: `training/objectives/separation.py`). What turns do is
known better: a new turn stays in the slot where the last one ended, and the floor goes to the other slot only by way of
an overlap (`docs/decisions/0010`). So the likeliest course of who has the floor, and of whether the separator's slots
stand for each other's, is searched (Viterbi), and the masks are gated by it: who has the floor has all of the mixture,
the other slot nothing, and only where two talk do the masks hold (`docs/decisions/0031`).
Not covered: who it is that speaks.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from meetscribe.nn.separator import FRAMES, Masks

WINDOW = 16
"""Steps of 20 ms of which the course is decided at once: a chunk of the separator."""

OPEN = 20.0
"""Log odds of a mask that leaves everything as it is (float32 has no nearer number to one)."""

BOTH = 2
"""Who has the floor: slot 0, slot 1, or both."""


@dataclass(frozen=True)
class OrderCosts:
    """What a change costs, in nats; of a step's evidence only a part counts, for it is repeated by its neighbours.

    Tuned on simulated meetings of the development speakers (docs/log.md).
    """

    evidence: float = 0.2  # part of the log odds that counts
    overlap: float = 14.0  # one more begins to talk
    exchange: float = 4.0  # the separator's slots are exchanged in the middle of talk
    exchange_in_silence: float = 0.3
    together: float = 0.1  # each step in which two talk

    @cached_property
    def changes(self) -> tuple[Tensor, Tensor]:
        """Negated costs from each state to each, (6, 6), while anybody talks and in silence.

        A state is 2 owner + exchanged.
        """
        return self._changes(self.exchange), self._changes(self.exchange_in_silence)

    def _changes(self, exchange: float) -> Tensor:
        found = torch.full((6, 6), -torch.inf)
        found.fill_diagonal_(0.0)
        for crossed in (0, 1):
            for owner in (0, 1):
                found[2 * owner + crossed, 2 * BOTH + crossed] = -self.overlap
                found[2 * BOTH + crossed, 2 * owner + crossed] = 0.0
                found[2 * owner + crossed, 2 * owner + 1 - crossed] = -exchange
        return found


COSTS = OrderCosts()


def initial_order(batch: int, device: torch.device) -> Tensor:
    """Return the state (B, 6) of `batch` streams in which nobody has spoken: the floor is slot 0's."""
    scores = torch.full((6,), -torch.inf, device=device)
    scores[:2] = 0.0
    return scores.repeat(batch, 1)


def in_order(found: Masks, state: Tensor, costs: OrderCosts = COSTS) -> tuple[Masks, Tensor]:
    """Return masks and activity of a piece in the order of the slots, gated, and the new state (B, 6)."""
    courses = []
    for piece in found.activity.float().split(WINDOW, -1):
        course, state = _course(piece, state, costs)
        courses.append(course)
    course = torch.cat(courses, 1)
    return gated(found.exchanged(course % 2 == 1), torch.div(course, 2, rounding_mode="floor")), state


def gated(found: Masks, owner: Tensor) -> Masks:
    """Leave only the masks where both own the floor: elsewhere its owner (B, T) has everything.

    The owner is active where any of the separator's slots is.
    """
    slots = torch.arange(2, device=owner.device)[None, :, None]
    both, owns = (owner == BOTH)[:, None], owner[:, None] == slots
    spoken = found.activity.amax(1, keepdim=True)
    activity = torch.where(both, found.activity, torch.where(owns, spoken, -OPEN))
    gates = torch.where(owns, OPEN, -OPEN).repeat_interleave(FRAMES, 2)[..., None]
    odds = torch.where(both.repeat_interleave(FRAMES, 2)[..., None], found.odds, gates)
    return Masks(odds, activity)


def _course(activity: Tensor, scores: Tensor, costs: OrderCosts) -> tuple[Tensor, Tensor]:
    """Return the likeliest state of each step (B, T) of log odds (B, 2, T), and the scores (B, 6) after them."""
    talks, still = logsigmoid(activity), logsigmoid(-activity)
    alone = torch.maximum(
        talks + still.flip(1), still.sum(1, keepdim=True)
    )  # (B, 2, T), of the separator's slots
    together = talks.sum(1) * costs.evidence - costs.together
    alone = alone * costs.evidence
    heard = torch.stack([alone[:, 0], alone[:, 1], alone[:, 1], alone[:, 0], together, together], -1)
    changes, changes_in_silence = (each.to(scores.device) for each in costs.changes)
    silent = (activity < 0).all(1)[..., None, None]
    changed = torch.where(silent, changes_in_silence, changes)  # (B, T, 6, 6)
    before = []
    for step, change in zip(heard.unbind(1), changed.unbind(1), strict=True):
        best, came = (scores[:, :, None] + change).max(1)
        scores = best + step
        before.append(came)
    scores = scores - scores.amax(1, keepdim=True)
    state, course = scores.argmax(1), []
    for came in reversed(before):
        course.append(state)
        state = came.gather(1, state[:, None])[:, 0]
    return torch.stack(course[::-1], 1), scores
