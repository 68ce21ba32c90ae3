import numpy as np
import pytest
import torch

from meetscribe.nn.features import Features
from meetscribe.nn.ideal_masks import shared_features
from meetscribe.nn.separator import FLOOR, Masks, Separator, SeparatorConfig
from meetscribe.training.mixtures import MixtureBatch, collate_mixtures
from meetscribe.training.objectives.separation import (
    AFTER,
    SeparationObjective,
    goes_on,
    separation_loss,
    slot_shares,
)
from tests.training.test_mixtures import mixture, turn


@pytest.fixture(scope="module")
def batch() -> MixtureBatch:
    """One mixture: slot 0 alone, both, slot 1 alone, nobody, slot 1 alone."""
    turns = (turn(0, 6_400, 25_600), turn(1, 16_000, 38_400), turn(1, 48_000, 60_800))
    return collate_mixtures([mixture(*turns)])


@pytest.fixture(scope="module")
def objective() -> SeparationObjective:
    return SeparationObjective()


def heard(batch: MixtureBatch) -> torch.Tensor:
    """Return the mixture's features."""
    return Features().energies(Features().spectrum(batch.audio))


def test_shares_add_up(batch: MixtureBatch, objective: SeparationObjective) -> None:
    """The slots share all of the energy; silence belongs to the slot that holds the floor."""
    share = slot_shares(batch, objective.features)
    torch.testing.assert_close(share.sum(1), torch.ones_like(share[:, 0]), atol=1e-5, rtol=0)
    assert (share[0, 0, :30] > 0.999).all()
    assert (share[0, 1, 245:290] > 0.999).all()


def test_single_talkers_are_heard_as_they_are(batch: MixtureBatch, objective: SeparationObjective) -> None:
    """Where one talks, the slot's target is the mixture itself, and the other slot's the floor."""
    mixed = heard(batch)
    target = shared_features(mixed, slot_shares(batch, objective.features))
    assert torch.equal(target[0, 0, 50:95], mixed[0, 50:95])
    assert (target[0, 1, 50:95] == FLOOR).all()


def test_overlapping_tones_are_told_apart(batch: MixtureBatch, objective: SeparationObjective) -> None:
    """Where two talk, each slot's target is loudest where its own tone is."""
    mixed = heard(batch)
    target = shared_features(mixed, slot_shares(batch, objective.features))[0, :, 110:150].mean(1)
    assert target[0].argmax() < target[1].argmax()
    assert target[0, target[0].argmax()] > target[1, target[0].argmax()] + 5


def test_the_right_masks_cost_nothing(batch: MixtureBatch, objective: SeparationObjective) -> None:
    """The difference is zero for the masks that make the targets, and greater for any others."""
    mixed = heard(batch)
    target = shared_features(mixed, slot_shares(batch, objective.features))
    right = ((target - FLOOR) / (mixed[:, None] - FLOOR)).clamp(0, 1)
    silent = torch.zeros(1, 2, mixed.shape[1] // 2)
    costs = [
        separation_loss(Masks(torch.logit(m, 1e-6), silent), mixed, batch, objective)[2]
        for m in (right, right.flip(1), torch.full_like(right, 0.5))
    ]
    assert costs[0]["mask"] < 0.01
    assert costs[1]["mask"] < 0.01  # all exchanged
    assert costs[2]["mask"] > 0.5
    assert costs[0]["dominance"] < 0.5 < costs[2]["dominance"]


def test_a_separator_learns_a_mixture(batch: MixtureBatch, objective: SeparationObjective) -> None:
    """Trained on one mixture, the separator's loss on it falls by half."""
    torch.manual_seed(1)
    model = Separator(SeparatorConfig(width=16, layers=1, heads=2, kernel=3, chunk=16, left=16))
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        loss, _ = objective(model, batch, np.random.default_rng(0))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_stretches_of_talk_may_be_exchanged_as_a_whole(
    batch: MixtureBatch, objective: SeparationObjective
) -> None:
    """Masks that give all voices of a stretch to the other slot cost nothing; inside a stretch they do."""
    mixed = heard(batch)
    target = shared_features(mixed, slot_shares(batch, objective.features))
    right = ((target - FLOOR) / (mixed[:, None] - FLOOR)).clamp(0, 1)
    silent = torch.zeros(1, 2, mixed.shape[1] // 2)

    def cost(masks: torch.Tensor) -> float:
        found = Masks(torch.logit(masks, 1e-6), silent)
        return separation_loss(found, mixed, batch, objective)[2]["dominance"]

    second = torch.arange(right.shape[2])[:, None] >= 300  # the second stretch of talk
    inside = torch.arange(right.shape[2])[:, None] >= 130  # within the overlap of the first one
    assert cost(torch.where(second, right.flip(1), right)) == pytest.approx(cost(right), abs=1e-5)
    assert cost(torch.where(inside, right.flip(1), right)) > cost(right) + 0.1


def test_who_goes_on_after_an_overlap_is_marked_for_a_second(batch: MixtureBatch) -> None:
    """Slot 1 goes on from 25,600 to 38,400 samples, 0.8 s; what comes after the silence is no part of it."""
    marked = goes_on(batch.talking)[0].nonzero()[:, 0] * 160
    assert (int(marked.min()), int(marked.max()) + 160) == (25_600, 38_400)
    long = torch.zeros(1, 2, 400, dtype=torch.bool)
    long[0, 0, :50], long[0, 1, 40:] = True, True
    assert goes_on(long)[0].nonzero()[:, 0].tolist() == list(range(50, 50 + AFTER))
