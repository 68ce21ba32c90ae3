import json

import pytest

from meetscribe.errors import CheckpointError, InputError
from meetscribe.models import bundled_directory, find, installed


def make(folder, name, content="{}"):
    (folder / name).mkdir(parents=True)
    (folder / name / "model.json").write_text(content)


def test_own_models_hide_bundled_ones_of_the_same_name(tmp_path, monkeypatch):
    """Models come from all directories by name, the earlier directory first."""
    first, second, bundled = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    make(first, "a")
    make(second, "a")
    make(second, "b")
    make(bundled, "b")
    make(bundled, "c")
    (bundled / "no-model").mkdir()
    monkeypatch.setattr("meetscribe.models.bundled_directory", lambda: bundled)
    found = installed([first, second, tmp_path / "none"])
    assert [(model.path, model.bundled) for model in found] == [
        (first / "a", False),
        (second / "b", False),
        (bundled / "c", True),
    ]


def test_a_directory_can_be_given_as_the_model(tmp_path):
    """A path to a model's directory is a model, installed or not."""
    make(tmp_path, "mine")
    assert find(str(tmp_path / "mine")).path == tmp_path / "mine"


def test_the_default_is_the_one_that_says_so(tmp_path, monkeypatch):
    """Among several models the one marked as default is taken, else the first."""
    monkeypatch.setattr("meetscribe.models.bundled_directory", lambda: tmp_path)
    make(tmp_path, "b", "damaged")
    make(tmp_path, "c")
    assert find(None).name == "b"
    make(tmp_path, "d", json.dumps({"default": True}))
    assert find(None).name == "d"
    with pytest.raises(InputError, match="'x'; installed are: b, c, d"):
        find("x")


@pytest.mark.parametrize("content", ["", "[]", "{", "\0", "[" * 9999])
def test_a_damaged_configuration_is_named(tmp_path, content):
    """A model.json that is no JSON object raises a CheckpointError that names it."""
    make(tmp_path, "a", content)
    with pytest.raises(CheckpointError, match=r"model\.json"):
        find(str(tmp_path / "a")).configuration()


def test_bundled_models_lie_in_the_package_or_beside_it():
    """A checkout and an installed wheel both have a directory of models."""
    assert bundled_directory().is_dir()
