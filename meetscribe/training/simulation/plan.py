"""What happens in a simulated meeting: who says what when, how fast, how loud, in which room.

A plan is drawn before any sound is read. At most two people talk at once, nobody overlaps himself, a person's pauses
between turns are longer than those inside turns, and overlapping turns start at least half a second apart.
Not covered: what the words mean; answers do not fit questions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.simulation.config import SimulationConfig, Style
from meetscribe.training.simulation.slots import assign_slots
from meetscribe.training.simulation.stage import Person, PlannedTurn, Stage
from meetscribe.training.simulation.voices import Voices

ENOUGH = 8 * SAMPLE_RATE  # of speech for somebody who talks all the time


@dataclass(frozen=True)
class MeetingPlan:
    """Turns by start, with their slots; `noise` is None or by how many dB the speech is louder."""

    samples: int
    style: Style
    turns: tuple[PlannedTurn, ...]
    slots: tuple[int, ...]
    noise: float | None
    level: float  # dBFS of the speech
    hiss: float  # dBFS


def plan_meeting(
    voices: Voices,
    config: SimulationConfig,
    rng: np.random.Generator,
    rooms: Sequence[Sequence[int]] = (),
) -> MeetingPlan:
    """Draw a meeting.

    Args:
        voices: who can take part.
        config: what meetings are like.
        rng: decides everything.
        rooms: the impulse responses of each room, one for each place in it.
    """
    chances = np.array([chance for _, chance in config.styles])
    style = config.styles[int(rng.choice(len(chances), p=chances / chances.sum()))][0]
    people = _people(style, voices, config, rng, rooms)
    overlap = float(rng.uniform(*config.overlap)) if style == "overlapped" and len(people) == 2 else None
    turns = Stage(people, config, overlap, rng).played() if people else []
    slots = assign_slots([(turn.start, turn.end) for turn in turns])
    noisy = rng.random() < config.noise_share
    noise = float(rng.uniform(*config.snr)) if noisy else None
    level, hiss = float(rng.uniform(*config.level)), float(rng.uniform(*config.hiss))
    return MeetingPlan(config.samples, style, tuple(turns), tuple(slots), noise, level, hiss)


def _people(
    style: Style,
    voices: Voices,
    config: SimulationConfig,
    rng: np.random.Generator,
    rooms: Sequence[Sequence[int]],
) -> list[Person]:
    least, most = config.people
    fixed: dict[Style, int] = {"single": 1, "overlapped": 2, "empty": 0}
    count = fixed[style] if style in fixed else int(rng.integers(least, most + 1))
    chosen = voices.choose(count, rng, 0 if style == "meeting" else ENOUGH)
    shares = rng.dirichlet(np.full(len(chosen), 4.0)) if chosen else np.zeros(0)
    places = _places(len(chosen), rooms if rng.random() < config.room_share else (), rng)
    people = []
    for voice, place, share in zip(chosen, places, shares, strict=True):
        spread = config.gain * (2.0 if rng.random() < config.wide_gain_share else 1.0)
        gain = float(rng.uniform(-spread, spread))
        speed = float(rng.uniform(1.0 - config.speed, 1.0 + config.speed))
        people.append(Person(voice, speed, gain, place, float(share) * min(1.0, voice.samples / ENOUGH)))
    return people


def _places(
    people: int, rooms: Sequence[Sequence[int]], rng: np.random.Generator
) -> Sequence[int] | Sequence[None]:
    if not rooms or not people:
        return [None] * people
    room = rooms[int(rng.integers(len(rooms)))]
    return [int(place) for place in rng.choice(room, people, replace=len(room) < people)]


def overlapped_share(plan: MeetingPlan) -> float:
    """Return the time in which two talk, of the time in which anybody talks."""
    time = talking_time(plan)
    return time[2] / (time[1] + time[2]) if plan.turns else 0.0


def talking_time(plan: MeetingPlan) -> tuple[int, int, int]:
    """Return for how many samples nobody, one, and two people talk."""
    edges = sorted([(turn.start, 1) for turn in plan.turns] + [(turn.end, -1) for turn in plan.turns])
    time, talking, previous = [0, 0, 0], 0, 0
    for sample, change in edges:
        time[talking] += sample - previous
        talking, previous = talking + change, sample
    time[talking] += plan.samples - previous
    return time[0], time[1], time[2]
