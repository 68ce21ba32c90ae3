"""What all training commands share: their options, progress, figures on the way, stopping and resuming."""

import argparse
import dataclasses
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn

from meetscribe.checkpoint import load_model
from meetscribe.errors import InputError
from meetscribe.training.trainer import Trainer, TrainingConfig, append_row

ROWS_EVERY = 50  # steps


class Reporter:
    """Shows a progress bar, keeps figures in CSV files, evaluates now and then."""

    def __init__(self, trainer: Trainer[Any], evaluate: Callable[[nn.Module], dict[str, float]]) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
        self.task = self.progress.add_task("training", total=trainer.config.steps, completed=trainer.step)
        self.evaluate = evaluate
        self.sums: dict[str, float] = {}

    def __call__(self, trainer: Trainer[Any], parts: dict[str, float]) -> None:
        """Take the figures of one step."""
        for name, value in parts.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        speed = parts["heard"] / parts["seconds"]
        text = f"step {trainer.step} loss {parts['loss']:.3f} {speed:.0f}x"
        self.progress.update(self.task, completed=trainer.step, description=text)
        if trainer.rank == 0 and trainer.step % ROWS_EVERY == 0:
            row = {name: round(value / ROWS_EVERY, 4) for name, value in self.sums.items()}
            append_row(trainer.folder / "training.csv", {"step": trainer.step, **row})
            self.sums = {}
        if trainer.rank == 0 and trainer.step % trainer.config.evaluate_every == 0:
            figures = self.evaluate(trainer.averaged())
            append_row(trainer.folder / "dev.csv", {"step": trainer.step, **figures})
            self.progress.console.print(trainer.step, figures)


def options_for(command: str, what: str) -> argparse.ArgumentParser:
    """Return a parser with the options that all training commands have."""
    options = argparse.ArgumentParser(command, description=what)
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
    add("--weights", type=Path, help="checkpoint, or model directory, whose weights a new run begins with")
    add("--steps", type=int, default=20_000)
    add("--decay", type=int, default=2_000, help="last steps, in which the learning rate falls to zero")
    add("--warmup", type=int, default=300, help="first steps, in which the learning rate rises")
    add("--rate", type=float, default=1.5e-3, help="highest learning rate of AdamW")
    add("--muon-rate", type=float, default=0.02, help="of the hidden matrices; 0: AdamW for all")
    add("--rooms", type=int, default=300, help="image-source rooms beside the recorded ones")
    add("--seed", type=int, default=1)
    add("--workers", type=int, default=0, help="processes that make batches (useful beside a GPU)")
    return options


def training_config(options: argparse.Namespace) -> TrainingConfig:
    """Return the schedule that the options ask for."""
    return TrainingConfig(
        seed=options.seed,
        steps=options.steps,
        warmup=options.warmup,
        decay=options.decay,
        rate=options.rate,
        muon_rate=options.muon_rate,
        workers=options.workers,
    )


def corpus_folders(options: argparse.Namespace) -> tuple[list[Path], tuple[float, ...]]:
    """Return the folders of the corpora, and the share that an epoch takes of each."""
    parts = [name.partition("=") for name in options.corpus]
    return [Path(part[0]) for part in parts], tuple(float(part[2] or 1.0) for part in parts)


def begin(trainer: Trainer[Any], weights: dict[str, torch.Tensor] | None) -> bool:
    """Take up the run in the trainer's folder, or else begin one with `weights`; returns False if neither is there."""
    own = trainer.folder / "checkpoint.pt"
    if own.exists():
        trainer.load(own)
    elif weights is not None:
        trainer.model.load_state_dict(weights)
        trainer.average = {name: value.clone().to(trainer.device) for name, value in weights.items()}
    print(f"step {trainer.step}, {dataclasses.asdict(trainer.config)}", file=sys.stderr)
    return own.exists() or weights is not None


def train(trainer: Trainer[Any], evaluate: Callable[[nn.Module], dict[str, float]]) -> None:
    """Train to the end, or until SIGTERM or SIGINT, which end it after the step in progress, with a checkpoint.

    Only the first process reacts to signals: the others would leave it waiting for their part of the step.
    """

    def stop(_signal: int, _frame: object) -> None:
        trainer.stopping = trainer.rank == 0

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    reporter = Reporter(trainer, evaluate)
    with reporter.progress:
        trainer.run(reporter)


def averaged_weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    """Return the averaged weights of a training checkpoint."""
    return torch.load(checkpoint, map_location="cpu", weights_only=True)["average"]


def starting_weights(start: Path, part: Literal["recogniser", "separator"]) -> dict[str, torch.Tensor]:
    """Return the averaged weights of a part: of a checkpoint of it or of the whole network, or of a model's directory.

    Raises:
        InputError: the network has no such part.
    """
    if start.is_dir():
        network = load_model(start).network
        found = network.recogniser if part == "recogniser" else network.separator
        weights = {} if found is None else found.state_dict()
    else:
        weights = _part(averaged_weights(start), part)
    if not weights:
        raise InputError(f"{start}: this model has no {part}; name another one, or train without --weights")
    return weights


def _part(weights: dict[str, torch.Tensor], part: str) -> dict[str, torch.Tensor]:
    """Return the weights of a part of the whole network; weights of one part stay as they are."""
    if not any(name.startswith("recogniser.") for name in weights):
        return weights
    prefix = f"{part}."
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
