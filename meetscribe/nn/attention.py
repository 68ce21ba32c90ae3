"""Self-attention with rotary positions, limited to chunks and a bounded past.

Projections are named as in the Conformer encoders that are publicly available for streaming (`linear_q`, `linear_k`,
`linear_v`, `linear_out`). Positions are rotations of queries and keys (Su et al., arXiv 2104.09864) rather than
Transformer-XL's biases: those took a third of a training step on a CPU. Keys and values of the past are kept, rotated
when they are used, so a step projects nothing twice and the state does not depend on how long the stream is.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class AttentionState(NamedTuple):
    """What a step needs of the past: keys and values (B, left, D), newest last."""

    keys: Tensor
    values: Tensor


def rotations(first: int, steps: int, width: int, like: Tensor) -> Tensor:
    """Return cosines and sines of positions first … first + steps - 1 for heads of `width`, (2, steps, width)."""
    position = torch.arange(first, first + steps, device=like.device, dtype=torch.float32)
    rate = 10_000.0 ** (-torch.arange(0, width, 2, device=like.device, dtype=torch.float32) / width)
    angle = (position[:, None] * rate).repeat(1, 2)
    return torch.stack([angle.cos(), angle.sin()]).to(like.dtype)


def chunk_mask(lengths: Tensor, steps: int, chunk: int | None, left: int) -> Tensor:
    """Return which keys each query may see, bool (B, 1, T, T).

    Args:
        lengths: valid steps of each example (B,).
        steps: T.
        chunk: steps of a chunk: a query sees its whole chunk and `left` steps before it; None: everything.
        left: steps.
    """
    position = torch.arange(steps, device=lengths.device)
    valid = (position[None] < lengths[:, None].clamp_min(1))[:, None, None, :]
    if chunk is None:
        return valid.expand(-1, 1, steps, steps)
    start = (position // chunk * chunk)[:, None]
    near = (position[None] < start + chunk) & (position[None] >= start - left)
    return (valid & near) | torch.eye(steps, dtype=torch.bool, device=lengths.device)


class ChunkAttention(nn.Module):
    """Multi-head attention over (B, T, D)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.linear_q = nn.Linear(width, width)
        self.linear_k = nn.Linear(width, width)
        self.linear_v = nn.Linear(width, width)
        self.linear_out = nn.Linear(width, width)

    def forward(self, x: Tensor, visible: Tensor, turns: Tensor) -> Tensor:
        """Attend within x (B, T, D); `visible` as of `chunk_mask`, `turns` of `rotations`."""
        return self._attend(self.linear_q(x), self.linear_k(x), self.linear_v(x), visible, turns)

    def step(
        self, x: Tensor, state: AttentionState, visible: Tensor, turns: Tensor
    ) -> tuple[Tensor, AttentionState]:
        """Attend from a chunk x (B, T, D) to it and to the kept past."""
        keys = torch.cat([state.keys, self.linear_k(x)], 1)
        values = torch.cat([state.values, self.linear_v(x)], 1)
        new = x.shape[1]
        seen = self._attend(self.linear_q(x), keys, values, visible, turns)
        return seen, AttentionState(keys[:, new:], values[:, new:])

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, visible: Tensor, turns: Tensor) -> Tensor:
        query = _rotated(self._split(query), turns[:, turns.shape[1] - query.shape[1] :])
        key = _rotated(self._split(key), turns)
        seen = functional.scaled_dot_product_attention(query, key, self._split(value), attn_mask=visible)
        return self.linear_out(seen.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def _rotated(x: Tensor, turns: Tensor) -> Tensor:
    first, second = x.chunk(2, -1)
    return x * turns[0] + torch.cat([-second, first], -1) * turns[1]
