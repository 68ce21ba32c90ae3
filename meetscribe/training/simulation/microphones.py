"""Meetings that several microphones hear: a headset for each person, or an array on the table.

The room is computed by the image-source method; what each microphone hears of each person is that person's voice
through the room between them. A meeting's plan is the same as for one microphone (`plan.py`).
Not covered: people who move; clips and saturation.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyroomacoustics
from scipy.signal import oaconvolve

from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.augmentation import Surroundings
from meetscribe.training.corpus import Corpus
from meetscribe.training.simulation.plan import MeetingPlan
from meetscribe.training.simulation.render import Mixture, add, noise_piece, simulated_turn, turn_sound

Setting = Literal["headsets", "array"]

MOUTH = 0.1  # m from mouth to headset
ARRAY = 6  # microphones
RADIUS = 0.1  # m
_HEIGHT = 1.2  # m of mouths
_TABLE = 0.75
_MOST_REFLECTIONS = 17
_LONGEST = SAMPLE_RATE // 2
_EARLIER = SAMPLE_RATE // 500  # another microphone may hear somebody so much earlier than the loudest one


def responses(setting: Setting, people: int, rng: np.random.Generator) -> np.ndarray:
    """Return the room from each person, and last from a source of noise in a corner, to each microphone.

    float32 [microphones, people + 1, samples]; each one's strongest response has unit energy, and begins at once.
    """
    size = rng.uniform([4.0, 4.0, 2.4], [8.0, 7.0, 3.2])
    absorption, order = pyroomacoustics.inverse_sabine(rng.uniform(0.2, 0.5), size)
    room = pyroomacoustics.ShoeBox(
        size,
        fs=SAMPLE_RATE,
        materials=pyroomacoustics.Material(absorption),
        max_order=min(order, _MOST_REFLECTIONS),
    )
    centre = size[:2] / 2 + rng.uniform(-0.4, 0.4, 2)
    angles = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(people) / people
    angles += rng.uniform(-0.2, 0.2, people)
    around = np.stack([np.cos(angles), np.sin(angles)], 1)
    mouths = np.column_stack([centre + around * rng.uniform(0.8, 1.3, (people, 1)), np.full(people, _HEIGHT)])
    for place in (*mouths, rng.uniform(0.3, 0.6, 3)):
        room.add_source(place)
    room.add_microphone_array(_places(setting, centre, mouths, around).T)
    room.compute_rir()
    assert room.rir is not None
    return _levelled(room.rir)


def _places(setting: Setting, centre: np.ndarray, mouths: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Return where the microphones are, [microphones, 3]."""
    if setting == "headsets":
        return mouths - MOUTH * np.column_stack([around, np.full(len(around), 0.3)])
    angles = 2 * np.pi * np.arange(ARRAY) / ARRAY
    ring = centre + RADIUS * np.stack([np.cos(angles), np.sin(angles)], 1)
    return np.column_stack([ring, np.full(ARRAY, _TABLE)])


def _levelled(rir: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    sources = len(rir[0])
    whole = np.zeros((len(rir), sources, _LONGEST), np.float32)
    for number in range(sources):
        best = max((row[number] for row in rir), key=lambda response: float(np.max(np.abs(response))))
        start = max(0, int(np.argmax(np.abs(best))) - _EARLIER)
        scale = float(np.sqrt(np.sum(np.square(best))))
        for mic, row in enumerate(rir):
            kept = row[number][start : start + _LONGEST] / scale
            whole[mic, number, : len(kept)] = kept
    return whole


def render_microphones(
    plan: MeetingPlan,
    corpora: Sequence[Corpus],
    surroundings: Surroundings,
    setting: Setting,
    rng: np.random.Generator,
) -> Mixture:
    """Return what the microphones of a setting hear of a plan that has no rooms; channel n is person n's headset.

    People are numbered in the order in which they first speak. The plan's noise is a recording played in a corner;
    every microphone has the plan's hiss for itself.
    """
    people = list(dict.fromkeys(turn.speaker for turn in plan.turns))
    sources = np.zeros((len(people) + 1, plan.samples), np.float32)
    for turn in plan.turns:
        sound, start = turn_sound(turn, corpora[turn.source[0]], surroundings)
        add(sources[people.index(turn.speaker)], sound, start)
    level = 10 ** (plan.level / 20)
    talking = max(1, sum(turn.end - turn.start for turn in plan.turns))
    sources *= np.float32(level / np.sqrt(np.square(sources).sum(dtype=np.float64) / talking + 1e-12))
    if plan.noise is not None and surroundings.noise is not None:
        sources[-1] = noise_piece(surroundings.noise, plan.samples, level * 10 ** (-plan.noise / 20), rng)
    audio = np.stack([_heard(sources, row) for row in responses(setting, len(people), rng)], 1)
    audio += rng.standard_normal(audio.shape, np.float32) * np.float32(10 ** (plan.hiss / 20))
    turns = tuple(
        simulated_turn(turn, slot, corpora) for turn, slot in zip(plan.turns, plan.slots, strict=True)
    )
    return Mixture(np.clip(audio, -1, 1), np.zeros((2, 0), np.float32), turns)


def _heard(sources: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Return what one microphone hears of all sources."""
    total = np.zeros(sources.shape[1], np.float32)
    for sound, response in zip(sources, room, strict=True):
        total += oaconvolve(sound, response)[: len(total)].astype(np.float32)
    return total
