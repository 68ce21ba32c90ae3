"""`scripts/train`: trains the single-talker recogniser from aligned speech.

On one core: `scripts/train --corpus CORPUS/speech --surroundings CORPUS --folder RUN`; on several cores or GPUs put
`PROCESSES=N` before it. Stop it at any time; the same command goes on where it stopped.
"""

import argparse
import sys
from typing import Any

import numpy as np
import torch

from meetscribe.errors import MeetscribeError
from meetscribe.evaluation.error_rate import word_error_rate
from meetscribe.nn.encoder import EncoderConfig
from meetscribe.nn.features import HOP
from meetscribe.nn.recogniser import Recogniser, RecogniserConfig
from meetscribe.training.augmentation import NEUTRAL_WARP, AugmentationConfig, load_surroundings
from meetscribe.training.batches import Batch, BatchConfig, Example, TrainingBatches, collate
from meetscribe.training.command import (
    begin,
    corpus_folders,
    options_for,
    starting_weights,
    train,
    training_config,
)
from meetscribe.training.corpus import Corpus, load_corpus
from meetscribe.training.objectives.recognition import (
    RecognitionConfig,
    RecognitionObjective,
    against,
    frame_errors,
    greedy_labels,
)
from meetscribe.training.spoken import spoken_language
from meetscribe.training.targets import STEP, make_targets, turns_of
from meetscribe.training.trainer import Trainer, join_processes

EVALUATED = 60  # utterances of the dev split of each corpus
PLAIN = AugmentationConfig(time_masks=0, frequency_masks=0)


def dev_batches(corpus: Corpus, seed: int = 0) -> dict[str, list[Batch]]:
    """Return batches of whole, unchanged dev utterances, some of each corpus."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[Batch]] = {}
    names = sorted({utterance.corpus for utterance in corpus.utterances})
    for name in names:
        mine = [u for u in corpus.utterances if u.corpus == name]
        chosen = [mine[i] for i in rng.permutation(len(mine))[:EVALUATED]]
        examples = []
        for utterance in sorted(chosen, key=lambda u: u.samples):
            steps = utterance.samples // STEP
            targets = make_targets(turns_of(utterance.words), 0, steps, 1.0)
            if targets is not None:
                audio = corpus.audio.read(utterance.offset, steps * STEP)
                examples.append(Example(audio, NEUTRAL_WARP, targets))
        groups = [examples[i : i + 8] for i in range(0, len(examples), 8)]
        found[name] = [collate(group, PLAIN, rng) for group in groups]
    return found


@torch.no_grad()
def dev_figures(model: Any, batches: dict[str, list[Batch]], chunk: int | None) -> dict[str, float]:
    """Return frame error and phone error rates of each corpus, in per cent."""
    figures = {}
    for name, group in batches.items():
        wrong = steps = errors = length = 0
        for batch in group:
            encoded = model.encoder(model.features(batch.audio), batch.steps, chunk)
            frame_wrong, frame_steps = frame_errors(model, encoded, batch)
            wrong, steps = wrong + frame_wrong, steps + frame_steps
            wanted = [
                [str(s) for s in row[:n].tolist()]
                for row, n in zip(batch.labels, batch.label_counts, strict=True)
            ]
            for reference, found in zip(wanted, greedy_labels(model, encoded, batch.steps), strict=True):
                rate = word_error_rate(reference, [str(symbol) for symbol in found])
                errors, length = errors + rate.errors, length + rate.length
        suffix = "full" if chunk is None else f"chunk{chunk}"
        figures[f"{name}_{suffix}_frame"] = round(100.0 * wrong / max(1, steps), 2)
        figures[f"{name}_{suffix}_phone"] = round(100.0 * errors / max(1, length), 2)
    return figures


def feature_statistics(model: Recogniser, batches: TrainingBatches) -> None:
    """Set the encoder's feature mean and deviation from some training batches."""
    frames = []
    for number in range(12):
        batch = batches[number]
        features = model.features(batch.audio)
        frames += [row[: n * STEP // HOP] for row, n in zip(features, batch.steps, strict=True)]
    heard = torch.cat(frames)
    model.encoder.mean.copy_(heard.mean(0))
    model.encoder.deviation.copy_(heard.std(0).clamp_min(0.1))


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    options = options_for("scripts/train", "Train the recogniser, or go on training it.")
    add = options.add_argument
    add("--stage", choices=("alignment", "full-sum", "discriminative"), default="alignment")
    add("--batch-steps", type=int, default=1_000, help="steps of 40 ms in the batch of one process")
    add("--width", type=int, default=EncoderConfig.width)
    add("--layers", type=int, default=EncoderConfig.layers)
    return options


def main(options: argparse.Namespace) -> int:
    """Train to the end; returns the exit code."""
    rank, world, device = join_processes()
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        batches, dev = _material(options)
        weights = starting_weights(options.weights, "recogniser") if options.weights else None
    except MeetscribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    torch.manual_seed(options.seed)
    model = Recogniser(RecogniserConfig(EncoderConfig(width=options.width, layers=options.layers)))
    if options.stage == "discriminative":
        config = against(spoken_language(batches.corpora, options.seed))
    else:
        config = RecognitionConfig(options.stage)
    objective = RecognitionObjective(config)
    trainer = Trainer(
        model, batches, objective, training_config(options), options.folder, device, rank, world
    )
    if not begin(trainer, weights):
        feature_statistics(model, batches)
        trainer.average = {name: value.detach().clone() for name, value in model.state_dict().items()}
    train(trainer, lambda averaged: dev_figures(averaged, dev, 8) | dev_figures(averaged, dev, None))
    return 0


def _material(options: argparse.Namespace) -> tuple[TrainingBatches, dict[str, list[Batch]]]:
    """Return the training batches, and the dev batches of the first corpus."""
    folders, shares = corpus_folders(options)
    cache = options.cache or options.folder.parent / "cache"
    first = load_corpus(folders[0], "train", cache, options.alignments)
    corpora = [first, *(load_corpus(folder, "train", cache) for folder in folders[1:])]
    around = load_surroundings(options.surroundings or folders[0].parent, cache, options.rooms)
    batch = BatchConfig(options.batch_steps, shares=shares)
    batches = TrainingBatches(corpora, around, batch, AugmentationConfig(), options.seed)
    return batches, dev_batches(load_corpus(folders[0], "dev", cache))


if __name__ == "__main__":
    sys.exit(main(parser().parse_args()))
