"""`scripts/train`: trains the single-talker recogniser from aligned speech.

On one core: `scripts/train --corpus CORPUS/speech --surroundings CORPUS --folder RUN`; on several cores or GPUs put
`PROCESSES=N` before it. Stop it at any time; the same command goes on where it stopped.
"""

import argparse
import dataclasses
import signal
import sys
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from meetscribe.checkpoint import load_model
from meetscribe.errors import MeetscribeError
from meetscribe.evaluation.error_rate import word_error_rate
from meetscribe.nn.encoder import EncoderConfig
from meetscribe.nn.features import HOP
from meetscribe.nn.recogniser import Recogniser, RecogniserConfig
from meetscribe.training.augmentation import NEUTRAL_WARP, AugmentationConfig, load_surroundings
from meetscribe.training.batches import Batch, BatchConfig, Example, TrainingBatches, collate
from meetscribe.training.corpus import Corpus, load_corpus
from meetscribe.training.objective import ObjectiveConfig, frame_errors, greedy_labels
from meetscribe.training.targets import STEP, make_targets
from meetscribe.training.trainer import Trainer, TrainingConfig, append_row, join_processes, new_model

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
            targets = make_targets(utterance.words, 0, steps, 1.0)
            if targets is not None:
                audio = corpus.audio.read(utterance.offset, steps * STEP)
                examples.append(Example(audio, NEUTRAL_WARP, targets))
        groups = [examples[i : i + 8] for i in range(0, len(examples), 8)]
        found[name] = [collate(group, PLAIN, rng) for group in groups]
    return found


@torch.no_grad()
def dev_figures(model: Recogniser, batches: dict[str, list[Batch]], chunk: int | None) -> dict[str, float]:
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


class Reporter:
    """Shows a progress bar, keeps figures in CSV files, evaluates now and then."""

    def __init__(self, trainer: Trainer, dev: dict[str, list[Batch]]) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
        self.task = self.progress.add_task("training", total=trainer.config.steps, completed=trainer.step)
        self.dev, self.heard = dev, 0.0
        self.sums: dict[str, float] = {}

    def __call__(self, trainer: Trainer, parts: dict[str, float]) -> None:
        """Take the figures of one step."""
        self.heard += parts["heard"]
        for name, value in parts.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        speed = parts["heard"] / parts["seconds"]
        text = f"step {trainer.step} loss {parts['loss']:.3f} {speed:.0f}x"
        self.progress.update(self.task, completed=trainer.step, description=text)
        if trainer.rank == 0 and trainer.step % 50 == 0:
            row = {name: round(value / 50, 4) for name, value in self.sums.items()}
            append_row(trainer.folder / "training.csv", {"step": trainer.step, **row})
            self.sums = {}
        if trainer.rank == 0 and trainer.step % trainer.config.evaluate_every == 0:
            model = trainer.averaged()
            figures = dev_figures(model, self.dev, 8) | dev_figures(model, self.dev, None)
            append_row(trainer.folder / "dev.csv", {"step": trainer.step, **figures})
            self.progress.console.print(trainer.step, figures)


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    options = argparse.ArgumentParser(
        "scripts/train", description="Train the recogniser, or go on training it."
    )
    add = options.add_argument
    add(
        "--corpus",
        action="append",
        required=True,
        help="folder with manifests; FOLDER=SHARE takes a part an epoch",
    )
    add("--folder", type=Path, required=True, help="where checkpoints and figures go")
    add(
        "--surroundings",
        type=Path,
        help="folder with noise.jsonl and rooms.jsonl; default: above the first corpus",
    )
    add("--cache", type=Path, help="folder for decoded audio; default: FOLDER/../cache")
    add("--alignments", type=Path, help="other alignments for the first corpus")
    add("--start", type=Path, help="checkpoint, or model directory, whose weights a new run begins with")
    add("--steps", type=int, default=20_000)
    add("--decay", type=int, default=2_000, help="last steps, in which the learning rate falls to zero")
    add("--rate", type=float, default=1.5e-3, help="highest learning rate")
    add("--stage", choices=("alignment", "full-sum"), default="alignment")
    add("--batch-steps", type=int, default=1_000, help="steps of 40 ms in the batch of one process")
    add("--rooms", type=int, default=300, help="image-source rooms beside the recorded ones")
    add("--width", type=int, default=EncoderConfig.width)
    add("--layers", type=int, default=EncoderConfig.layers)
    add("--seed", type=int, default=1)
    add("--workers", type=int, default=0, help="processes that make batches (useful beside a GPU)")
    return options


def main(options: argparse.Namespace) -> int:
    """Train to the end; returns the exit code."""
    rank, world, device = join_processes()
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        batches, dev = _material(options)
    except MeetscribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    config = TrainingConfig(
        seed=options.seed,
        steps=options.steps,
        decay=options.decay,
        rate=options.rate,
        workers=options.workers,
        objective=ObjectiveConfig(options.stage),
    )
    sizes = RecogniserConfig(EncoderConfig(width=options.width, layers=options.layers))
    trainer = Trainer(new_model(sizes, options.seed), batches, config, options.folder, device, rank, world)
    _begin(trainer, batches, options.start)
    stop_on_signals(trainer)
    reporter = Reporter(trainer, dev)
    with reporter.progress:
        trainer.run(reporter)
    return 0


def stop_on_signals(trainer: Trainer) -> None:
    """Let SIGTERM and SIGINT end the training after the step in progress, with a checkpoint.

    Only the first process reacts: the others would leave it waiting for their part of the step.
    """

    def stop(_signal: int, _frame: object) -> None:
        trainer.stopping = trainer.rank == 0

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)


def _material(options: argparse.Namespace) -> tuple[TrainingBatches, dict[str, list[Batch]]]:
    """Return the training batches, and the dev batches of the first corpus."""
    parts = [name.partition("=") for name in options.corpus]
    folders, shares = [Path(part[0]) for part in parts], tuple(float(part[2] or 1.0) for part in parts)
    cache = options.cache or options.folder.parent / "cache"
    first = load_corpus(folders[0], "train", cache, options.alignments)
    corpora = [first, *(load_corpus(folder, "train", cache) for folder in folders[1:])]
    around = load_surroundings(options.surroundings or folders[0].parent, cache, options.rooms)
    batch = BatchConfig(options.batch_steps, shares=shares)
    batches = TrainingBatches(corpora, around, batch, AugmentationConfig(), options.seed)
    return batches, dev_batches(load_corpus(folders[0], "dev", cache))


def starting_weights(start: Path) -> dict[str, torch.Tensor]:
    """Return the averaged weights of a checkpoint, or the weights of a model directory."""
    if start.is_dir():
        return load_model(start).network.state_dict()
    return torch.load(start, map_location="cpu", weights_only=True)["average"]


def _begin(trainer: Trainer, batches: TrainingBatches, start: Path | None) -> None:
    own = trainer.folder / "checkpoint.pt"
    if own.exists():
        trainer.load(own)
    elif start is not None:
        weights = starting_weights(start)
        trainer.model.load_state_dict(weights)
        trainer.average = {name: value.clone().to(trainer.device) for name, value in weights.items()}
    else:
        feature_statistics(trainer.model, batches)
        trainer.average = {k: v.detach().clone() for k, v in trainer.model.state_dict().items()}
    print(f"step {trainer.step}, {dataclasses.asdict(trainer.config)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(parser().parse_args()))
