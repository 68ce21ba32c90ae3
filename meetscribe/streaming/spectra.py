"""How somebody sounds from where they are: average spectra of speech, which can be compared within one recording.

A microphone hears everybody from another place, or everybody has one of their own, and every voice has a long-term
average spectrum. In a recording all that stays; in the next one it does not. Average log-mel energies of turns, less
those of the whole recording, are taken as normal: everybody has a place of their own, and a turn's own lies about it,
the farther the shorter the turn is (two covariances: Brümmer and de Villiers, Odyssey 2010).
`scripts/export-embedder` estimates both on simulated meetings of people in training.
Not covered: voices (`likeness.py`), both together (`resemblance.py`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LONG = 2.0
"""Seconds of a turn that has half the weight of an endless one: what is its own does not go away with length."""


class Spectra:
    """What spectra are made of.

    Attributes:
        projection: from log-mel energies to independent numbers of which a turn's own have variance 1/weight, (F, K).
        spread: variance of people's places in each of them, (K,).
    """

    def __init__(self, projection: NDArray[Any], spread: NDArray[Any]) -> None:
        self.projection, self.spread = np.asarray(projection, np.float64), np.asarray(spread, np.float64)

    @classmethod
    def stated(cls, tensors: Mapping[str, NDArray[Any]] | None) -> "Spectra | None":
        """Return those that a model's embedder states (`models.embedder_facts`), if it does."""
        return None if tensors is None else cls(tensors["projection"], tensors["spread"])

    @property
    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """What is stated of it."""
        return {
            "projection": np.ascontiguousarray(self.projection, np.float32),
            "spread": self.spread.astype(np.float32),
        }

    def places(self, spectra: ArrayLike, middle: ArrayLike) -> Floats:
        """Return the places (…, K) of average log-mel energies (…, F), less those of the recording (F,)."""
        return (np.asarray(spectra, np.float64) - np.asarray(middle, np.float64)) @ self.projection

    def odds(self, one: Floats, weight: Floats, other: Floats, weighed: Floats) -> Floats:
        """Return the log odds that places (…, K) of speech of some weight (…,) are one person's."""
        spread = self.spread
        own, others = spread + 1.0 / weight[..., None], spread + 1.0 / weighed[..., None]
        both = own * others - spread**2
        together = (others * one**2 - 2.0 * spread * one * other + own * other**2) / both + np.log(both)
        apart = one**2 / own + other**2 / others + np.log(own * others)
        return 0.5 * (apart - together).sum(-1)

    def evidence(self, places: Floats, weights: Floats, labels: NDArray[np.int64]) -> float:
        """Return the log probability of places, people's own integrated out, but for what is the same for all labels.

        Args:
            places: of turns, (N, K).
            weights: how much is known of each, (N,), above 0.
            labels: whose each turn is, (N,), numbered from 0 on without a gap.
        """
        said = np.eye(int(labels.max()) + 1)[labels]
        known = weights @ said
        means = (said * weights[:, None]).T @ places / known[:, None]
        spread = self.spread + 1.0 / known[:, None]
        own = (means**2 / spread + np.log(spread)).sum() + len(self.spread) * np.log(known).sum()
        return float(-0.5 * (own + weights @ ((places - means[labels]) ** 2).sum(1)))


def weight_of(seconds: ArrayLike) -> Floats:
    """Return how much turns of so many seconds tell of a place; the weights of several turns add up."""
    length = np.asarray(seconds, np.float64)
    return length / (1.0 + length / LONG)
