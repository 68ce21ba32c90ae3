"""`scripts/train-embedder`: trains the network that tells who speaks, on all people that there are.

It needs no transcripts: whoever is in the corpora and in `--speakers` is a person.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from meetscribe.embedder_file import load_embedder
from meetscribe.errors import InputError, MeetscribeError
from meetscribe.evaluation.verification import equal_error_rate
from meetscribe.nn.embedder import EmbedderConfig
from meetscribe.nn.features import Features
from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.command import (
    averaged_weights,
    begin,
    corpus_folders,
    options_for,
    train,
    training_config,
)
from meetscribe.training.corpus import Corpus, load_corpus
from meetscribe.training.crops import CropBatches, CropConfig, people_of
from meetscribe.training.objectives.people import PeopleClassifier, PeopleObjective
from meetscribe.training.simulation.rooms import load_meeting_rooms
from meetscribe.training.simulation.untranscribed import load_untranscribed
from meetscribe.training.trainer import Trainer, join_processes
from meetscribe.training.trials import CLEAN, make_trials

LENGTHS = (2.0, 5.0)
EVALUATED = 300  # steps
STEADY = 16.0
"""Length of the directions that are set: only where they point counts, and short ones turn away within some steps."""


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    options = options_for("scripts/train-embedder", "Train the speaker embedder, or go on training it.")
    add = options.add_argument
    add("--speakers", type=Path, action="append", default=[], help="manifest of speech without transcripts")
    add("--seconds", type=float, default=CropConfig.seconds, help="audio in the batch of one process")
    return options


def main(options: argparse.Namespace) -> int:
    """Train to the end; returns the exit code."""
    rank, world, device = join_processes()
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        corpora, dev = people_corpora(options, "train"), people_corpora(options, "dev")
        batches = _batches(options, corpora)
    except MeetscribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    torch.manual_seed(options.seed)
    model = PeopleClassifier(EmbedderConfig(), len(batches.people))
    try:
        weights = starting_people(options.weights, model) if options.weights else None
    except MeetscribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{len(batches.people)} people, {len(people_of(dev))} others in dev", file=sys.stderr)
    objective = PeopleObjective()
    config = replace(training_config(options), evaluate_every=EVALUATED)
    trainer = Trainer(model, batches, objective, config, options.folder, device, rank, world)
    if not begin(trainer, weights):
        feature_statistics(model, batches, objective)
        trainer.average = {name: value.detach().clone() for name, value in model.state_dict().items()}
    elif not trainer.step and options.weights.is_dir():  # a model has no directions of people
        set_prototypes(model, batches)
        trainer.average = {name: value.detach().clone() for name, value in model.state_dict().items()}
    train(trainer, dev_figures(dev))
    return 0


def starting_people(start: Path, model: PeopleClassifier) -> dict[str, Tensor]:
    """Return the averaged weights of a checkpoint, or those of `model` with the embedder of a model's directory.

    Raises:
        InputError: the model has no embedder.
    """
    if not start.is_dir():
        return averaged_weights(start)
    embedder = load_embedder(start)
    if embedder is None:
        raise InputError(f"{start}: this model has no embedder; name another one, or train without --weights")
    weights = embedder.network.state_dict()
    return model.state_dict() | {f"embedder.{name}": value for name, value in weights.items()}


def people_corpora(options: argparse.Namespace, split: str) -> list[Corpus]:
    """Return all recordings of a split, without their words."""
    folders, _ = corpus_folders(options)
    cache = options.cache or options.folder.parent / "cache"
    corpora = [load_corpus(folders[0], split, cache, options.alignments)]
    if split == "train":
        corpora += [load_corpus(folder, split, cache) for folder in folders[1:]]
    for path in options.speakers:
        if split == "train" or path.name != "train.jsonl":
            corpora.append(load_untranscribed(path.parent, path.name, split, cache))
    return [
        Corpus(tuple(replace(u, words=(), text="") for u in corpus.utterances), corpus.audio)
        for corpus in corpora
    ]


def _batches(options: argparse.Namespace, corpora: list[Corpus]) -> CropBatches:
    folders, _ = corpus_folders(options)
    cache = options.cache or options.folder.parent / "cache"
    around = load_meeting_rooms(options.surroundings or folders[0].parent, "train", cache, options.rooms)
    return CropBatches(corpora, around, CropConfig(seconds=options.seconds), options.seed)


def feature_statistics(model: PeopleClassifier, batches: CropBatches, objective: PeopleObjective) -> None:
    """Set the embedder's feature mean and deviation from some training batches."""
    frames = torch.cat(
        [
            objective.frames(batches[number], np.random.default_rng(number)).flatten(0, 1)
            for number in range(12)
        ]
    )
    model.embedder.steps.mean.copy_(frames.mean(0))
    model.embedder.steps.deviation.copy_(frames.std(0).clamp_min(0.1))


@torch.no_grad()
def set_prototypes(model: PeopleClassifier, batches: CropBatches, seconds: float = 2.5) -> None:
    """Let everybody's direction begin where the embedder hears them: few steps would not find it from anywhere."""
    features, samples = Features(), int(seconds * SAMPLE_RATE)
    for first in range(0, len(batches.people), 64):
        people = range(first, min(first + 64, len(batches.people)))
        cuts = np.stack([batches.cut(person, samples) for person in people])
        voices = model.embedder(features(torch.from_numpy(cuts)))
        model.prototypes.weight[people.start : people.stop] = voices * STEADY


def dev_figures(corpora: list[Corpus]) -> Callable[[nn.Module], dict[str, float]]:
    """Return what gives the equal error rates of people who are not in training, in per cent."""
    lists = {seconds: make_trials(corpora, seconds, CLEAN, seed=1) for seconds in LENGTHS}

    def figures(model: nn.Module) -> dict[str, float]:
        assert isinstance(model, PeopleClassifier)
        found = {}
        for seconds, (cuts, trials) in lists.items():
            voices = voices_of(model.embedder, [cut.audio for cut in cuts])
            scores = [float(voices[trial.one] @ voices[trial.other]) for trial in trials]
            rate = equal_error_rate(scores, [trial.same for trial in trials])
            found[f"eer_{seconds:g}s"] = round(100.0 * rate, 2)
        return found

    return figures


@torch.no_grad()
def voices_of(embedder: nn.Module, cuts: Sequence[np.ndarray]) -> Tensor:
    """Return the voices (N, E) of sounds of equal length."""
    features = Features()
    batches = [np.stack(cuts[i : i + 32]) for i in range(0, len(cuts), 32)]
    return torch.cat([embedder(features(torch.from_numpy(batch))) for batch in batches])


if __name__ == "__main__":
    sys.exit(main(parser().parse_args()))
