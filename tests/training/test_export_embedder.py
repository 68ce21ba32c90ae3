import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
import typer

from meetscribe.embedder_file import load_embedder, save_embedder
from meetscribe.nn.embedder import EmbedderConfig
from meetscribe.streaming.likeness import Likeness
from meetscribe.streaming.resemblance import Resemblance
from meetscribe.streaming.spectra import Spectra
from meetscribe.testing import tiny_embedder
from meetscribe.training import export_embedder
from meetscribe.training.export_embedder import averaged_embedder, fitted, is_for_estimates, main, means_of
from meetscribe.training.objectives.people import PeopleClassifier

CORPUS = ("--corpus", "corpus", "--cache", "cache")
SMALL = EmbedderConfig(width=16, blocks=1, kernel=3, joined=1, pooled=16, attention=8, dimensions=16)


def test_the_likeness_of_pairs_is_found_again() -> None:
    """Pairs drawn with known log odds, which grow with the speech behind them, give these log odds back."""
    rng, truth = np.random.default_rng(1), Likeness(-3.0, 9.0, -1.0, 3.0)
    scores, behind = rng.uniform(-0.3, 1.0, 60_000), rng.uniform(0.4, 3.0, 60_000)
    length = np.log(behind)
    odds = truth.offset + truth.length * length + (truth.score + truth.score_length * length) * scores
    same = rng.random(60_000) < 1 / (1 + np.exp(-odds))
    found = fitted(scores, behind, same)
    shift = np.log(same.mean() / (1 - same.mean()))  # both kinds count alike, however many there are
    for score, seconds in ((0.1, 1.0), (0.5, 2.0), (0.8, 5.0)):
        assert abs(found.odds(score, seconds, seconds) + shift - truth.odds(score, seconds, seconds)) < 0.4


class FromEachBundle(np.random.Generator):
    """Begins with a voice of each bundle."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(7))

    def permutation(self, x, axis=0):
        first = [0, 40, 80, 120]
        return np.array(first + [number for number in range(x) if number not in first])


def test_means_of_voices_are_near_their_voices_and_nobodys_own() -> None:
    """Of three bundles of voices come three middles; of one person's two voices, and another's, comes none."""
    rng = np.random.default_rng(2)
    middles = np.eye(8)[:3]
    voices = np.concatenate([middle + 0.2 * rng.standard_normal((40, 8)) for middle in middles])
    voices = np.concatenate([voices, np.eye(8)[[3, 3, 3]]])
    voices /= np.linalg.norm(voices, axis=1, keepdims=True)
    people = np.array([*range(121), 121, 121])
    means = means_of(voices.astype(np.float32), people, 4, FromEachBundle())
    np.testing.assert_allclose(np.linalg.norm(means, axis=1), 1.0, atol=1e-5)
    assert (means @ middles.T).argmax(1).tolist() == [0, 1, 2]
    assert (means @ middles.T).max(1).min() > 0.98
    assert abs(means @ np.eye(8)[3]).max() < 0.2


def test_averaged_weights_are_taken_out_of_a_checkpoint(tmp_path: Path) -> None:
    """The embedder of a checkpoint is the averaged one, without what only training needs."""
    model = PeopleClassifier(SMALL, 5)
    average = {name: value + 1.0 for name, value in model.state_dict().items()}
    torch.save({"sizes": dataclasses.asdict(SMALL), "average": average}, tmp_path / "checkpoint.pt")
    found = averaged_embedder(tmp_path / "checkpoint.pt")
    torch.testing.assert_close(found.out.weight, model.embedder.out.weight + 1.0)


def test_half_of_the_people_are_for_estimates() -> None:
    """Who is on which side follows from the name alone, and both sides have many."""
    sides = [is_for_estimates(f"speaker-{number}") for number in range(200)]
    assert 60 < sum(sides) < 140


def test_a_models_embedder_is_kept_and_how_people_sound_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a model's directory the network and its id stay; a model without an embedder is a sentence."""
    spectra = Spectra(np.eye(80), np.full(80, 2.0))
    for name, given in {"load_meeting_rooms": None, "load_corpus": None, "estimated": spectra}.items():
        monkeypatch.setattr(export_embedder, name, lambda *_, given=given: given)
    command = typer.Typer()
    command.command()(main)
    there, empty = tmp_path / "there", tmp_path / "empty"
    for folder in (there, empty):
        folder.mkdir()
    id = save_embedder(tiny_embedder().network, Resemblance(Likeness(score=3.0)), there)
    command(["--checkpoint", str(there), "--out", str(there), *CORPUS], standalone_mode=False)
    found = load_embedder(there)
    assert found is not None
    assert (found.id, found.likeness.score) == (id, 3.0)
    assert found.resemblance.spectra is not None
    assert found.resemblance.spectra.spread.tolist() == spectra.spread.tolist()
    code = command(["--checkpoint", str(empty), "--out", str(there), *CORPUS], standalone_mode=False)
    assert code == 2
    assert "has no embedder; name a checkpoint" in capsys.readouterr().err
