"""How well people explain the voices of turns: the more there are the nearer they fit, and the less likely they are.

A turn's voice is its talker's plus noise, of which short turns have more; talkers' voices and the noise are normal.
The evidence is the probability of all voices given who said which turn, with the talkers' own voices integrated out.
Not covered: how people sound where they are (`spectra.py`), who said which turn (`second_pass.py`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class EvidenceSettings:
    """What a turn's voice is made of.

    Attributes:
        share: of the energy of a long turn's voice that is its talker's and not the turn's own.
        half: seconds of speech that have half of that.
        spread: energy in which people differ, of a voice of length one.
        dimensions: independent numbers that a voice is worth; the more, the more people are found.
        places: what the evidence of places counts for: who moves, or takes another microphone, is one person still.
    """

    share: float = 0.95
    half: float = 1.0
    spread: float = 0.45
    dimensions: float = 10.0
    places: float = 0.07


def evidence(voices: Floats, seconds: Floats, labels: Labels, settings: EvidenceSettings) -> float:
    """Return the log probability of voices, but for what does not depend on who said them.

    Args:
        voices: of turns, (N, E), of length one before what all voices have in common was taken off.
        seconds: of speech behind each, (N,).
        labels: whose each turn is, (N,), numbered from 0 on without a gap.
        settings: what a voice is made of.
    """
    own = settings.share * seconds / (seconds + settings.half)
    heard, trust = voices / np.sqrt(own)[:, None], own / (1 - own)
    said = np.eye(int(labels.max()) + 1)[labels]
    sureness = 1 / settings.spread + trust @ said
    means = (said * trust[:, None]).T @ heard / sureness[:, None]
    away = ((heard - means[labels]) ** 2).sum(1)
    unlikely = trust @ away + (means**2).sum() / settings.spread + np.log(settings.spread * sureness).sum()
    turns = said.sum(0)
    return float(turns @ np.log(turns / turns.sum()) - 0.5 * settings.dimensions * unlikely)
