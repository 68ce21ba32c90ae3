import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from meetscribe.lm.symbols import END_OF_TURN
from meetscribe.nn.losses import (
    IGNORED,
    EndOfTurnPenalty,
    alignment_path,
    banded_transducer_loss,
    end_of_turn_penalty,
    fast_emit,
    monotonic_band,
    smoothed_cross_entropy,
)

IMPOSSIBLE = -1e30


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


def step_by_step(blank: Tensor, label: Tensor, band: Tensor, steps: Tensor, labels: Tensor) -> Tensor:
    """Sum inside the band by the recurrence of the forward pass alone, in torch, which derives it by itself."""
    _, frames, width = blank.shape
    reached = torch.full_like(blank[:, 0], IMPOSSIBLE)
    reached[:, 0] = 0.0
    offset = torch.arange(width)
    for t in range(frames):
        stay = reached + blank[:, t]
        move = torch.where(band[:, t, None] + offset < labels[:, None], reached + label[:, t], IMPOSSIBLE)
        wide_stay = functional.pad(stay, (0, 2), value=IMPOSSIBLE)
        wide_move = functional.pad(move, (1, 1), value=IMPOSSIBLE)
        wide = torch.logaddexp(wide_stay, wide_move)
        shift = (band[:, t + 1] - band[:, t])[:, None]
        advanced = functional.pad(wide, (0, width), value=IMPOSSIBLE).gather(1, offset + shift)
        reached = torch.where((t < steps)[:, None], advanced.clamp_min(IMPOSSIBLE), reached)
    end = (labels[:, None] - band.gather(1, steps[:, None])).clamp(0, width - 1)
    return -reached.gather(1, end)[:, 0]


def random_batch(seed: int, width: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Draw three examples of different lengths: blank and label (B, T, W) in float64, band, steps, labels."""
    generator = torch.Generator().manual_seed(seed)
    frames = 14
    steps = torch.randint(1, frames + 1, (3,), generator=generator)
    counts = (torch.rand(3, generator=generator) * (steps + 1)).long().minimum(torch.tensor(10))
    emission = torch.full((3, 10), frames)
    for row, (length, count) in enumerate(zip(steps.tolist(), counts.tolist(), strict=True)):
        emission[row, :count] = torch.randperm(length, generator=generator)[:count].sort().values
    band = monotonic_band(emission, counts, frames, width, 3)
    scores = torch.randn(2, 3, frames, width, generator=generator, dtype=torch.float64) - 1.5
    return scores[0], scores[1], band, steps, counts


def gradients(loss: Tensor, *of: Tensor) -> tuple[Tensor, ...]:
    """Return the gradients of a loss, of which each example counts differently."""
    return torch.autograd.grad((loss * torch.arange(1.0, len(loss) + 1)).sum(), of)


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


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), width=st.integers(2, 8))
def test_sum_and_gradients_are_those_of_the_recurrence(seed: int, width: int) -> None:
    """The compiled sum and its gradients are what torch derives from the recurrence step by step."""
    blank, label, band, steps, counts = random_batch(seed, width)
    blank, label = blank.requires_grad_(), label.requires_grad_()
    fast = banded_transducer_loss(blank, label, band, steps, counts)
    slow = step_by_step(blank, label, band, steps, counts)
    torch.testing.assert_close(fast, slow)
    for found, wanted in zip(gradients(fast, blank, label), gradients(slow, blank, label), strict=True):
        torch.testing.assert_close(found, wanted)


def test_impossible_labels_cost_much_and_teach_nothing() -> None:
    """More labels than steps have no alignment: the loss is huge but a number, and its gradients are zero."""
    blank = torch.zeros(1, 2, 4, requires_grad=True)
    loss = banded_transducer_loss(
        blank, blank, torch.zeros(1, 3, dtype=torch.int64), torch.tensor([2]), torch.tensor([3])
    )
    loss.sum().backward()
    assert math.isfinite(loss.item())
    assert loss.item() > 1e20
    assert blank.grad is not None
    assert not blank.grad.any()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), weight=st.floats(0.0, 1.0))
def test_fast_emit_scales_what_labels_learn(seed: int, weight: float) -> None:
    """FastEmit leaves the loss and what blanks learn as they are, and multiplies what labels learn by 1 + λ."""
    blank, label, *rest = random_batch(seed, 5)
    blank, label = blank.requires_grad_(), label.requires_grad_()
    plain = banded_transducer_loss(blank, label, *rest)
    hurried = banded_transducer_loss(blank, fast_emit(label, weight), *rest)
    torch.testing.assert_close(hurried, plain)
    of_blank, of_label = gradients(plain, blank, label)
    found_blank, found_label = gradients(hurried, blank, label)
    torch.testing.assert_close(found_blank, of_blank)
    torch.testing.assert_close(found_label, (1.0 + weight) * of_label)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), late=st.floats(0, 2), early=st.floats(0, 2), grace=st.integers(0, 6))
def test_end_of_turn_costs_by_its_distance(seed: int, late: float, early: float, grace: int) -> None:
    """An `<eot>` costs per step before its turn's end and later than the grace after it; other labels nothing."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(1, 5, (2, 9), generator=generator)
    ends = torch.randint(0, 15, (2, 9), generator=generator).sort(1).values
    counts = torch.randint(0, 11, (2, 15, 4), generator=generator)
    config = EndOfTurnPenalty(late, early, grace, most=5.0)
    found = end_of_turn_penalty(counts, labels, ends, END_OF_TURN, config)
    for b, t, w in itertools.product(range(2), range(15), range(4)):
        count = int(counts[b, t, w])
        wanted = 0.0
        if count < 9 and labels[b, count] == END_OF_TURN:
            turn = labels[b, :count].tolist().count(END_OF_TURN)
            away = t - int(ends[b, turn])
            wanted = min(5.0, max(0.0, late * (away - grace)) + max(0.0, -early * away))
        assert found[b, t, w].item() == pytest.approx(wanted, abs=1e-5)


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
