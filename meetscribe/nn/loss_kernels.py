"""The inner loop of the banded sum over alignments, compiled: forward and backward in one visit of each example.

Not covered: the tensors around it (`meetscribe.nn.losses`).
"""

import math

import numpy as np
from numba import njit

IMPOSSIBLE = -1e30


@njit(inline="always")
def _added(first, second):
    """Return log(exp(first) + exp(second))."""
    high, low = (first, second) if first > second else (second, first)
    if low <= IMPOSSIBLE:
        return high
    return high + math.log1p(math.exp(low - high))


@njit(cache=True)
def banded_sum(blank, label, band, steps, labels):
    """Sum all paths of each example and tell how probable each arc is among them.

    A forward pass sums the ways to each place (step, label count), a backward pass the ways from it to the end;
    an arc's share of the whole is the product of both with the arc itself (Graves, arXiv 1211.3711, §2.4).

    Args:
        blank: float64 (B, T, W), as in `banded_transducer_loss`; so are all others.
        label: float64 (B, T, W).
        band: int64 (B, T + 1).
        steps: int64 (B,).
        labels: int64 (B,).

    Returns:
        The log of the sum (B,), and the shares of the blanks and of the labels (B, T, W): their gradients.
    """
    batch, frames, width = blank.shape
    total = np.zeros(batch)
    stays, moves = np.zeros((batch, frames, width)), np.zeros((batch, frames, width))
    before = np.empty((frames + 1, width))
    for b in range(batch):
        before[0], before[0, 0] = IMPOSSIBLE, 0.0
        for t in range(steps[b]):
            before[t + 1] = IMPOSSIBLE
            shift = band[b, t + 1] - band[b, t]
            for w in range(width):
                if before[t, w] <= IMPOSSIBLE:
                    continue
                after = w - shift
                if 0 <= after < width:
                    stay = max(before[t, w] + blank[b, t, w], IMPOSSIBLE)
                    before[t + 1, after] = _added(before[t + 1, after], stay)
                if 0 <= after + 1 < width and band[b, t] + w < labels[b]:
                    move = max(before[t, w] + label[b, t, w], IMPOSSIBLE)
                    before[t + 1, after + 1] = _added(before[t + 1, after + 1], move)
        last = steps[b]
        end = min(max(labels[b] - band[b, last], 0), width - 1)
        total[b] = before[last, end]
        if total[b] <= IMPOSSIBLE:
            continue
        onward = np.full(width, IMPOSSIBLE)
        onward[end] = 0.0
        for t in range(last - 1, -1, -1):
            here = np.full(width, IMPOSSIBLE)
            shift = band[b, t + 1] - band[b, t]
            for w in range(width):
                after = w - shift
                if 0 <= after < width and onward[after] > IMPOSSIBLE:
                    stay = blank[b, t, w] + onward[after]
                    stays[b, t, w] = math.exp(before[t, w] + stay - total[b])
                    here[w] = max(stay, IMPOSSIBLE)
                more = 0 <= after + 1 < width and band[b, t] + w < labels[b]
                if more and onward[after + 1] > IMPOSSIBLE:
                    move = label[b, t, w] + onward[after + 1]
                    moves[b, t, w] = math.exp(before[t, w] + move - total[b])
                    here[w] = _added(here[w], max(move, IMPOSSIBLE))
            onward = here
    return total, stays, moves
