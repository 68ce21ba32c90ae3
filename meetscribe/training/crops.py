"""Batches of what people say, for learning who they are: two cuts of each person, heard in different surroundings.

Cuts of a person come from different recordings where there are several, joined where they are short. Half of the
people are made into others by playing them faster or slower and by another vocal tract, both cuts alike, so that there
are more voices than people. The two cuts get rooms, noise, microphones and people who talk into them each of their own,
so that nothing but the voice is common to them.
Not covered: features (`objectives/people.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from meetscribe.nn.features import HOP, MEL_BINS
from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.augmentation import (
    NEUTRAL_WARP,
    WARPS,
    AugmentationConfig,
    Surroundings,
    augmented,
    resampled,
    smooth_curve,
)
from meetscribe.training.corpus import Corpus, Utterance

NOBODY = -1
"""The class of people who are in no corpus as they are heard."""


@dataclass(frozen=True)
class CropConfig:
    """What batches hold."""

    seconds: float = 100.0  # audio in a batch
    lengths: tuple[float, ...] = (
        1.0,
        1.5,
        2.0,
        2.0,
        3.0,
        3.0,
        4.0,
        5.0,
    )  # s of its cuts, drawn for each batch
    changed_share: float = 0.5  # of the people who are made into others
    speed: float = 0.12  # of others: between 1 - speed and 1 + speed
    overlap_share: float = 0.25  # of the cuts into which somebody else talks
    overlap: tuple[float, float] = (-2.0, 15.0)  # dB by which the person is louder
    separated_share: float = 0.5  # of those: as a separator would give it
    tilt: float = 1.0  # nats by which microphones colour
    most_counted: float = 60.0  # s of a person; people are drawn by the root of what they say


SURROUNDED = AugmentationConfig(room_share=0.4, noise_share=0.5, snr=(0.0, 25.0))


@dataclass(frozen=True)
class Person:
    """All recordings of one speaker."""

    name: str
    utterances: tuple[tuple[int, Utterance], ...]  # each with its corpus

    @property
    def seconds(self) -> float:
        """How much was recorded."""
        return sum(utterance.samples for _, utterance in self.utterances) / SAMPLE_RATE


@dataclass(frozen=True)
class CropBatch:
    """Two cuts of each of P persons, rows 2 p and 2 p + 1."""

    audio: Tensor  # float32 (2 P, N)
    others: Tensor  # float32 (2 P, N), what somebody else says into it; part of `audio`
    separated: Tensor  # bool (2 P,), whether the others are to be masked
    warp: Tensor  # int64 (2 P,), index into WARPS
    colour: Tensor  # float32 (2 P, F), nats by which the microphone changes each band
    person: Tensor  # int64 (2 P,), class or NOBODY

    @property
    def seconds(self) -> float:
        """Audio in the batch."""
        return self.audio.numel() / SAMPLE_RATE


def people_of(corpora: Sequence[Corpus]) -> list[Person]:
    """Return everybody, by name."""
    found: dict[str, list[tuple[int, Utterance]]] = {}
    for number, corpus in enumerate(corpora):
        for utterance in corpus.utterances:
            found.setdefault(utterance.speaker, []).append((number, utterance))
    return [Person(name, tuple(found[name])) for name in sorted(found)]


class CropBatches(Dataset[CropBatch]):
    """Batches by number, deterministic."""

    def __init__(
        self, corpora: Sequence[Corpus], surroundings: Surroundings, config: CropConfig, seed: int
    ) -> None:
        self.corpora, self.surroundings, self.config, self.seed = corpora, surroundings, config, seed
        self.people = people_of(corpora)
        weights = np.sqrt([min(person.seconds, config.most_counted) for person in self.people])
        self._chances = weights / weights.sum()

    def __getitem__(self, number: int) -> CropBatch:
        """Return batch `number`, 0, 1, …, without end."""
        rng = np.random.default_rng((self.seed, 5, number))
        seconds = self.config.lengths[rng.integers(len(self.config.lengths))]
        samples = int(seconds * SAMPLE_RATE) // HOP * HOP
        count = max(2, int(self.config.seconds / (2 * seconds)))
        chosen = rng.choice(len(self.people), count, replace=False, p=self._chances)
        rows = [row for person in chosen for row in self._pair(int(person), samples, rng)]
        audio, others, separated, warp, colour, who = zip(*rows, strict=True)
        arrays = (
            np.stack(audio),
            np.stack(others),
            np.array(separated),
            np.array(warp),
            np.stack(colour),
            np.array(who),
        )
        return CropBatch(*(torch.from_numpy(array) for array in arrays))

    def cut(self, person: int, samples: int) -> np.ndarray:
        """Return what somebody says, always the same and as it was recorded."""
        rng = np.random.default_rng((self.seed, 6, person))
        order = rng.permutation(len(self.people[person].utterances))
        return self._said(person, order, samples, rng)

    def _pair(self, number: int, samples: int, rng: np.random.Generator) -> list[tuple]:
        changed = rng.random() < self.config.changed_share
        speed = float(rng.uniform(1.0 - self.config.speed, 1.0 + self.config.speed)) if changed else 1.0
        warp = int(rng.integers(len(WARPS))) if changed else NEUTRAL_WARP
        order = rng.permutation(len(self.people[number].utterances))
        rows = []
        for cut in range(2):
            audio = self._said(number, np.roll(order, -cut), int(samples * speed) + 1, rng)
            audio = resampled(audio, speed)[:samples]
            others = np.zeros(samples, np.float32)
            if rng.random() < self.config.overlap_share:
                others = self._others(number, audio, rng)
            separated = bool(others.any()) and rng.random() < self.config.separated_share
            audio = np.pad(audio, (0, samples - len(audio)))
            # Room and noise are the person's alone where somebody else is masked away afterwards.
            heard = audio if separated else audio + others
            heard = augmented(heard, self.surroundings, SURROUNDED, rng)
            if separated:
                others = others * np.float32(_rms(heard) / (_rms(audio) + 1e-6))
                heard = heard + others
            colour = _colour(self.config.tilt, rng)
            rows.append((heard, others, separated, warp, colour, NOBODY if changed else number))
        return rows

    def _said(self, number: int, order: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
        """Return a cut of what a person says, of recordings in this order, again from the first if need be."""
        person, parts, missing = self.people[number], [], samples
        while missing > 0:
            corpus, utterance = person.utterances[order[len(parts) % len(order)]]
            first = int(rng.integers(max(1, utterance.samples - missing)))
            length = min(missing, utterance.samples - first)
            parts.append(self.corpora[corpus].audio.read(utterance.offset + first, length))
            missing -= length
        return np.concatenate(parts)

    def _others(self, number: int, audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return what somebody else says during a part of it."""
        found = np.zeros(len(audio), np.float32)
        other = int(rng.choice(len(self.people), p=self._chances))
        length = int(len(audio) * rng.uniform(0.2, 0.8))
        if other == number or length == 0:
            return found
        said = self._said(other, rng.permutation(len(self.people[other].utterances)), length, rng)
        louder = 10 ** (-rng.uniform(*self.config.overlap) / 20)
        first = int(rng.integers(len(audio) - length + 1))
        found[first : first + length] = said * np.float32(louder * _rms(audio) / (_rms(said) + 1e-6))
        return found


def _colour(tilt: float, rng: np.random.Generator) -> np.ndarray:
    """Return a smooth curve over the bands, now and then with only the telephone's: float32 (F,)."""
    waves, place = smooth_curve(tilt, MEL_BINS, rng), np.linspace(0.0, 1.0, MEL_BINS)
    narrow = rng.random() < 0.1
    outside = np.where((place < 0.11) | (place > 0.76), -4.0, 0.0) if narrow else 0.0  # 300 and 3,400 Hz
    return (waves + outside).astype(np.float32)


def _rms(audio: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(audio)))) if len(audio) else 0.0
