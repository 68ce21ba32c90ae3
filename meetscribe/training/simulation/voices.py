"""The people that simulated meetings choose from, and the stretches of their recordings that can be turns.

A recording is a row of units: its words, or, where there is no transcript, the bursts of energy between its pauses.
A run is a row of units whose pauses are at most 0.5 s, which is as long as a turn can be without editing.
Not covered: recordings in which several people speak.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.corpus import Corpus, Utterance

LONGEST_PAUSE = SAMPLE_RATE // 2  # inside a turn
MARGIN = (SAMPLE_RATE // 20, SAMPLE_RATE // 2)  # of a recording's silence kept at most around a turn, drawn
FADE = SAMPLE_RATE // 100  # at least this much is kept, even of a neighbouring word
_FRAME = SAMPLE_RATE // 100
_DEPTH = 30.0  # dB below its loudest frames a recording counts as silent
_SHORTEST_BURST, _BRIDGED = 5, 10  # frames of speech that count, and of silence that do not


@dataclass(frozen=True)
class Run:
    """Units `first` … of one utterance, their times in samples of the recording, and the silence around them."""

    source: tuple[int, int]  # corpus, utterance
    first: int
    starts: np.ndarray  # int64 (N,)
    ends: np.ndarray  # int64 (N,)
    before: int  # samples of silence before the first unit
    after: int


@dataclass(frozen=True)
class Voice:
    """One person in one corpus."""

    speaker: str
    runs: tuple[Run, ...]
    edges: np.ndarray  # int64 (R,): samples of speech up to and including each run

    @property
    def samples(self) -> int:
        """Return how much speech there is."""
        return int(self.edges[-1])


@dataclass(frozen=True)
class Clip:
    """What a turn takes of a recording, in samples of it."""

    source: tuple[int, int]
    first: int  # unit
    last: int  # unit after the last
    begin: int
    stop: int
    before: int  # kept in front of `begin`
    after: int

    @property
    def samples(self) -> int:
        """Return the time from the first unit's start to the last one's end."""
        return self.stop - self.begin


@dataclass(frozen=True)
class Voices:
    """Everybody, and how likely each is to take part."""

    voices: tuple[Voice, ...]
    chances: np.ndarray  # float64 (V,), cumulated, the last is 1

    def choose(self, count: int, rng: np.random.Generator, least: int = 0) -> list[Voice]:
        """Return `count` people with different names and at least `least` samples; fewer where none were found."""
        chosen: dict[str, int] = {}
        for _ in range(40 * count):
            index = int(np.searchsorted(self.chances, rng.random(), side="right"))
            voice = self.voices[index]
            if voice.samples >= least:
                chosen.setdefault(voice.speaker, index)
            if len(chosen) == count:
                break
        return [self.voices[index] for index in chosen.values()]


def collect_voices(corpora: Sequence[Corpus], shares: Sequence[float] = ()) -> Voices:
    """Return the people of some corpora.

    Args:
        corpora: transcribed or not.
        shares: how often people of each corpus are chosen; without, by how much speech of them there is.
            Within a corpus a person counts with the square root of the speech, up to ten minutes.
    """
    voices: list[Voice] = []
    weights: list[np.ndarray] = []
    for index, corpus in enumerate(corpora):
        mine = list(_voices_of(index, corpus))
        weight = np.sqrt([min(voice.samples, 600 * SAMPLE_RATE) for voice in mine])
        weights.append(weight * (shares[index] / weight.sum() if shares else 1.0))
        voices += mine
    chances = np.cumsum(np.concatenate(weights))
    chances /= chances[-1]
    chances[-1] = 1.0 + 1e-9
    return Voices(tuple(voices), chances)


def _voices_of(index: int, corpus: Corpus) -> Iterator[Voice]:
    runs: dict[str, list[Run]] = {}
    for number, utterance in enumerate(corpus.utterances):
        units = units_of(corpus, utterance)
        runs.setdefault(utterance.speaker, []).extend(_runs((index, number), units, utterance.samples))
    for speaker, mine in sorted(runs.items()):
        if mine:
            lengths = [int(run.ends[-1] - run.starts[0]) for run in mine]
            yield Voice(speaker, tuple(mine), np.cumsum(lengths))


def units_of(corpus: Corpus, utterance: Utterance) -> np.ndarray:
    """Return the start and end of an utterance's words, or bursts of energy, int64 (N, 2)."""
    if utterance.words:
        return np.array([(word.start, word.end) for word in utterance.words], np.int64)
    pcm = corpus.audio.samples[utterance.offset : utterance.offset + utterance.samples]
    return bursts(pcm)


