"""The inner loops of the sums over alignments, compiled: forward and backward in one visit of each example.

Not covered: the tensors around them (`meetscribe.nn.losses`, `meetscribe.nn.discriminative_loss`).
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


@njit(cache=True, fastmath=True)
def whole_sum(arcs, steps):
    """Sum all paths of a table of weights and tell how probable each arc is among them.

    The state after a step is its last label; blank keeps it. Weights are kept near one by dividing each step's by their
    sum (Rabiner 1989, §V.A).

    Args:
        arcs: float32 (B, T, V, V), exp of the score of next symbol (last axis) after previous label; symbol 0 is blank,
            label 0 that of the beginning.
        steps: int64 (B,).

    Returns:
        The log of the sum (B,), float64, and the share of each arc (B, T, V, V): the gradients of the scores.
    """
    batch, frames, labels, _ = arcs.shape
    total = np.zeros(batch)
    shares = np.zeros_like(arcs)
    before = np.empty((frames + 1, labels), np.float64)
    scale = np.empty(frames)
    for b in range(batch):
        before[0], before[0, 0] = 0.0, 1.0
        for t in range(steps[b]):
            after = before[t + 1]
            after[:] = 0.0
            for i in range(labels):
                mass = before[t, i]
                if mass == 0.0:
                    continue
                after[i] += mass * arcs[b, t, i, 0]
                for j in range(1, labels):
                    after[j] += mass * arcs[b, t, i, j]
            scale[t] = after.sum()
            after /= scale[t]
            total[b] += math.log(scale[t])
        onward, here = np.ones(labels), np.empty(labels)
        for t in range(steps[b] - 1, -1, -1):
            for i in range(labels):
                mass = before[t, i] / scale[t]
                stay = arcs[b, t, i, 0] * onward[i]
                shares[b, t, i, 0] = mass * stay
                ways = stay
                for j in range(1, labels):
                    move = arcs[b, t, i, j] * onward[j]
                    shares[b, t, i, j] = mass * move
                    ways += move
                here[i] = ways / scale[t]
            onward[:] = here
    return total, shares
