"""Which pieces of which utterances make the batches of an epoch, and the batches themselves.

Everything is a function of (seed, number of the batch): a stopped run goes on with exactly the batches it would have
seen. Utterances are cut at word boundaries as often as not, so that lengths look like turns rather than like
read sentences.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from meetscribe.nn.features import HOP, MEL_BINS, SAMPLE_RATE
from meetscribe.nn.losses import IGNORED
from meetscribe.training.augmentation import (
    NEUTRAL_WARP,
    WARPS,
    AugmentationConfig,
    Surroundings,
    augmented,
    feature_masks,
    resampled,
)
from meetscribe.training.corpus import AlignedWord, Corpus, Utterance
from meetscribe.training.targets import STEP, Targets, make_targets, turns_of

LONGEST_PIECE = 16 * 16_000  # samples
LONGEST_SILENCE = 24_000  # samples put before or after a piece
MARGIN = 8_000  # samples kept at most of the silence around a piece


@dataclass(frozen=True)
class Piece:
    """A part of an utterance: words first … last - 1."""

    corpus: int
    utterance: int
    first: int
    last: int


@dataclass(frozen=True)
class BatchConfig:
    """How pieces are chosen and put together."""

    steps: int = 2_000  # of 40 ms, in one batch, padding included
    cut_share: float = 0.5  # of the utterances
    median_words: float = 9.0  # of a cut piece
    silence_share: float = 0.3  # of the ends of pieces that get more silence
    shares: tuple[float, ...] = ()  # part of each corpus that an epoch takes; () takes all


@dataclass(frozen=True)
class Batch:
    """Tensors of B examples; T steps, U labels."""

    audio: Tensor  # float32 (B, 640 T)
    steps: Tensor  # int64 (B,)
    warp: Tensor  # int64 (B,), index into WARPS
    hidden: Tensor  # bool (B, 4 T, F), features to hide
    classes: Tensor  # int64 (B, T)
    emitted: Tensor  # int64 (B, T): label or blank of each step, IGNORED behind the end
    labels: Tensor  # int64 (B, U), 0 behind the end
    emission: Tensor  # int64 (B, U), T behind the end
    ends: Tensor  # int64 (B, U), step in which the sound of each label ends
    label_counts: Tensor  # int64 (B,)

    @property
    def seconds(self) -> float:
        """Audio in the batch, padding left out."""
        return int(self.steps.sum()) * STEP / SAMPLE_RATE


def plan_epoch(
    corpora: Sequence[Corpus], config: BatchConfig, rng: np.random.Generator
) -> list[tuple[Piece, ...]]:
    """Return the pieces of each batch of one epoch: similar lengths together, batches in random order."""
    pieces = []
    for index, corpus in enumerate(corpora):
        share = config.shares[index] if config.shares else 1.0
        chosen = np.flatnonzero(rng.random(len(corpus.utterances)) < share)
        for number in chosen:
            spans = cut(corpus.utterances[number].words, config, rng)
            pieces += [Piece(index, int(number), first, last) for first, last in spans]
    lengths = np.array([_span(corpora, piece)[1] - _span(corpora, piece)[0] for piece in pieces])
    order = np.argsort(lengths * rng.uniform(0.9, 1.1, len(lengths)), kind="stable")
    batches = list(_grouped([pieces[i] for i in order], lengths[order], config.steps))
    return [batches[i] for i in rng.permutation(len(batches))]


def cut(words: Sequence[AlignedWord], config: BatchConfig, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Return the word ranges that an utterance is cut into, each at most LONGEST_PIECE long."""
    shorten = rng.random() < config.cut_share
    spans, first = [], 0
    while first < len(words):
        count = (
            max(1, round(config.median_words * float(np.exp(rng.normal(0.0, 0.7)))))
            if shorten
            else len(words)
        )
        last = first + 1
        while last < min(len(words), first + count) and words[last].end - words[first].start <= LONGEST_PIECE:
            last += 1
        spans.append((first, last))
        first = last
    return spans


def _grouped(
    pieces: Sequence[Piece], lengths: Sequence[int] | np.ndarray, steps: int
) -> Iterable[tuple[Piece, ...]]:
    group: list[Piece] = []
    for piece, length in zip(pieces, lengths, strict=True):
        if group and (len(group) + 1) * length / STEP > steps:
            yield tuple(group)
            group = []
        group.append(piece)
    yield tuple(group)


def _span(corpora: Sequence[Corpus], piece: Piece) -> tuple[int, int]:
    utterance = corpora[piece.corpus].utterances[piece.utterance]
    words = utterance.words
    before = words[piece.first - 1].end if piece.first else 0
    after = words[piece.last].start if piece.last < len(words) else utterance.samples
    start, end = words[piece.first].start, words[piece.last - 1].end
    return max(0, start - min(MARGIN, start - before)), min(utterance.samples, end + min(MARGIN, after - end))