def bursts(pcm: np.ndarray) -> np.ndarray:
    """Return where a recording is louder than 30 dB below its loudest parts, int64 (N, 2), int16 audio (samples,)."""
    frames = np.asarray(pcm[: len(pcm) // _FRAME * _FRAME], np.float32).reshape(-1, _FRAME)
    power = np.einsum("tf,tf->t", frames, frames) / _FRAME
    if not len(power) or power.max() == 0.0:
        return np.zeros((0, 2), np.int64)
    quiet, loud = np.quantile(power, (0.1, 0.95))
    loud_enough = power > max(loud * 10 ** (-_DEPTH / 10), 4.0 * quiet if quiet < loud / 100 else 0.0, 1.0)
    edges = np.flatnonzero(np.diff(np.pad(loud_enough.astype(np.int8), 1))).reshape(-1, 2)
    if not len(edges):
        return np.zeros((0, 2), np.int64)
    split = np.flatnonzero(edges[1:, 0] - edges[:-1, 1] > _BRIDGED)
    joined = np.stack((edges[np.r_[0, split + 1], 0], edges[np.r_[split, len(edges) - 1], 1]), axis=1)
    return joined[joined[:, 1] - joined[:, 0] >= _SHORTEST_BURST].astype(np.int64) * _FRAME


def _runs(source: tuple[int, int], units: np.ndarray, samples: int) -> Iterator[Run]:
    if not len(units):
        return
    pauses = np.concatenate(([units[0, 0]], units[1:, 0] - units[:-1, 1], [samples - units[-1, 1]]))
    breaks = np.flatnonzero(pauses[1:-1] > LONGEST_PAUSE) + 1
    for first, last in zip((0, *breaks), (*breaks, len(units)), strict=True):
        before, after = int(max(0, pauses[first])), int(max(0, pauses[last]))
        yield Run(source, int(first), units[first:last, 0], units[first:last, 1], before, after)


def cut_clip(run: Run, first: int, last: int, margins: tuple[int, int]) -> Clip:
    """Return units first … last - 1 of a run (counted within it) with at most `margins` of the silence around."""
    before = int(run.starts[first] - run.ends[first - 1]) if first else run.before
    after = int(run.starts[last] - run.ends[last - 1]) if last < len(run.ends) else run.after
    return Clip(
        run.source,
        run.first + first,
        run.first + last,
        int(run.starts[first]),
        int(run.ends[last - 1]),
        min(max(before, FADE), margins[0]),
        min(max(after, FADE), margins[1]),
    )


class ClipChooser:
    """Chooses clips of people for one meeting, preferably each stretch of a recording only once.

    How much of the recording's own silence a clip keeps is drawn, so that where the silence becomes deeper tells
    nothing about where the turn ends.
    """

    def __init__(self, rng: np.random.Generator, repeats: bool = True) -> None:
        """Say whether a stretch may come again when no other is found; then fewer are looked at."""
        self._rng, self._repeats = rng, repeats
        self._candidates = 5 if repeats else 20
        self._used: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def take(self, voice: Voice, wanted: int, longest: int) -> Clip | None:
        """Return a clip of about `wanted` samples, at most `longest`, or None where there is none so short.

        Of a few candidates that which fits best is taken: length, silence at both ends, not used before.
        """
        best: tuple[float, Clip] | None = None
        for _ in range(self._candidates):
            clip = self._candidate(voice, min(wanted, longest))
            if clip is None or clip.samples > longest:
                continue
            used = self._is_used(clip)
            if used and not self._repeats:
                continue
            badness = 100.0 * used + self._badness(clip, wanted)
            if best is None or badness < best[0]:
                best = (badness, clip)
        if best is None:
            return None
        clip = best[1]
        self._used.setdefault(clip.source, []).append((clip.begin, clip.stop))
        return clip

    def _candidate(self, voice: Voice, wanted: int) -> Clip | None:
        number = int(np.searchsorted(voice.edges, self._rng.integers(voice.samples), side="right"))
        run = voice.runs[number]
        whole = int(run.ends[-1] - run.starts[0])
        before, after = self._rng.integers(*MARGIN, 2)
        margins = int(before), int(after)
        if whole <= wanted:
            return cut_clip(run, 0, len(run.ends), margins)
        latest = int(np.searchsorted(run.starts, run.ends[-1] - wanted, side="right"))
        first = int(self._rng.integers(max(1, latest)))
        last = int(np.searchsorted(run.ends, run.starts[first] + wanted, side="right"))
        return cut_clip(run, first, max(last, first + 1), margins)

    def _is_used(self, clip: Clip) -> bool:
        return any(clip.begin < stop and begin < clip.stop for begin, stop in self._used.get(clip.source, ()))

    def _badness(self, clip: Clip, wanted: int) -> float:
        abrupt = (clip.before < MARGIN[0]) + (clip.after < MARGIN[0])
        return 0.3 * abrupt + abs(np.log(clip.samples / max(wanted, 1)))
