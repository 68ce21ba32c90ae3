from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.errors import CheckpointError
from meetscribe.lm.punctuation import (
    LONG_PAUSE,
    REACH,
    OwnForm,
    Punctuator,
    features,
    load_punctuator,
    save_punctuator,
    suffix_of,
)
from meetscribe.training.language.punctuation import Network

WORDS = ("so", "anna", "api", "went", "home", "unheard")
NUMBERS = {word: row for row, word in enumerate(WORDS[:5], 1)}
FORMS = {"anna": OwnForm("Anna", 3.5), "api": OwnForm("API", 1.0)}


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(1)
    return Network(len(NUMBERS)).eval()


@pytest.fixture(scope="module")
def model(network) -> Punctuator:
    return Punctuator(NUMBERS, FORMS, network.arrays())


texts = st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 3)), min_size=1, max_size=40)


@given(texts)
def test_plain_arrays_say_what_the_trained_network_says(network, model, text) -> None:
    """The network that runs beside the search gives the same answers as the one that was trained."""
    words, pauses = [word for word, _ in text], [pause for _, pause in text]
    ids = torch.tensor([[NUMBERS.get(word, 0) for word in words]])
    suffixes = torch.tensor([[suffix_of(word) for word in words]])
    known = torch.from_numpy(features(words, pauses, FORMS))[None]
    with torch.inference_mode():
        expected = network(ids, suffixes, known, torch.ones(1, len(words), 1))[0].numpy()
    marks, formed = model.scores(words, pauses)
    assert np.allclose(marks, expected[:, :4], atol=1e-4)
    assert np.allclose(formed, expected[:, 4], atol=1e-4)


@given(texts, texts)
def test_an_answer_depends_on_what_is_near(model, text, more) -> None:
    """Words further away than the declared reach change nothing."""
    words, pauses = [word for word, _ in text], [pause for _, pause in text]
    far_words, far_pauses = [word for word, _ in more], [pause for _, pause in more]
    near, _ = model.scores(words, pauses)
    longer, _ = model.scores([*words, *far_words], [*pauses, *far_pauses])
    same = max(0, len(words) - REACH)
    assert np.allclose(near[:same], longer[:same], atol=1e-4)


def test_a_model_reads_back_as_it_was_written(model, tmp_path: Path) -> None:
    """What is stored in bytes and half precision gives nearly the same answers, and the same lists."""
    save_punctuator(model, tmp_path / "p.safetensors")
    again = load_punctuator(tmp_path / "p.safetensors")
    assert (again.numbers, again.forms) == (model.numbers, model.forms)
    words = ["so", "anna", "went", "home", "unheard"]
    pauses = [0, 0, 1, 0, LONG_PAUSE]
    assert np.allclose(again.scores(words, pauses)[0], model.scores(words, pauses)[0], atol=0.2)
    assert again.tags([], []) == []
    assert (again.own_form("api"), again.own_form("berlin")) == ("API", "Berlin")


@pytest.mark.parametrize("damage", [b"", b"nothing", None])
def test_a_damaged_model_is_named(model, tmp_path: Path, damage: bytes | None) -> None:
    """A file that is none, or is cut short, is an error with its name and the remedy."""
    path = tmp_path / "p.safetensors"
    save_punctuator(model, path)
    path.write_bytes(path.read_bytes()[:-100] if damage is None else damage)
    with pytest.raises(CheckpointError, match=r"p\.safetensors is not a usable model of punctuation"):
        load_punctuator(path)
