import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from meetscribe.checkpoint import (
    CONFIGURATION,
    KEPT_LISTS,
    LANGUAGE_FILES,
    PUNCTUATION,
    WEIGHTS,
    description_of,
    load_model,
    save_model,
    save_turns,
)
from meetscribe.errors import CheckpointError
from meetscribe.lm.wording import RAW, Wording
from meetscribe.nn.segmenter import SeparatorTransducerSegmenter
from meetscribe.nn.voice import Voice, VoiceConfig
from meetscribe.streaming.rules import ClosingRule, SplitRule
from meetscribe.streaming.turns import TurnSettings
from meetscribe.testing import tiny_model, write_tiny_model


def cut_weights(folder: Path) -> None:
    path = folder / WEIGHTS
    path.write_bytes(path.read_bytes()[:-100])


def foreign_weights(folder: Path) -> None:
    save_file({"other": torch.zeros(3)}, folder / WEIGHTS)


def infinite_weights(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    weights["recogniser.encoder.mean"][0] = float("inf")
    save_file(weights, folder / WEIGHTS)


def pickled_weights(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(pickle.dumps({"encoder.mean": 1}))


def other_version(folder: Path) -> None:
    read = json.loads((folder / CONFIGURATION).read_text())
    (folder / CONFIGURATION).write_text(json.dumps(read | {"version": 99}))


def unknown_setting(folder: Path) -> None:
    read = json.loads((folder / CONFIGURATION).read_text())
    read["search"]["first_pass"]["depth"] = 3
    (folder / CONFIGURATION).write_text(json.dumps(read))


def no_configuration(folder: Path) -> None:
    (folder / CONFIGURATION).unlink()


def no_lexicon(folder: Path) -> None:
    (folder / LANGUAGE_FILES["lexicon"]).unlink()


def damaged_ngram(folder: Path) -> None:
    (folder / LANGUAGE_FILES["books"]).write_bytes(b"nothing of the kind")


DAMAGES = [
    cut_weights,
    foreign_weights,
    infinite_weights,
    pickled_weights,
    other_version,
    unknown_setting,
    no_configuration,
    no_lexicon,
    damaged_ngram,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_one_sentence(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """A damaged, foreign or incomplete model is refused with one line that names the file and the remedy."""
    write_tiny_model(tmp_path / "tiny")
    damage(tmp_path / "tiny")
    with pytest.raises(CheckpointError) as caught:
        load_model(tmp_path / "tiny")
    sentence = str(caught.value)
    assert str(tmp_path / "tiny") in sentence
    assert "install" in sentence or "give" in sentence
    assert "\n" not in sentence
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("slots", [1, 2])
def test_a_model_survives_being_written(tmp_path: Path, slots: int) -> None:
    """What is loaded has the name, sizes, words and settings of what was saved, and its weights in bfloat16."""
    written = write_tiny_model(tmp_path / "tiny", slots=slots)
    read = load_model(tmp_path / "tiny")
    assert read.name == "tiny"
    assert read.network.recogniser.config == written.network.recogniser.config
    assert read.network.slots == slots
    assert read.language.lexicon == written.language.lexicon
    assert read.settings == written.settings
    for name, value in written.network.state_dict().items():
        torch.testing.assert_close(read.network.state_dict()[name], value, rtol=2**-7, atol=1e-6)


def test_a_bypassed_model_is_its_recogniser_alone() -> None:
    """Without its separator a model has one slot, the recogniser's own tables, and all else as before."""
    model = tiny_model()
    bypassed = model.bypassed()
    audio = torch.randn(1, model.network.chunk_samples, generator=torch.Generator().manual_seed(1)) * 0.1
    lengths = torch.tensor([audio.shape[1]])
    with torch.inference_mode():
        alone = model.network.recogniser(audio, lengths, None)
        scores = bypassed.network(audio, lengths, None).scores
    assert scores.shape[1] == bypassed.network.slots == 1
    torch.testing.assert_close(scores[:, 0], alone)
    assert (model.network.slots, bypassed.settings) == (2, model.settings)


def test_rules_of_turns_and_voices_come_back(tmp_path: Path) -> None:
    """What closes turns and tells voices apart is written with a model and read with it; so are other settings."""
    model = tiny_model()
    voice = Voice(VoiceConfig(dimensions=3))
    network = SeparatorTransducerSegmenter(model.network.recogniser, model.network.separator, voice)
    turns = TurnSettings(closing=ClosingRule(ended=0.5), splitting=SplitRule(spread=(4.0, 2.0, 1.0)))
    settings = replace(model.settings, turns=turns)
    write_tiny_model(tmp_path / "tiny")
    save_model(
        replace(model, directory=tmp_path / "tiny", network=network, settings=settings), "# x\n", "two words"
    )
    read = load_model(tmp_path / "tiny")
    assert read.settings == settings
    assert read.network.voice is not None
    torch.testing.assert_close(read.network.voice.state_dict(), voice.state_dict(), atol=0.01, rtol=0.01)
    assert description_of(tmp_path / "tiny") == "two words"
    save_turns(tmp_path / "tiny", TurnSettings(pause=11))
    assert load_model(tmp_path / "tiny").settings == replace(settings, turns=TurnSettings(pause=11))


def test_a_model_listens_for_each_meetings_hot_words(tmp_path: Path) -> None:
    """Words that a meeting lists are known to its searches, to no other's, and only the last lists are kept."""
    write_tiny_model(tmp_path / "tiny")
    model = load_model(tmp_path / "tiny")
    words = len(model.search.words)
    for number in range(KEPT_LISTS + 2):
        model.new_transcriber(
            wording=Wording(hotwords=("go Teamee", f"See{'e' * number}t"), learned=("Eat",))
        )
    lists = model._lists
    assert len(lists) == KEPT_LISTS
    first, final = lists[tuple(lists)[-1]]
    assert first.words[words:] == final.words[words:] == ("Teamee", f"See{'e' * (KEPT_LISTS + 1)}t")
    assert len(model.search.words) == words


def test_a_damaged_model_of_marks_is_one_sentence(tmp_path: Path) -> None:
    """A model may lack its marks; damaged ones are refused when text is wanted, and not where it is not."""
    write_tiny_model(tmp_path / "tiny")
    model = load_model(tmp_path / "tiny")
    assert model.punctuator is None
    (tmp_path / "tiny" / PUNCTUATION).write_bytes(b"nothing")
    damaged = load_model(tmp_path / "tiny")
    damaged.new_transcriber(wording=RAW)
    with pytest.raises(CheckpointError, match="install the model again"):
        damaged.new_transcriber()
