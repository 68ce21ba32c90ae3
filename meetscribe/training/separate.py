"""`scripts/train-separator`: trains the separator on its own, on simulated meetings of all speech there is.

It needs no transcripts: everyone in the corpora and in `--speakers` talks in them.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from meetscribe.errors import MeetscribeError
from meetscribe.nn.separator import Separator, SeparatorConfig
from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.augmentation import load_surroundings
from meetscribe.training.command import (
    averaged_weights,
    begin,
    corpus_folders,
    options_for,
    train,
    training_config,
)
from meetscribe.training.corpus import load_corpus
from meetscribe.training.mixtures import MixtureBatch, MixtureBatches
from meetscribe.training.objectives.separation import SeparationObjective
from meetscribe.training.simulation.meetings import SimulatedMeetings
from meetscribe.training.simulation.plan import SimulationConfig
from meetscribe.training.simulation.untranscribed import load_untranscribed
from meetscribe.training.trainer import Trainer, join_processes

WARP_SHARE = 0.5
DEV_BATCHES = 8


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    options = options_for("scripts/train-separator", "Train the separator, or go on training it.")
    add = options.add_argument
    add("--speakers", type=Path, action="append", default=[], help="manifest of speech without transcripts")
    add("--seconds", type=float, default=20.0, help="length of each meeting")
    add("--batch", type=int, default=4, help="meetings in the batch of one process")
    add("--overlapped", type=float, help="share of meetings in which two talk over each other most of the time")
    return options


def main(options: argparse.Namespace) -> int:
    """Train to the end; returns the exit code."""
    rank, world, device = join_processes()
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        batches, dev = meetings(options, "train"), meetings(options, "dev")
    except MeetscribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    torch.manual_seed(options.seed)
    objective = SeparationObjective()
    trainer = Trainer(
        Separator(SeparatorConfig()),
        batches,
        objective,
        training_config(options),
        options.folder,
        device,
        rank,
        world,
    )
    begin(trainer, averaged_weights(options.start) if options.start else None)
    fixed = [dev[number] for number in range(DEV_BATCHES)]
    train(trainer, lambda model: dev_figures(model, fixed, objective))
    return 0


def meetings(options: argparse.Namespace, split: str) -> MixtureBatches:
    """Return batches of simulated meetings of all people of a split."""
    folders, shares = corpus_folders(options)
    cache = options.cache or options.folder.parent / "cache"
    around = load_surroundings(options.surroundings or folders[0].parent, cache, options.rooms)
    corpora = [load_corpus(folders[0], split, cache, options.alignments)]
    if split == "train":
        corpora += [load_corpus(folder, split, cache) for folder in folders[1:]]
        corpora += [load_untranscribed(path.parent, path.name, split, cache) for path in options.speakers]
    config = simulation_config(options.seconds, options.overlapped)
    chosen = shares + (1.0,) * (len(corpora) - len(folders)) if split == "train" else ()
    simulated = SimulatedMeetings(corpora, around, config, options.seed, chosen)
    return MixtureBatches(simulated, options.batch, WARP_SHARE if split == "train" else 0.0, options.seed)


def simulation_config(seconds: float, overlapped: float | None) -> SimulationConfig:
    """Return what meetings are like, with another share of heavily overlapped ones if asked for."""
    config = SimulationConfig(samples=int(seconds * SAMPLE_RATE))
    if overlapped is None:
        return config
    others = sum(share for style, share in config.styles if style != "overlapped")
    styles = tuple(
        (style, overlapped if style == "overlapped" else (1 - overlapped) * share / others)
        for style, share in config.styles
    )
    return replace(config, styles=styles)


@torch.no_grad()
def dev_figures(
    model: nn.Module, batches: list[MixtureBatch], objective: SeparationObjective
) -> dict[str, float]:
    """Return the mean parts of the loss."""
    rows = [objective(model, batch, np.random.default_rng(0))[1] for batch in batches]  # type: ignore[arg-type]
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}


if __name__ == "__main__":
    sys.exit(main(parser().parse_args()))
