import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from meetscribe.nn.losses import (
    IGNORED,
    alignment_path,
    banded_transducer_loss,
    monotonic_band,
    smoothed_cross_entropy,
)


def enumerated(log_probs: Tensor, labels: list[int]) -> float:
    """Sum the probabilities of all alignments: choose the steps that emit, all others emit blank."""
    total = 0.0
    for chosen in itertools.combinations(range(len(log_probs)), len(labels)):
        previous, score, waiting = 0, 0.0, list(labels)
        for t, table in enumerate(log_probs):
            symbol = waiting.pop(0) if t in chosen else 0
            score += float(table[previous, symbol])
            previous = symbol or previous
        total += math.exp(score)
    return -math.log(total)


def banded(log_probs: Tensor, labels: list[int], emission: list[int], width: int, slack: int) -> Tensor:
    """Call the loss under test the way the training does, for one example with a whole table (T, V, V)."""
    steps = len(log_probs)
    count = torch.tensor([len(labels)])
    wanted = torch.tensor([labels])
    band = monotonic_band(torch.tensor([emission]), count, steps, width, slack)
    counts = band[:, :steps, None] + torch.arange(width)
    following = wanted[0, counts.clamp(0, len(labels) - 1)]
    previous = torch.where(counts > 0, wanted[0, (counts - 1).clamp(0, len(labels) - 1)], 0)
    time = torch.arange(steps)[None, :, None]
    blank, label = log_probs[time, previous, 0], log_probs[time, previous, following]
    return banded_transducer_loss(blank, label, band, torch.tensor([steps]), count)


@settings(max_examples=40, deadline=None)
@given(steps=st.integers(1, 6), count=st.integers(1, 4), seed=st.integers(0, 999), data=st.data())
def test_sum_over_alignments(steps: int, count: int, seed: int, data: st.DataObject) -> None:
    """With a band as wide as the labels, the loss is the sum over all alignments, one by one."""
    count = min(count, steps)
    generator = torch.Generator().manual_seed(seed)
    table = torch.randn(steps, 4, 4, generator=generator).log_softmax(-1)
    labels = torch.randint(1, 4, (count,), generator=generator).tolist()
    emission = sorted(data.draw(st.sets(st.integers(0, steps - 1), min_size=count, max_size=count)))
    loss = banded(table, labels, emission, width=count + 1, slack=steps)
    assert loss.item() == pytest.approx(enumerated(table, labels), rel=1e-4, abs=1e-4)


def test_narrow_band_keeps_the_alignment_and_loses_only_paths() -> None:
    """A narrower band sums fewer alignments, never none: the loss is finite and no smaller."""
    table = torch.randn(12, 4, 4, generator=torch.Generator().manual_seed(1)).log_softmax(-1)
    labels, emission = [1, 2, 3, 1, 2, 3], [1, 2, 5, 6, 8, 11]
    losses = [banded(table, labels, emission, width, 3).item() for width in (2, 3, 4, 7)]
    assert all(math.isfinite(loss) and loss < 1e4 for loss in losses)
    assert losses == sorted(losses, reverse=True)


def test_gradients_are_finite_differences() -> None:
    """The gradient through the banded sum is what small changes of the table say."""
    table = torch.randn(5, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))

    def loss(x: Tensor) -> Tensor:
        return banded(x, [1, 3], [1, 3], width=3, slack=5)

    assert torch.autograd.gradcheck(loss, (table.requires_grad_(),))


def test_batches_are_scored_alone() -> None:
    """Examples of other lengths in the batch, and padding, change nothing."""
    blank, label = torch.randn(2, 6, 3) - 2, torch.randn(2, 6, 3) - 2
    emission = torch.tensor([[0, 2, 4], [1, 6, 6]])
    counts, steps = torch.tensor([3, 1]), torch.tensor([6, 4])
    band = monotonic_band(emission, counts, 6, 3, 6)
    together = banded_transducer_loss(blank, label, band, steps, counts)
    alone = banded_transducer_loss(blank[1:, :4], label[1:, :4], band[1:, :5], steps[1:], counts[1:])
    torch.testing.assert_close(together[1:], alone)


def test_path_remembers_the_last_label() -> None:
    """The previous label of a step is the last that was emitted before it, blanks left out."""
    emitted = torch.tensor([[0, 5, 0, 0, 7, 9, 0, IGNORED]])
    assert alignment_path(emitted).tolist() == [[0, 0, 5, 5, 5, 7, 9, 9]]


def test_smoothing_spreads_mass_evenly() -> None:
    """The smoothed loss is the cross-entropy with the mixed target distribution; ignored steps count nothing."""
    scores = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(2)).log_softmax(-1)
    target = torch.tensor([[2, IGNORED, 0]])
    wanted = 0.0
    for t, symbol in ((0, 2), (2, 0)):
        mixed = torch.full((4,), 0.1 / 4)
        mixed[symbol] += 0.9
        wanted -= float((mixed * scores[0, t]).sum())
    assert smoothed_cross_entropy(scores, target, 0.1).item() == pytest.approx(wanted, rel=1e-5)
