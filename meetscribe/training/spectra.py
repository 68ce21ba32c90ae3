"""Estimates how people sound where they are (`streaming/spectra.py`), on simulated meetings of people in training.

Everybody has a place of their own in the room, and recordings through microphones of their own; what differs between
turns of one person is what they say, other recordings of theirs, and that people move: a random smooth curve on top.
Not covered: separated speech; where one person talks the mixture is theirs.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.linalg import eigh

from meetscribe.nn.features import HOP, MEL_BINS, Features
from meetscribe.streaming.spectra import Floats, Spectra, weight_of
from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.augmentation import smooth_curve
from meetscribe.training.corpus import Corpus
from meetscribe.training.simulation.config import SimulationConfig
from meetscribe.training.simulation.plan import plan_meeting
from meetscribe.training.simulation.render import Mixture, render
from meetscribe.training.simulation.rooms import MeetingRooms
from meetscribe.training.simulation.voices import collect_voices

MEETINGS = 300
LEAST = 30  # frames of a turn
LEVEL, TILT = 0.4, 0.2  # nats by which a person's turns differ since they move: in all bands, and as a curve
SHRINKAGE = 0.005  # of the mean variance within turns, added to all

TALK = replace(
    SimulationConfig(),
    samples=120 * SAMPLE_RATE,
    styles=(("meeting", 1.0),),
    room_share=0.8,
    noise_share=0.8,
    snr=(8.0, 28.0),
    speed=0.0,
    gain=3.0,
)


@dataclass(frozen=True)
class Sounding:
    """Turns of one meeting: whose each is, average log-mel energies (N, F), seconds (N,)."""

    people: tuple[str, ...]
    spectra: Floats
    seconds: Floats


def estimated(
    corpora: Sequence[Corpus], around: MeetingRooms, seed: int, meetings: int = MEETINGS
) -> Spectra:
    """Return what spectra of turns are made of."""
    voices, made = collect_voices(corpora), []
    for number in range(meetings):
        rng = np.random.default_rng((seed, 8, number))
        plan = plan_meeting(voices, TALK, rng, around.families)
        sounding = turns_of(render(plan, corpora, around, rng))
        if len(set(sounding.people)) > 1:
            made.append(sounding)
    return fitted(made, np.random.default_rng((seed, 9)))


def turns_of(mixture: Mixture) -> Sounding:
    """Return how turns sound while nobody else talks, those of which there is enough."""
    features = Features()(torch.from_numpy(mixture.audio)[None])[0].numpy()
    talking = np.zeros(len(features), int)
    for turn in mixture.turns:
        talking[turn.start // HOP : turn.end // HOP] += 1
    people, spectra, seconds = [], [], []
    for turn in mixture.turns:
        said = np.zeros(len(features), bool)
        for word in turn.words:
            said[word.start // HOP : word.end // HOP] = True
        alone = features[said & (talking == 1)]
        if len(alone) >= LEAST:
            people.append(turn.speaker)
            spectra.append(alone.mean(0, dtype=np.float64))
            seconds.append(len(alone) * HOP / SAMPLE_RATE)
    return Sounding(tuple(people), np.array(spectra).reshape(-1, MEL_BINS), np.array(seconds))


def fitted(meetings: Sequence[Sounding], rng: np.random.Generator) -> Spectra:
    """Return the axes on which people differ most for what differs between their turns, and by how much they do."""
    size = meetings[0].spectra.shape[1]
    within, between, free, people = np.zeros((size, size)), np.zeros((size, size)), 0, 0
    for one in meetings:
        placed = one.spectra - np.average(one.spectra, axis=0, weights=one.seconds)
        moved = placed + np.stack([_moved(size, rng) for _ in placed])
        weights = weight_of(one.seconds)
        turns: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(one.people):
            turns[name].append(number)
        for own in turns.values():
            if len(own) > 1:
                mean = np.average(placed[own], axis=0, weights=weights[own])
                away = moved[own] - np.average(moved[own], axis=0, weights=weights[own])
                between += np.outer(mean, mean)
                within += (away.T * weights[own]) @ away
                free, people = free + len(own) - 1, people + 1
    within, between = within / free, between / people
    within += SHRINKAGE * np.trace(within) / size * np.eye(size)
    spread, axes = eigh(between, within)
    return Spectra(axes[:, ::-1], np.maximum(spread[::-1], 1e-3))


def _moved(bins: int, rng: np.random.Generator) -> Floats:
    return smooth_curve(TILT, bins, rng) + rng.normal(0.0, LEVEL)
