"""How likely speech in one recording is one person's: by the voice, and by how it sounds there.

Not covered: people who are remembered from other recordings; of those only voices can be compared (`likeness.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from meetscribe.streaming.likeness import Judged, Likeness
from meetscribe.streaming.spectra import Floats, Spectra, weight_of
from meetscribe.streaming.told import Told

_LEAST = 1e-3  # weight of speech of which no spectrum is known
_AT_ONCE = 100_000  # numbers that are compared at once, so that memory stays bounded


class Spoken(NamedTuple):
    """What one stretch of speech tells, a turn or several together.

    Attributes:
        voice: sum of voices by seconds, (E,).
        seconds: of speech.
        spectrum: sum of average log-mel energies by weight, (F,).
        weight: how much is known of where that is.
    """

    voice: Floats
    seconds: float
    spectrum: Floats
    weight: float

    @classmethod
    def of(cls, told: Told) -> "Spoken":
        """Return what a turn tells; its spectrum may be empty, where it is not known."""
        weight = float(weight_of(told.seconds)) if len(told.spectrum) else 0.0
        return cls(told.voice * told.seconds, told.seconds, told.spectrum * weight, weight)

    def and_(self, other: "Spoken", share: float = 1.0) -> "Spoken":
        """Return what this and another one tell; with a share of -1 what this tells without it."""
        return Spoken(
            self.voice + share * other.voice,
            self.seconds + share * other.seconds,
            self.spectrum + share * other.spectrum,
            self.weight + share * other.weight,
        )

    def scaled(self, share: float) -> "Spoken":
        """Return a part of it."""
        return Spoken(share * self.voice, share * self.seconds, share * self.spectrum, share * self.weight)


class Speech(NamedTuple):
    """What N stretches of speech tell, each a turn or several together.

    Attributes:
        voices: sums of voices by seconds, (N, E).
        seconds: of speech, (N,).
        places: sums of places by weight, (N, K).
        weights: how much is known of the places, (N,).
    """

    voices: Floats
    seconds: Floats
    places: Floats
    weights: Floats

    def take(self, chosen: NDArray[np.int64] | list[int]) -> "Speech":
        """Return some of them."""
        return Speech(*(values[chosen] for values in self))

    def together(self, whose: NDArray[np.bool_]) -> "Speech":
        """Return what everybody says, of whose each stretch is (N, people)."""
        return Speech(*(whose.T @ values for values in self))

    def without(self, other: "Speech") -> "Speech":
        """Return the same less a part of each."""
        return Speech(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))


class Ready(NamedTuple):
    """Speech ready to be compared often."""

    judged: Judged
    seconds: Floats
    places: Floats  # means, (N, K)
    weights: Floats

    def take(self, chosen: NDArray[np.int64]) -> "Ready":
        """Return some of it."""
        return Ready(
            self.judged.take(chosen), self.seconds[chosen], self.places[chosen], self.weights[chosen]
        )


@dataclass(frozen=True)
class Resemblance:
    """Log odds of voices and spectra together.

    Attributes:
        likeness: how alike voices are.
        spectra: how places are told; None where a model tells none: then voices alone count, and whole.
        voice, spectrum: shares of either's log odds; places are not as independent as they are taken to be, and
            voices depend on them too.
    """

    likeness: Likeness = field(default_factory=Likeness)
    spectra: Spectra | None = None
    voice: float = 0.3
    spectrum: float = 0.3

    def by_voice(self) -> "Resemblance":
        """Return the same without places."""
        return Resemblance(self.likeness)

    def speech(self, voices: ArrayLike, seconds: ArrayLike, spectra: Sequence[ArrayLike]) -> Speech:
        """Return what turns of a whole recording tell.

        Args:
            voices: of length one, (N, E).
            seconds: of speech, (N,).
            spectra: average log-mel energies, (F,) each, or empty where they are not known.
        """
        length = np.asarray(seconds, np.float64)
        said = np.asarray(voices, np.float64) * length[:, None]
        if self.spectra is None:
            return Speech(said, length, np.zeros((len(length), 0)), np.zeros(len(length)))
        known = np.array([len(np.asarray(spectrum)) > 0 for spectrum in spectra], bool)
        weights, places = np.zeros(len(length)), np.zeros((len(length), len(self.spectra.spread)))
        if known.any():
            heard = np.stack(
                [np.asarray(s, np.float64) for s, has in zip(spectra, known, strict=True) if has]
            )
            weights[known] = weight_of(length[known])
            places[known] = self.spectra.places(heard, np.average(heard, axis=0, weights=length[known]))
        return Speech(said, length, places * weights[:, None], weights)

    def between(self, one: Spoken, other: Spoken, middle: ArrayLike) -> float:
        """Return the log odds of two stretches, in a recording whose average spectrum is known (F,)."""
        odds = self.likeness.between(one.voice, one.seconds, other.voice, other.seconds)
        if self.spectra is None:
            return odds
        if min(one.weight, other.weight) < _LEAST:
            return self.voice * odds
        means = np.stack([said.spectrum / said.weight for said in (one, other)])
        places, weights = self.spectra.places(means, middle), np.array([one.weight, other.weight])
        return float(self._both(np.array(odds), places[0], weights[0], places[1], weights[1]))

    def ready(self, speech: Speech) -> Ready:
        """Return speech ready to be compared."""
        means = speech.places / np.maximum(speech.weights, _LEAST)[:, None]
        return Ready(self.likeness.judged(speech.voices), speech.seconds, means, speech.weights)

    def of_all(self, ones: Ready, others: Ready) -> Floats:
        """Return the log odds of each with each of others, (N, M)."""
        odds = self.likeness.of_all(ones.judged, ones.seconds, others.judged, others.seconds)
        if self.spectra is None:
            return odds
        rows = max(1, _AT_ONCE // max(1, others.places.size))
        for first in range(0, len(odds), rows):
            some = slice(first, first + rows)
            places, weights = ones.places[some, None], ones.weights[some, None]
            odds[some] = self._both(odds[some], places, weights, others.places, others.weights)
        return odds

    def of_pairs(self, ones: Ready, others: Ready) -> Floats:
        """Return the log odds of each with the one in the same place, (N,)."""
        odds = self.likeness.of_pairs(ones.judged, ones.seconds, others.judged, others.seconds)
        if self.spectra is None:
            return odds
        return self._both(odds, ones.places, ones.weights, others.places, others.weights)

    def _both(self, odds: Floats, one: Floats, weight: Floats, other: Floats, weighed: Floats) -> Floats:
        assert self.spectra is not None
        places = self.spectra.odds(one, np.maximum(weight, _LEAST), other, np.maximum(weighed, _LEAST))
        return self.voice * odds + self.spectrum * places
