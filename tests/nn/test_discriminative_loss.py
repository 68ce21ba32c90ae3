import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.nn.discriminative_loss import lattice_free_sum


def enumerated(scores: torch.Tensor) -> float:
    """Sum exp(score) of every way to choose one symbol a step, one by one."""
    total = 0.0
    for symbols in itertools.product(range(scores.shape[-1]), repeat=len(scores)):
        previous, score = 0, 0.0
        for table, symbol in zip(scores, symbols, strict=True):
            score += float(table[previous, symbol])
            previous = symbol or previous
        total += math.exp(score)
    return math.log(total)


@settings(max_examples=30, deadline=None)
@given(steps=st.integers(1, 5), seed=st.integers(0, 999), spread=st.floats(0.1, 4.0))
def test_sum_over_everything(steps: int, seed: int, spread: float) -> None:
    """The sum is that over all sequences of symbols, blanks among them, one by one."""
    scores = spread * torch.randn(1, steps, 4, 4, generator=torch.Generator().manual_seed(seed))
    assert lattice_free_sum(scores, torch.tensor([steps])).item() == pytest.approx(
        enumerated(scores[0]), abs=1e-4
    )


def test_gradients_are_finite_differences() -> None:
    """The share of each arc is what a small change of its score does to the sum."""
    generator = torch.Generator().manual_seed(5)
    scores = torch.randn(2, 4, 3, 3, generator=generator).requires_grad_()
    steps = torch.tensor([4, 3])
    (found,) = torch.autograd.grad(lattice_free_sum(scores, steps) @ torch.tensor([1.0, 2.0]), scores)
    for place in itertools.product(range(2), range(4), range(3), range(3)):
        moved = [scores.detach().clone() for _ in range(2)]
        moved[0][place] += 0.01
        moved[1][place] -= 0.01
        up, down = (lattice_free_sum(one, steps)[place[0]].item() for one in moved)
        assert found[place].item() == pytest.approx((place[0] + 1) * (up - down) / 0.02, abs=2e-3)


def test_a_normalised_table_sums_to_one() -> None:
    """Without a language all label sequences together have probability one, over hundreds of steps too."""
    table = torch.randn(1, 400, 9, 9, generator=torch.Generator().manual_seed(1)).log_softmax(-1)
    assert lattice_free_sum(table, torch.tensor([400])).item() == pytest.approx(0.0, abs=1e-3)
