"""`scripts/train-jointly`: trains the separator-transducer-segmenter, from a separator and a recogniser.

Half of what it hears are single talkers as the recogniser was trained with, half simulated meetings.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from meetscribe.errors import MeetscribeError
from meetscribe.nn.losses import EndOfTurnPenalty
from meetscribe.nn.recogniser import Recogniser
from meetscribe.nn.segmenter import SegmenterConfig, SeparatorTransducerSegmenter
from meetscribe.nn.separator import Separator
from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.augmentation import AugmentationConfig, load_surroundings
from meetscribe.training.batches import BatchConfig, TrainingBatches
from meetscribe.training.command import (
    begin,
    corpus_folders,
    options_for,
    starting_weights,
    train,
    training_config,
)
from meetscribe.training.corpus import load_corpus
from meetscribe.training.mixtures import MixtureBatches
from meetscribe.training.objectives.joint import JointBatch, JointConfig, JointObjective
from meetscribe.training.objectives.recognition import RecognitionConfig, against
from meetscribe.training.simulation.config import SimulationConfig, Style
from meetscribe.training.simulation.meetings import SimulatedMeetings
from meetscribe.training.simulation.rooms import load_meeting_rooms
from meetscribe.training.spoken import PhoneLanguage, spoken_language
from meetscribe.training.trainer import Trainer, join_processes

STYLES: tuple[tuple[Style, float], ...] = (
    ("meeting", 0.45),
    ("overlapped", 0.4),
    ("single", 0.1),
    ("empty", 0.05),
)
"""What meetings are like: more overlap than in real ones, since it is what has to be learned."""
DEV_BATCHES = 12
CHUNK = 8


class JointBatches(Dataset[JointBatch]):
    """Single talkers and mixtures side by side."""

    def __init__(self, single: TrainingBatches, mixtures: MixtureBatches) -> None:
        self.single, self.mixtures = single, mixtures

    def __getitem__(self, number: int) -> JointBatch:
        """Return batch `number`, 0, 1, …, without end."""
        return JointBatch(self.single[number], self.mixtures[number])


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    options = options_for("scripts/train-jointly", "Train the whole network, or go on training it.")
    add = options.add_argument
    add(
        "--separator",
        type=Path,
        help="checkpoint of scripts/train-separator, or a model directory; default: that of --weights",
    )
    add("--meeting-rooms", type=int, default=80, help="image-source rooms of meetings")
    add("--seconds", type=float, default=20.0, help="length of each meeting")
    add("--meetings", type=int, default=2, help="meetings in the batch of one process")
    add(
        "--batch-steps",
        type=int,
        default=500,
        help="steps of 40 ms of single talkers in the batch of one process",
    )
    add(
        "--separator-weight",
        type=float,
        default=0.2,
        help="of the separator's own losses; 0: it stays as it is",
    )
    add(
        "--discriminative",
        action="store_true",
        help="as of scripts/train",
    )
    add("--fast-emit", type=float, default=0.0, help="λ of FastEmit; the paper's is 0.005")
    add("--masking", type=float, default=0.0, help="γ of the masking loss")
    add("--ctc", type=float, default=0.0, help="weight of CTC")
    add("--late", type=float, default=0.0, help="nats a step that <eot> comes late; the paper's is 1")
    add("--early", type=float, default=0.0, help="nats a step that <eot> comes early")
    add("--grace", type=int, default=EndOfTurnPenalty.grace, help="steps that <eot> may come late")
    return options


def main(options: argparse.Namespace) -> int:
    """Train to the end; returns the exit code."""
    rank, world, device = join_processes()
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        batches, dev = material(options)
        weights = joined_weights(options.weights, options.separator) if options.weights else None
    except MeetscribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    torch.manual_seed(options.seed)
    config = SegmenterConfig()
    assert config.separator is not None
    model = SeparatorTransducerSegmenter(Recogniser(config.recogniser), Separator(config.separator))
    assert model.separator is not None
    model.separator.requires_grad_(options.separator_weight > 0)
    language = spoken_language(batches.single.corpora, options.seed) if options.discriminative else None
    objective = JointObjective(joint_config(options, language))
    trainer = Trainer(
        model, batches, objective, training_config(options), options.folder, device, rank, world
    )
    begin(trainer, weights)
    fixed = [dev[number] for number in range(DEV_BATCHES)]
    train(trainer, lambda averaged: dev_figures(averaged, fixed, objective))
    return 0


def joint_config(options: argparse.Namespace, language: PhoneLanguage | None = None) -> JointConfig:
    """Return the losses that the options ask for."""
    penalty = EndOfTurnPenalty(late=options.late, early=options.early, grace=options.grace)
    losses = {
        "fast_emit": options.fast_emit,
        "end_of_turn": penalty if options.late or options.early else None,
    }
    recognition = RecognitionConfig("full-sum", **losses) if language is None else against(language, **losses)
    return JointConfig(
        recognition, separator=options.separator_weight, masking=options.masking, ctc=options.ctc
    )


def joined_weights(start: Path, separator: Path | None) -> dict[str, Tensor]:
    """Return the weights of a whole network, or of its recogniser and another separator put together."""
    parts = {
        "recogniser": starting_weights(start, "recogniser"),
        "separator": starting_weights(separator or start, "separator"),
    }
    return {f"{part}.{name}": value for part, found in parts.items() for name, value in found.items()}


def material(options: argparse.Namespace) -> tuple[JointBatches, MixtureBatches]:
    """Return training batches, and dev batches of meetings."""
    folders, shares = corpus_folders(options)
    cache = options.cache or options.folder.parent / "cache"
    folder = options.surroundings or folders[0].parent
    around = load_surroundings(folder, cache, options.rooms)
    first = load_corpus(folders[0], "train", cache, options.alignments)
    corpora = [first, *(load_corpus(folder, "train", cache) for folder in folders[1:])]
    batch = BatchConfig(options.batch_steps, shares=shares)
    single = TrainingBatches(corpora, around, batch, AugmentationConfig(), options.seed)
    config = SimulationConfig(samples=int(options.seconds * SAMPLE_RATE), styles=STYLES)
    rooms = {
        split: load_meeting_rooms(folder, split, cache, options.meeting_rooms) for split in ("train", "dev")
    }
    train_set = SimulatedMeetings(corpora, rooms["train"], config, options.seed, shares)
    dev_set = SimulatedMeetings([load_corpus(folders[0], "dev", cache)], rooms["dev"], config, options.seed)
    mixtures = MixtureBatches(train_set, options.meetings)
    return JointBatches(single, mixtures), MixtureBatches(dev_set, options.meetings)


@torch.no_grad()
def dev_figures(
    model: nn.Module, batches: MixtureBatches | list, objective: JointObjective
) -> dict[str, float]:
    """Return the mean parts of the loss on meetings."""
    rows = [objective.mixed(model, batch, CHUNK)[1] for batch in batches]  # type: ignore[arg-type]
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}


if __name__ == "__main__":
    sys.exit(main(parser().parse_args()))
