"""How people take turns: lengths, gaps, overlaps and back-channels, as distributions to draw from.

The figures are quantiles measured on 131 meetings of the AMI Meeting Corpus (Carletta et al. 2005, CC BY 4.0).
Not covered: what depends on the words (questions, answers), and the habits of single people.
"""

from dataclasses import dataclass

import numpy as np

from meetscribe.timeline import SAMPLE_RATE

_LEVELS = (0.0, 0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 1.0)

Quantiles = tuple[float, ...]  # seconds, at _LEVELS


@dataclass(frozen=True)
class TurnTaking:
    """Distributions of one kind of conversation; times in seconds, each at the quantiles of _LEVELS."""

    # turns that take the floor
    floor: Quantiles = (0.1, 0.18, 0.31, 0.45, 0.87, 2.1, 4.54, 8.63, 12.39, 23.1, 30.0)
    # turns inside another person's
    embedded: Quantiles = (0.1, 0.11, 0.18, 0.22, 0.3, 0.47, 0.8, 1.42, 1.85, 2.83, 4.0)
    # end of the holder's turn to the start of the next person's
    transfer: Quantiles = (-3.5, -2.48, -1.47, -1.02, -0.39, 0.16, 0.68, 1.46, 2.33, 6.728, 10.0)
    # between two turns of the holder
    pause: Quantiles = (0.51, 0.51, 0.53, 0.56, 0.67, 1.05, 1.61, 2.69, 4.005, 10.249, 15.0)
    # start of an embedded turn, as a part of the holder's turn
    place: Quantiles = (0.0, 0.006, 0.028, 0.061, 0.194, 0.438, 0.666, 0.816, 0.878, 0.946, 1.0)
    same_speaker: float = 0.32  # share of floor turns after which the same person goes on
    embedded_rate: float = 0.1  # embedded turns per second of a floor turn


def draw(quantiles: Quantiles, rng: np.random.Generator) -> float:
    """Return a number of the distribution that has these quantiles, linear between them."""
    return float(np.interp(rng.random(), _LEVELS, quantiles))


def draw_samples(quantiles: Quantiles, rng: np.random.Generator) -> int:
    """Return a time of the distribution in samples."""
    return round(draw(quantiles, rng) * SAMPLE_RATE)
