"""The contract of every network module: whole input and streamed steps give the same output.

Not covered here: the proof, which is `meetscribe.testing.verify_streaming`.
"""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from torch import Tensor, nn

State = TypeVar("State")


class Steppable(nn.Module, ABC, Generic[State]):
    """A module that can hear its input in pieces.

    Latency is an attribute: `stride` input steps make one output step, and no output step depends on
    input later than `lookahead` input steps after its own last input step.
    """

    stride: int = 1
    lookahead: int = 0

    @abstractmethod
    def initial_state(self, batch: int) -> State:
        """Return the state of `batch` streams before anything was heard; its shapes never change."""

    @abstractmethod
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Advance by one piece: `x` is (B, T, …) with T a multiple of `stride`; returns (B, T // stride, …)."""
