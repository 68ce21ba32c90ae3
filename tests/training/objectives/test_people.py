from pathlib import Path

import numpy as np
import torch
from people_material import corpus_of

from meetscribe.nn.embedder import EmbedderConfig
from meetscribe.nn.separator import FLOOR
from meetscribe.training.augmentation import Surroundings
from meetscribe.training.crops import CropBatches, CropConfig
from meetscribe.training.objectives.people import PeopleClassifier, PeopleConfig, PeopleObjective

SMALL = EmbedderConfig(width=16, blocks=1, kernel=3, joined=1, pooled=16, attention=8, dimensions=16)


def batches(tmp_path: Path, **changed: float) -> CropBatches:
    config = CropConfig(seconds=4.8, lengths=(0.4,), tilt=0.0, **changed)  # type: ignore[arg-type]
    return CropBatches([corpus_of(tmp_path)], Surroundings((), None), config, seed=4)


def test_people_are_learned(tmp_path: Path) -> None:
    """A few steps on six people make both losses smaller."""
    torch.manual_seed(1)
    made, objective = batches(tmp_path, changed_share=0.0, overlap_share=0.0), PeopleObjective()
    model = PeopleClassifier(SMALL, 6)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-2)
    rows = []
    for number in range(24):
        loss, parts = objective(model, made[number % 5], np.random.default_rng(number))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rows.append(parts)
    for name in ("pairs", "classes"):
        assert np.mean([row[name] for row in rows[-5:]]) < np.mean([row[name] for row in rows[:5]])


def test_masks_take_somebody_else_away(tmp_path: Path) -> None:
    """With true masks the features of a mixture are nearer to those of the person alone than without."""
    made = batches(tmp_path, overlap_share=1.0, separated_share=1.0, changed_share=0.0)[0]
    objective = PeopleObjective(PeopleConfig(masking_error=0.0))
    masked = objective.frames(made, np.random.default_rng(0)).clamp_min(FLOOR)
    alone = objective.features(made.audio - made.others).clamp_min(FLOOR)
    mixed = objective.features(made.audio).clamp_min(FLOOR)
    disturbed = (mixed - alone).abs() > 1.0
    assert ((masked - alone).abs()[disturbed].mean() < 0.5 * (mixed - alone).abs()[disturbed].mean()).item()


def test_a_batch_without_known_people_has_a_loss(tmp_path: Path) -> None:
    """Where everybody was made into somebody else only the pairs count."""
    made = batches(tmp_path, changed_share=1.0)[0]
    loss, parts = PeopleObjective()(PeopleClassifier(SMALL, 6), made, np.random.default_rng(0))
    assert parts["classes"] == 0.0
    assert torch.isfinite(loss)
