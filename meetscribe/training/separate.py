"""`scripts/train-separator`: trains the separator on its own, on simulated meetings of all speech there is.

It needs no transcripts: everyone in the corpora and in `--speakers` talks in them.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from meetscribe.errors import MeetscribeError
from meetscribe.nn.separator import Separator, SeparatorConfig
from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.command import (
    begin,
    corpus_folders,
    options_for,
    starting_weights,
    train,
    training_config,
)
from meetscribe.training.corpus import load_corpus
from meetscribe.training.mixtures import MixtureBatch, MixtureBatches, Mixtures
from meetscribe.training.objectives.separation import DUETS, SeparationConfig, SeparationObjective
from meetscribe.training.simulation.config import SimulationConfig, Style
from meetscribe.training.simulation.duets import SimulatedDuets
from meetscribe.training.simulation.meetings import SimulatedMeetings
from meetscribe.training.simulation.render import Mixture
from meetscribe.training.simulation.rooms import load_meeting_rooms
from meetscribe.training.simulation.untranscribed import load_untranscribed
from meetscribe.training.trainer import Trainer, join_processes

STYLES: tuple[tuple[Style, float], ...] = (
    ("overlapped", 0.45),
    ("meeting", 0.32),
    ("single", 0.2),
    ("empty", 0.03),
)
"""What meetings are like: more overlap than in real ones, since it is what has to be learned."""
DEV_BATCHES = 8


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    options = options_for("scripts/train-separator", "Train the separator, or go on training it.")
    add = options.add_argument
    add("--speakers", type=Path, action="append", default=[], help="manifest of speech without transcripts")
    add("--seconds", type=float, default=20.0, help="length of each meeting")
    add("--batch", type=int, default=4, help="meetings in the batch of one process")
    add("--duets", action="store_true", help="begin so: two people who talk at once all the time")
    return options


def main(options: argparse.Namespace) -> int:
    """Train to the end; returns the exit code."""
    rank, world, device = join_processes()
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        batches, dev = material(options, "train"), material(options, "dev")
        weights = starting_weights(options.weights, "separator") if options.weights else None
    except MeetscribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    torch.manual_seed(options.seed)
    objective = SeparationObjective(DUETS if options.duets else SeparationConfig())
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
    begin(trainer, weights)
    fixed = [dev[number] for number in range(DEV_BATCHES)]
    train(trainer, lambda model: dev_figures(model, fixed, objective))
    return 0


@dataclass(frozen=True)
class Alternating:
    """Mixtures of two kinds, so that neither is forgotten."""

    even: Mixtures
    odd: Mixtures

    def __getitem__(self, number: int) -> Mixture:
        """Return mixture `number`, 0, 1, …, without end."""
        return (self.odd if number % 2 else self.even)[number // 2]


def material(options: argparse.Namespace, split: str) -> MixtureBatches:
    """Return batches of simulated meetings of all people of a split."""
    folders, shares = corpus_folders(options)
    cache = options.cache or options.folder.parent / "cache"
    corpora = [load_corpus(folders[0], split, cache, options.alignments)]
    if split == "train":
        corpora += [load_corpus(folder, split, cache) for folder in folders[1:]]
        corpora += [load_untranscribed(path.parent, path.name, split, cache) for path in options.speakers]
    chosen = shares + (1.0,) * (len(corpora) - len(folders)) if split == "train" else ()
    samples = int(options.seconds * SAMPLE_RATE)
    simulated: Mixtures = SimulatedDuets(corpora, samples, options.seed, chosen)
    if not options.duets:
        around = load_meeting_rooms(options.surroundings or folders[0].parent, split, cache, options.rooms)
        config = SimulationConfig(samples=samples, styles=STYLES)
        meetings = SimulatedMeetings(corpora, around, config, options.seed, chosen)
        simulated = meetings if split == "dev" else Alternating(meetings, simulated)
    return MixtureBatches(simulated, options.batch)


@torch.no_grad()
def dev_figures(
    model: nn.Module, batches: list[MixtureBatch], objective: SeparationObjective
) -> dict[str, float]:
    """Return the mean parts of the loss."""
    rows = [objective(model, batch, np.random.default_rng(0))[1] for batch in batches]  # type: ignore[arg-type]
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}


if __name__ == "__main__":
    sys.exit(main(parser().parse_args()))
