from pathlib import Path

import pytest
import torch

from meetscribe.errors import InputError
from meetscribe.testing import write_tiny_model
from meetscribe.training.command import starting_weights


def test_training_begins_with_the_averaged_weights_of_a_checkpoint(tmp_path: Path) -> None:
    """What was averaged is taken, not what was trained last."""
    average = {"a.weight": torch.ones(2)}
    torch.save({"average": average, "model": {"a.weight": torch.zeros(2)}}, tmp_path / "checkpoint.pt")
    torch.testing.assert_close(starting_weights(tmp_path / "checkpoint.pt", "separator"), average)


def test_training_begins_with_a_part_of_a_model(tmp_path: Path) -> None:
    """Both parts of a model are weights to begin with; one that it lacks is a sentence."""
    write_tiny_model(tmp_path / "two", slots=2)
    for part in ("recogniser", "separator"):
        assert starting_weights(tmp_path / "two", part)
    write_tiny_model(tmp_path / "one", slots=1)
    with pytest.raises(InputError, match="no separator"):
        starting_weights(tmp_path / "one", "separator")


def test_training_begins_with_a_part_of_the_whole_networks_checkpoint(tmp_path: Path) -> None:
    """A part keeps the names that it has alone; one that was not trained is a sentence."""
    average = {"recogniser.a.weight": torch.ones(2)}
    torch.save({"average": average}, tmp_path / "checkpoint.pt")
    found = starting_weights(tmp_path / "checkpoint.pt", "recogniser")
    torch.testing.assert_close(found, {"a.weight": torch.ones(2)})
    with pytest.raises(InputError, match="no separator"):
        starting_weights(tmp_path / "checkpoint.pt", "separator")
