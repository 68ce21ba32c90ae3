import json
import lzma
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from meetscribe.errors import InputError
from meetscribe.lm.symbols import FIRST_PHONE_SYMBOL, START_OF_TURN
from meetscribe.nn.encoder import EncoderConfig
from meetscribe.nn.recogniser import Recogniser, RecogniserConfig
from meetscribe.nn.transducer import TransducerConfig
from meetscribe.training.augmentation import AugmentationConfig, Surroundings
from meetscribe.training.batches import BatchConfig, TrainingBatches
from meetscribe.training.corpus import load_corpus
from meetscribe.training.objectives.recognition import RecognitionConfig, RecognitionObjective
from meetscribe.training.trainer import Trainer, TrainingConfig

SIZES = RecogniserConfig(EncoderConfig(width=8, layers=1, heads=2, kernel=3), TransducerConfig(inner=8))
WORDS = [["two", 10, "T:8 UW:12"], ["keys", 40, "K:6 IY:10 Z:8"]]


def write_corpus(folder: Path, count: int = 6) -> Path:
    """Write a corpus of noise in the shape of the real ones."""
    rng = np.random.default_rng(1)
    rows, aligned = [], []
    for number in range(count):
        name = f"train/{number}.wav"
        (folder / "train").mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, rng.normal(0, 0.1, 16_000), 16_000)
        rows.append({"audio": name, "text": "two keys", "speaker": "s", "duration": 1.0, "corpus": "made"})
        aligned.append({"audio": name, "words": WORDS})
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with lzma.open(folder / "alignments.jsonl.xz", "wt") as file:
        file.write("\n".join(map(json.dumps, aligned)))
    return folder


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> TrainingBatches:
    folder = tmp_path_factory.mktemp("corpus")
    corpus = load_corpus(write_corpus(folder), "train", folder / "cache")
    augmentation = AugmentationConfig(room_share=0.0, noise_share=0.0)
    return TrainingBatches([corpus], Surroundings((), None), BatchConfig(steps=80), augmentation, seed=3)


def trainer(batches: TrainingBatches, folder: Path, steps: int, stage: str = "alignment") -> Trainer:
    folder.mkdir(exist_ok=True)
    config = TrainingConfig(steps=steps, warmup=2, decay=3)
    objective = RecognitionObjective(RecognitionConfig(stage))
    torch.manual_seed(1)
    made = Trainer(Recogniser(SIZES), batches, objective, config, folder, torch.device("cpu"))
    made.bfloat16 = False  # what is faster is measured, and may differ from one trainer to the next
    return made


def silent(_: Trainer, __: dict[str, float]) -> None:
    """Report nothing."""


@pytest.mark.parametrize("stage", ["alignment", "full-sum"])
def test_resuming_is_as_if_never_stopped(batches: TrainingBatches, tmp_path: Path, stage: str) -> None:
    """A run that is stopped and resumed ends with the same weights, to the bit, as one that was not."""
    straight = trainer(batches, tmp_path / "straight", 6, stage)
    straight.run(silent)
    first = trainer(batches, tmp_path / "broken", 6, stage)
    for number in range(3):
        first.train_step(batches[number])
    checkpoint = first.save()
    second = trainer(batches, tmp_path / "broken", 6, stage)
    second.load(checkpoint)
    second.run(silent)
    assert second.step == straight.step == 6
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name
        assert torch.equal(straight.average[name], second.average[name]), name


def test_training_learns(batches: TrainingBatches, tmp_path: Path) -> None:
    """The loss on a batch falls when the batch is trained on."""
    subject = trainer(batches, tmp_path, 1_000)
    losses = [subject.train_step(batches[0])["loss"] for _ in range(30)]
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])


def test_batches_depend_on_their_number_alone(batches: TrainingBatches) -> None:
    """A batch is the same whenever it is asked for, and others differ."""
    later, first = batches[9], batches[0]
    again = batches[0]
    assert torch.equal(first.audio, again.audio)
    assert torch.equal(first.hidden, again.hidden)
    assert later.audio.shape != first.audio.shape or not torch.equal(later.audio, first.audio)


def test_missing_manifest_is_one_sentence(tmp_path: Path) -> None:
    """A folder that is no corpus is named, with what it should hold."""
    with pytest.raises(InputError, match=r"train.jsonl is missing"):
        load_corpus(tmp_path, "train", tmp_path / "cache")


def test_targets_hold_every_phone(batches: TrainingBatches) -> None:
    """Every phone of every word of a batch is a label, emitted in a step of its own, after the turn's start."""
    batch = batches[0]
    for row, count in zip(batch.emitted, batch.label_counts, strict=True):
        assert int((row > 0).sum()) == int(count)
        labels = row[row > 0].tolist()
        assert labels[0] == START_OF_TURN
        assert sum(label >= FIRST_PHONE_SYMBOL for label in labels) in {2, 3, 5}