@dataclass(frozen=True)
class Example:
    """One piece made ready."""

    audio: np.ndarray
    warp: int
    targets: Targets


class TrainingBatches(Dataset[Batch]):
    """Batches by number, deterministic under the seed; numbers go on from epoch to epoch."""

    def __init__(
        self,
        corpora: Sequence[Corpus],
        surroundings: Surroundings,
        batch: BatchConfig,
        augmentation: AugmentationConfig,
        seed: int,
    ) -> None:
        self.corpora, self.surroundings = corpora, surroundings
        self.config, self.augmentation, self.seed = batch, augmentation, seed
        self._starts = [0]
        self._plan: tuple[int, list[tuple[Piece, ...]]] = (-1, [])

    def __getitem__(self, number: int) -> Batch:
        """Return batch `number`, 0, 1, …, without end."""
        epoch = self.epoch_of(number)
        if self._plan[0] != epoch:
            self._plan = (epoch, self._planned(epoch))
        pieces = self._plan[1][number - self._starts[epoch]]
        rng = np.random.default_rng((self.seed, 1, number))
        examples = [example for piece in pieces if (example := self._example(piece, rng)) is not None]
        return collate(examples, self.augmentation, rng)

    def epoch_of(self, number: int) -> int:
        """Return which epoch a batch belongs to."""
        while self._starts[-1] <= number:
            epoch = len(self._starts) - 1
            self._plan = (epoch, self._planned(epoch))
            self._starts.append(self._starts[-1] + len(self._plan[1]))
        return bisect_right(self._starts, number) - 1

    def _planned(self, epoch: int) -> list[tuple[Piece, ...]]:
        return plan_epoch(self.corpora, self.config, np.random.default_rng((self.seed, 0, epoch)))

    def _example(self, piece: Piece, rng: np.random.Generator) -> Example | None:
        corpus = self.corpora[piece.corpus]
        utterance: Utterance = corpus.utterances[piece.utterance]
        start, end = _span(self.corpora, piece)
        spread = self.augmentation.speed if rng.random() < self.augmentation.speed_share else 0.0
        speed = float(rng.uniform(1.0 - spread, 1.0 + spread)) if spread else 1.0
        audio = resampled(corpus.audio.read(utterance.offset + start, end - start), speed)
        lead, tail = self._silence(rng), self._silence(rng)
        audio = augmented(np.pad(audio, (lead, tail)), self.surroundings, self.augmentation, rng)
        warped = rng.random() < self.augmentation.warp_share
        warp = int(rng.integers(len(WARPS))) if warped else NEUTRAL_WARP
        steps = len(audio) // STEP
        turns = turns_of(utterance.words[piece.first : piece.last])
        targets = make_targets(turns, start - lead * speed, steps, 1.0 / speed)
        return None if targets is None else Example(audio[: steps * STEP], warp, targets)

    def _silence(self, rng: np.random.Generator) -> int:
        return int(rng.integers(LONGEST_SILENCE)) if rng.random() < self.config.silence_share else 0


def collate(examples: Sequence[Example], augmentation: AugmentationConfig, rng: np.random.Generator) -> Batch:
    """Put examples together, padded at their ends."""
    steps = [len(example.audio) // STEP for example in examples]
    longest, most = max(steps), max(len(example.targets.labels) for example in examples)
    count = len(examples)
    audio = np.zeros((count, longest * STEP), np.float32)
    classes = np.full((count, longest), IGNORED, np.int64)
    emitted = np.full((count, longest), IGNORED, np.int64)
    labels = np.zeros((count, most), np.int64)
    emission = np.full((count, most), longest, np.int64)
    ends = np.zeros((count, most), np.int64)
    for row, (example, length) in enumerate(zip(examples, steps, strict=True)):
        targets, symbols = example.targets, len(example.targets.labels)
        audio[row, : length * STEP] = example.audio
        classes[row, :length] = targets.classes
        emitted[row, :length] = 0
        emitted[row, targets.emission] = targets.labels
        labels[row, :symbols], emission[row, :symbols] = targets.labels, targets.emission
        ends[row, :symbols] = targets.ends
    hidden = feature_masks([length * STEP // HOP for length in steps], MEL_BINS, augmentation, rng)
    counts = [len(example.targets.labels) for example in examples]
    warps = [example.warp for example in examples]
    arrays = (
        audio,
        np.array(steps),
        np.array(warps),
        hidden,
        classes,
        emitted,
        labels,
        emission,
        ends,
        np.array(counts),
    )
    return Batch(*(torch.from_numpy(array) for array in arrays))
