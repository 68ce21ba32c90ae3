"""Recordings in which nobody speaks: pieces of noise, one after another, and silence.

Not covered: sudden sounds that are no background (doors, laughter), unless the noise has them.
"""

import numpy as np

from meetscribe.errors import InputError
from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.corpus import AudioCache
from meetscribe.training.simulation.plan import MeetingPlan
from meetscribe.training.simulation.render import Mixture, noise_piece

PIECE = 30 * SAMPLE_RATE
LEVEL = (-60.0, -25.0)  # dBFS of a piece of noise
HISS = -80.0  # dBFS
_SILENT_EVERY = 5  # pieces


def noise_only(
    noise: AudioCache | None, samples: int, rng: np.random.Generator
) -> tuple[MeetingPlan, Mixture]:
    """Return a recording of `samples` samples; every fifth piece of 30 s has only a microphone's own noise.

    Raises:
        InputError: there is no noise.
    """
    if noise is None:
        raise InputError("there is no noise to make the set of: give a folder with noise.jsonl")
    audio = rng.standard_normal(samples, np.float32) * np.float32(10 ** (HISS / 20))
    for number, start in enumerate(range(0, samples, PIECE)):
        if number % _SILENT_EVERY != _SILENT_EVERY - 1:
            length = min(PIECE, samples - start)
            audio[start : start + length] += noise_piece(noise, length, 10 ** (rng.uniform(*LEVEL) / 20), rng)
    plan = MeetingPlan(samples, "empty", (), (), None, 0.0, HISS)
    return plan, Mixture(np.clip(audio, -1.0, 1.0), np.zeros((2, samples), np.float32), ())
