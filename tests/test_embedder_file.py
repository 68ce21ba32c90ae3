from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from meetscribe.embedder_file import load_embedder, save_embedder
from meetscribe.errors import CheckpointError
from meetscribe.models import EMBEDDER, embedder_facts
from meetscribe.streaming.likeness import Cohort, Likeness
from meetscribe.streaming.resemblance import Resemblance
from meetscribe.streaming.spectra import Spectra
from meetscribe.testing import tiny_embedder

LIKENESS = Likeness(-1.0, 2.0, 3.0, 4.0)


def test_an_embedder_is_read_back(tmp_path: Path) -> None:
    """Weights come back as bfloat16 has them, with the likeness; the id follows from the weights alone."""
    network = tiny_embedder().network
    id = save_embedder(network, Resemblance(LIKENESS), tmp_path)
    found = load_embedder(tmp_path)
    assert found is not None
    assert (found.id, found.likeness) == (id, LIKENESS)
    frames = torch.randn(1, 40, 80) + 8
    torch.testing.assert_close(found.network(frames), network(frames), atol=0.05, rtol=0)
    (tmp_path / "other").mkdir()
    assert save_embedder(network, Resemblance(), tmp_path / "other") == id
    assert save_embedder(tiny_embedder(2).network, Resemblance(LIKENESS), tmp_path / "other") != id


def test_a_cohort_is_read_back_with_and_without_the_network(tmp_path: Path) -> None:
    """Scores of a likeness with a cohort are the same after writing, to the precision of float16."""
    voices = np.random.default_rng(3).standard_normal((90, 16))
    judged = replace(LIKENESS, cohort=Cohort(voices / np.linalg.norm(voices, axis=1, keepdims=True)))
    save_embedder(tiny_embedder().network, Resemblance(judged), tmp_path)
    facts, found = embedder_facts(tmp_path), load_embedder(tmp_path)
    assert facts is not None
    assert found is not None
    expected = judged.scores(voices[:5], voices[7] + voices[3])
    for likeness in (found.likeness, Likeness.stated(facts.likeness, facts.cohort)):
        np.testing.assert_allclose(likeness.scores(voices[:5], voices[7] + voices[3]), expected, atol=0.02)


def test_how_people_sound_is_read_back_with_and_without_the_network(tmp_path: Path) -> None:
    """Log odds of places are the same after writing, and the id does not depend on them."""
    rng = np.random.default_rng(3)
    spectra = Spectra(rng.standard_normal((80, 80))[:, ::-1], np.linspace(9, 0.1, 80))
    network, one, other = tiny_embedder().network, *rng.standard_normal((2, 80))
    id = save_embedder(network, Resemblance(LIKENESS, spectra), tmp_path)
    facts, found = embedder_facts(tmp_path), load_embedder(tmp_path)
    assert facts is not None
    assert found is not None
    assert found.id == id == save_embedder(network, Resemblance(LIKENESS), tmp_path)
    for kept in (found.resemblance.spectra, Spectra.stated(facts.spectra)):
        assert kept is not None
        odds = [
            float(own.odds(own.places(one, 0.0), np.array(1.0), own.places(other, 0.0), np.array(2.0)))
            for own in (kept, spectra)
        ]
        assert odds[0] == pytest.approx(odds[1], rel=1e-4)
    assert embedder_facts(tmp_path).spectra is None  # type: ignore[union-attr]


def test_its_head_is_read_without_torch(tmp_path: Path) -> None:
    """Id and likeness are in the head of the file; a model without the file has none."""
    assert embedder_facts(tmp_path) is None
    assert load_embedder(tmp_path) is None
    id = save_embedder(tiny_embedder().network, Resemblance(LIKENESS), tmp_path)
    facts = embedder_facts(tmp_path)
    assert facts is not None
    assert facts.id == id
    assert Likeness.stated(facts.likeness, facts.cohort) == LIKENESS


@pytest.mark.parametrize("content", [b"", b"no header at all", b"\x10\0\0\0\0\0\0\0{}", b"\xff" * 40])
def test_a_damaged_embedder_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    """Whatever is in the file, the error names it and the remedy."""
    (tmp_path / EMBEDDER).write_bytes(content)
    with pytest.raises(CheckpointError, match="install the model again"):
        load_embedder(tmp_path)


def test_a_file_that_was_cut_off_is_a_sentence(tmp_path: Path) -> None:
    """A good head with half of the weights is refused too."""
    save_embedder(tiny_embedder().network, Resemblance(LIKENESS), tmp_path)
    whole = (tmp_path / EMBEDDER).read_bytes()
    (tmp_path / EMBEDDER).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="install the model again"):
        load_embedder(tmp_path)


def test_half_of_how_people_sound_is_a_sentence(tmp_path: Path) -> None:
    """A file that has one of the two tensors is damaged, not one without."""
    spectra = Spectra(np.eye(80), np.full(80, 2.0))
    save_embedder(tiny_embedder().network, Resemblance(LIKENESS, spectra), tmp_path)
    with safe_open(tmp_path / EMBEDDER, "pt") as file:
        head, kept = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    del kept["spectra.spread"]
    save_file(kept, tmp_path / EMBEDDER, head)
    with pytest.raises(CheckpointError, match="install the model again"):
        embedder_facts(tmp_path)
