import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from meetscribe.nn.auxiliary_losses import ctc_loss, masking_loss, without_symbols_below

SEEDS = st.integers(0, 10_000)


def collapsed(path: tuple[int, ...]) -> list[int]:
    """Return what a CTC path says: repeats joined, then blanks taken out."""
    return [symbol for symbol, _ in itertools.groupby(path) if symbol]


def all_paths(log_probs: Tensor, labels: list[int]) -> float:
    """Sum the probabilities of all paths that say the labels, one by one."""
    steps, symbols = log_probs.shape
    total = 0.0
    for path in itertools.product(range(symbols), repeat=steps):
        if collapsed(path) == labels:
            total += math.exp(sum(float(log_probs[t, symbol]) for t, symbol in enumerate(path)))
    return -math.log(total) if total else 0.0


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_ctc_sums_all_paths(seed: int) -> None:
    """CTC is the sum over all paths that say the labels; labels that do not fit count nothing."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(3, 5, 3, generator=generator).log_softmax(-1)
    labels = torch.randint(1, 3, (3, 3), generator=generator)
    steps = torch.randint(1, 6, (3,), generator=generator)
    counts = torch.randint(0, 4, (3,), generator=generator)
    rows = zip(scores, labels.tolist(), steps.tolist(), counts.tolist(), strict=True)
    wanted = sum(all_paths(table[:length], said[:count]) for table, said, length, count in rows)
    found = ctc_loss(scores, labels, steps, counts)
    assert found.item() == pytest.approx(wanted / int(steps.sum()), rel=1e-4, abs=1e-5)


def test_ctc_gradients_are_finite_differences() -> None:
    """The gradient of CTC is what small changes of the scores say."""
    scores = torch.randn(2, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    labels, steps, counts = torch.tensor([[1, 2], [2, 0]]), torch.tensor([4, 3]), torch.tensor([2, 1])
    assert torch.autograd.gradcheck(
        lambda x: ctc_loss(x.log_softmax(-1), labels, steps, counts), (scores.requires_grad_(),)
    )


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_masking_loss_is_the_norm_of_silent_steps(seed: int) -> None:
    """The masking loss is the sum of the norms of valid silent steps over the number of valid steps."""
    generator = torch.Generator().manual_seed(seed)
    encoded = torch.randn(2, 6, 4, generator=generator)
    silent = torch.rand(2, 6, generator=generator) < 0.5
    steps = torch.randint(1, 7, (2,), generator=generator)
    wanted = sum(
        math.sqrt(sum(float(x) ** 2 for x in encoded[b, t]))
        for b in range(2)
        for t in range(int(steps[b]))
        if silent[b, t]
    )
    assert masking_loss(encoded, silent, steps).item() == pytest.approx(wanted / int(steps.sum()), rel=1e-5)


def test_masking_loss_teaches_silent_steps_only() -> None:
    """Only valid silent steps get gradients, along the encoding; an encoding of zero gets none."""
    encoded = torch.tensor([[[3.0, 4.0], [0.0, 0.0], [1.0, 1.0], [6.0, 8.0]]], requires_grad=True)
    masking_loss(encoded, torch.tensor([[True, True, False, True]]), torch.tensor([3])).backward()
    wanted = torch.tensor([[[0.6, 0.8], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]]) / 3
    torch.testing.assert_close(encoded.grad, wanted)


def test_symbols_below_are_taken_out() -> None:
    """The labels that are left keep their order, and come first."""
    labels = torch.tensor([[1, 5, 6, 2, 1, 7, 2], [1, 9, 2, 8, 8, 0, 0]])
    kept, counts = without_symbols_below(labels, torch.tensor([7, 3]), 3)
    assert kept.tolist() == [[5, 6, 7, 0, 0, 0, 0], [9, 0, 0, 0, 0, 0, 0]]
    assert counts.tolist() == [3, 1]
