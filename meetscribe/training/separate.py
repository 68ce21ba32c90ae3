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
from meetscribe.training.simulation.config import SimulationConfig, Style
from meetscribe.training.simulation.meetings import SimulatedMeetings
from meetscribe.training.simulation.pitch import pitch_of
from meetscribe.training.simulation.rooms import load_meeting_rooms
from meetscribe.training.simulation.untranscribed import load_untranscribed
from meetscribe.training.trainer import Trainer, join_processes

WARP_SHARE = 0.5
DEV_BATCHES = 8
EASY_INTERVAL = 1.45
"""Ratio of the pitches of two who overlap in easy meetings: a woman and a man, or a child and a woman."""


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    options = options_for("scripts/train-separator", "Train the separator, or go on training it.")
    add = options.add_argument
    add("--speakers", type=Path, action="append", default=[], help="manifest of speech without transcripts")
    add("--seconds", type=float, default=20.0, help="length of each meeting")
    add("--batch", type=int, default=4, help="meetings in the batch of one process")
    add(
        "--easy",
        action="store_true",
        help="begin so: two voices of different pitch, near, without noise, that overlap again and again",
    )
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
    begin(trainer, averaged_weights(options.weights) if options.weights else None)
    fixed = [dev[number] for number in range(DEV_BATCHES)]
    train(trainer, lambda model: dev_figures(model, fixed, objective))
    return 0


def meetings(options: argparse.Namespace, split: str) -> MixtureBatches:
    """Return batches of simulated meetings of all people of a split."""
    folders, shares = corpus_folders(options)
    cache = options.cache or options.folder.parent / "cache"
    around = load_meeting_rooms(options.surroundings or folders[0].parent, split, cache, options.rooms)
    corpora = [load_corpus(folders[0], split, cache, options.alignments)]
    if split == "train":
        corpora += [load_corpus(folder, split, cache) for folder in folders[1:]]
        corpora += [load_untranscribed(path.parent, path.name, split, cache) for path in options.speakers]
    config = simulation_config(options.seconds, options.easy)
    chosen = shares + (1.0,) * (len(corpora) - len(folders)) if split == "train" else ()
    simulated = SimulatedMeetings(corpora, around, config, options.seed, chosen)
    if options.easy:
        pitches = np.array([pitch_of(voice, corpora) for voice in simulated.voices.voices])
        simulated.voices = replace(simulated.voices, pitches=pitches, interval=EASY_INTERVAL)
    return MixtureBatches(simulated, options.batch, WARP_SHARE if split == "train" else 0.0, options.seed)


def simulation_config(seconds: float, easy: bool) -> SimulationConfig:
    """Return what meetings are like; easy ones hold little else than two voices that overlap again and again."""
    config = SimulationConfig(samples=int(seconds * SAMPLE_RATE))
    if not easy:
        return config
    styles: tuple[tuple[Style, float], ...] = (("overlapped", 0.9), ("meeting", 0.1))
    return replace(
        config, styles=styles, overlapped_turns=(1.0, 3.5), room_share=0.0, noise_share=0.0, lead=(0.0, 0.3)
    )


@torch.no_grad()
def dev_figures(
    model: nn.Module, batches: list[MixtureBatch], objective: SeparationObjective
) -> dict[str, float]:
    """Return the mean parts of the loss."""
    rows = [objective(model, batch, np.random.default_rng(0))[1] for batch in batches]  # type: ignore[arg-type]
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}


if __name__ == "__main__":
    sys.exit(main(parser().parse_args()))
