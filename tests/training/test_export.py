import dataclasses
from pathlib import Path

import pytest
import torch

from meetscribe.checkpoint import CONFIGURATION, load_model
from meetscribe.errors import InputError
from meetscribe.streaming.turns import TurnSettings
from meetscribe.testing import tiny_network, tiny_recogniser, write_tiny_model
from meetscribe.training.command import starting_weights
from meetscribe.training.export import SETTINGS, averaged_network, averaged_recogniser, chosen_settings


def write_whole(path: Path, slots: int) -> None:
    """Write a checkpoint of the whole network, as joint training does."""
    network = tiny_network(slots=slots)
    separator = None if network.separator is None else dataclasses.asdict(network.separator.config)
    sizes = {"recogniser": dataclasses.asdict(network.recogniser.config), "separator": separator}
    torch.save({"average": network.state_dict(), "sizes": sizes}, path)


@pytest.mark.parametrize("slots", [1, 2])
def test_a_checkpoint_of_the_whole_network_is_read(tmp_path: Path, slots: int) -> None:
    """The averaged weights of recogniser and separator come back, under their own names."""
    write_whole(tmp_path / "checkpoint.pt", slots)
    network = averaged_network(tmp_path / "checkpoint.pt")
    assert network.slots == slots
    for name, value in tiny_network(slots=slots).state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value)


def test_a_checkpoint_of_a_recogniser_is_a_network_of_one_slot(tmp_path: Path) -> None:
    """What recogniser training writes is a network without separator."""
    alone = tiny_recogniser()
    written = {"average": alone.state_dict(), "sizes": dataclasses.asdict(alone.config)}
    torch.save(written, tmp_path / "checkpoint.pt")
    assert averaged_network(tmp_path / "checkpoint.pt").slots == 1
    read = averaged_recogniser(tmp_path / "checkpoint.pt")
    for name, value in alone.state_dict().items():
        torch.testing.assert_close(read.state_dict()[name], value)


def test_of_several_checkpoints_the_mean_is_taken(tmp_path: Path) -> None:
    """Every number is half of each; networks of different sizes have no mean."""
    for name, seed in (("a", 1), ("b", 2)):
        alone = tiny_recogniser(seed=seed)
        written = {"average": alone.state_dict(), "sizes": dataclasses.asdict(alone.config)}
        torch.save(written, tmp_path / name)
    found = averaged_network(tmp_path / "a", tmp_path / "b").recogniser.state_dict()
    one, other = (tiny_recogniser(seed=seed).state_dict() for seed in (1, 2))
    assert not torch.equal(one["frame_classifier.weight"], other["frame_classifier.weight"])
    for name, value in found.items():
        torch.testing.assert_close(value, (one[name] + other[name]) / 2)
    write_whole(tmp_path / "whole", slots=1)
    with pytest.raises(InputError, match=r"whole: its network has other sizes"):
        averaged_network(tmp_path / "a", tmp_path / "whole")


@pytest.mark.parametrize("source", ["whole", "directory", "separator"])
def test_a_recogniser_and_another_separator_become_one_network(tmp_path: Path, source: str) -> None:
    """The last stage trains the recogniser alone; the separator comes from wherever it is."""
    alone, whole = tiny_recogniser(), tiny_network(slots=2)
    assert whole.separator is not None
    recogniser = tmp_path / "recogniser.pt"
    torch.save({"average": alone.state_dict(), "sizes": dataclasses.asdict(alone.config)}, recogniser)
    other = tmp_path / "other.pt"
    if source == "whole":
        write_whole(other, slots=2)
    elif source == "separator":
        sizes = dataclasses.asdict(whole.separator.config)
        torch.save({"average": whole.separator.state_dict(), "sizes": sizes}, other)
    else:
        other = tmp_path / "two"
        write_tiny_model(other, slots=2)
    network = averaged_network(recogniser, separator=other)
    assert network.slots == 2
    assert network.separator is not None
    for name, value in starting_weights(other, "separator").items():
        torch.testing.assert_close(network.separator.state_dict()[name], value)
    for name, value in alone.state_dict().items():
        torch.testing.assert_close(network.recogniser.state_dict()[name], value)


def test_settings_survive_another_export(tmp_path: Path) -> None:
    """Settings come from the model that is named; but what is trained here has marks, whatever they say."""
    write_tiny_model(tmp_path / "tiny", slots=1)
    path = tmp_path / "tiny" / CONFIGURATION
    path.write_text(path.read_text().replace('"pause": 18', '"pause": 17', 1))
    tuned = load_model(tmp_path / "tiny").settings
    assert tuned.turns == dataclasses.replace(TurnSettings(), pause=17)
    chosen = chosen_settings(tmp_path / "tiny")
    assert (chosen.turns, chosen.leak) == (tuned.turns, tuned.leak)
    assert chosen.first_pass == dataclasses.replace(tuned.first_pass, hidden_marks=True)
    assert chosen.final_pass == dataclasses.replace(tuned.final_pass, hidden_marks=True)
    assert chosen_settings(None) == SETTINGS
