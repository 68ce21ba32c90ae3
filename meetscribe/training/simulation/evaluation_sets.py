"""Named evaluation sets of simulated meetings, as `docs/simulation.md` defines them.

Everything is a function of the set's name, the seed and the material.
Not covered: real meetings.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from meetscribe.errors import InputError
from meetscribe.timeline import to_samples
from meetscribe.training.corpus import Corpus
from meetscribe.training.simulation.config import SimulationConfig
from meetscribe.training.simulation.microphones import Setting, render_microphones
from meetscribe.training.simulation.noise_only import noise_only
from meetscribe.training.simulation.plan import MeetingPlan, overlapped_share, plan_meeting
from meetscribe.training.simulation.render import Mixture, render
from meetscribe.training.simulation.rooms import MeetingRooms
from meetscribe.training.simulation.voices import Voices, collect_voices

ATTEMPTS = 5_000
NOISE_SAMPLES = to_samples(600.0)

PLAIN = SimulationConfig(
    styles=(("meeting", 1.0),),
    repeats=False,
    speed=0.0,
    gain=2.5,
    wide_gain_share=0.0,
    room_share=0.0,
    noise_share=0.0,
    level=(-30.0, -20.0),
    hiss=(-80.0, -80.0),
)
"""Recordings as they are, at slightly different levels."""


@dataclass(frozen=True)
class Material:
    """Held-out speech, rooms and noise."""

    corpora: tuple[Corpus, ...]
    surroundings: MeetingRooms


@dataclass(frozen=True)
class Draw:
    """What one recording of a set is drawn from."""

    number: int
    voices: Voices
    config: SimulationConfig
    rng: np.random.Generator


@dataclass(frozen=True)
class EvaluationSet:
    """How a set's recordings are drawn: again and again, until `picked` makes one of a plan."""

    count: int
    seconds: tuple[float, float]  # of each recording
    config: SimulationConfig
    picked: Callable[[MeetingPlan, Draw], MeetingPlan | None]
    setting: Setting | None = None  # of several microphones; None: one


def _third_overlapped(plan: MeetingPlan, draw: Draw) -> MeetingPlan | None:
    return plan if 0.3 <= overlapped_share(plan) <= 0.4 and len(plan.turns) >= 4 else None


def _counted(plan: MeetingPlan, draw: Draw) -> MeetingPlan | None:
    """Return the first turns, as many as wanted, of two people at least, somewhere in the time there is."""
    count = draw.number % 6 + 1
    turns = plan.turns[:count]
    if len(turns) < count or len({turn.speaker for turn in turns}) < min(count, 2):
        return None
    spare = plan.samples - max(turn.end for turn in turns) - to_samples(draw.config.tail)
    shift = int(draw.rng.integers(-turns[0].start, spare + 1))
    moved = tuple(replace(turn, start=turn.start + shift, end=turn.end + shift) for turn in turns)
    return replace(plan, turns=moved, slots=plan.slots[:count])


def _everybody_in_turn(plan: MeetingPlan, draw: Draw) -> MeetingPlan | None:
    wanted = draw.voices.voices[draw.number % len(draw.voices.voices)].speaker
    return plan if plan.turns and plan.turns[0].speaker == wanted else None


def _all_speak(plan: MeetingPlan, draw: Draw) -> MeetingPlan | None:
    return plan if len({turn.speaker for turn in plan.turns}) >= draw.config.people[0] else None


def _four_speak(plan: MeetingPlan, draw: Draw) -> MeetingPlan | None:
    return plan if len({turn.speaker for turn in plan.turns}) == 4 else None


_OVERLAPPED = replace(PLAIN, styles=(("overlapped", 1.0),), overlap=(0.3, 0.4), tail=1.0)
_IN_ROOMS = replace(_OVERLAPPED, room_share=1.0, noise_share=1.0, snr=(10.0, 25.0))
_FOUR = replace(PLAIN, people=(4, 4), tail=1.0)
_HEADSETS = replace(PLAIN, people=(3, 4), tail=1.0, noise_share=1.0, snr=(30.0, 45.0), hiss=(-75.0, -65.0))
_ARRAY = replace(PLAIN, people=(3, 3), tail=1.0, noise_share=1.0, snr=(5.0, 15.0), hiss=(-70.0, -60.0))

SETS: dict[str, EvaluationSet] = {
    "two-talkers": EvaluationSet(60, (15.0, 30.0), _OVERLAPPED, _third_overlapped),
    "two-talkers-rooms": EvaluationSet(60, (15.0, 30.0), _IN_ROOMS, _third_overlapped),
    "two-voices": EvaluationSet(20, (12.0, 20.0), _OVERLAPPED, _third_overlapped),
    "turn-counting": EvaluationSet(60, (20.0, 20.0), replace(PLAIN, people=(2, 3)), _counted),
    "meetings": EvaluationSet(
        10, (120.0, 120.0), replace(_FOUR, room_share=1.0, noise_share=1.0, snr=(10.0, 25.0)), _four_speak
    ),
    "long": EvaluationSet(1, (1200.0, 1200.0), _FOUR, _four_speak),
    "one-talker": EvaluationSet(
        7, (120.0, 120.0), replace(PLAIN, styles=(("single", 1.0),)), _everybody_in_turn
    ),
    "headsets": EvaluationSet(6, (60.0, 60.0), _HEADSETS, _all_speak, "headsets"),
    "array": EvaluationSet(6, (45.0, 45.0), _ARRAY, _all_speak, "array"),
}
"""All sets in which people speak; `noise` is the one in which nobody does."""

NAMES = (*SETS, "noise")


def draw_set(name: str, material: Material, seed: int) -> Iterator[tuple[MeetingPlan, Mixture]]:
    """Yield the recordings of a set, in order.

    Raises:
        InputError: there is no set of that name, or the material has no such meetings.
    """
    if name == "noise":
        rng = np.random.default_rng((seed, zlib.crc32(name.encode())))
        return iter([noise_only(material.surroundings.noise, NOISE_SAMPLES, rng)])
    if name not in SETS:
        raise InputError(f"there is no evaluation set {name!r}; choose one of {', '.join(NAMES)}")
    return _meetings(name, material, seed)


def _meetings(name: str, material: Material, seed: int) -> Iterator[tuple[MeetingPlan, Mixture]]:
    chosen, voices = SETS[name], collect_voices(material.corpora)
    for number in range(chosen.count):
        rng = np.random.default_rng((seed, zlib.crc32(name.encode()), number))
        config = replace(chosen.config, samples=to_samples(rng.uniform(*chosen.seconds)))
        plan = _picked_plan(chosen, Draw(number, voices, config, rng), material)
        if plan is None:
            raise InputError(
                f"too little speech for the set {name!r}: give a corpus with more and longer turns"
            )
        if chosen.setting is None:
            yield plan, render(plan, material.corpora, material.surroundings, rng)
        else:
            yield (
                plan,
                render_microphones(plan, material.corpora, material.surroundings, chosen.setting, rng),
            )


def _picked_plan(chosen: EvaluationSet, draw: Draw, material: Material) -> MeetingPlan | None:
    for _ in range(ATTEMPTS):
        drawn = plan_meeting(draw.voices, draw.config, draw.rng, material.surroundings.families)
        plan = chosen.picked(drawn, draw)
        if plan is not None:
            return plan
    return None
