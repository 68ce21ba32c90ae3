"""The contract of every network module: whole input and streamed steps give the same output.

Not covered here: the proof, which is `meetscribe.testing.verify_streaming`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

import torch
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


def joined_states(states: Sequence[State]) -> State:
    """Stack the states of single streams (nested tuples of tensors with a batch axis first) into one batch."""
    first = states[0]
    if isinstance(first, Tensor):
        return torch.cat(list(states))  # type: ignore[arg-type, return-value]
    parts = (joined_states(column) for column in zip(*states, strict=True))  # type: ignore[call-overload]
    return _like(first, parts)


def split_states(state: State, batch: int) -> list[State]:
    """Undo `joined_states`: the state of each of `batch` streams."""
    if isinstance(state, Tensor):
        return list(state.split(1))  # type: ignore[return-value]
    if not state:  # a part that is left out
        return [state] * batch
    columns = [split_states(part, batch) for part in state]  # type: ignore[attr-defined]
    return [_like(state, row) for row in zip(*columns, strict=True)]


def _like(example: State, parts: Iterable[object]) -> State:
    kind = type(example)
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)  # type: ignore[call-arg]
