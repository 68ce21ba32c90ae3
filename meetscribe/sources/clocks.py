"""When recorders that ran beside each other began, and how much faster one clock ran than the other.

First the offset, to a frame: the envelopes of bands of both recordings, without their slow changes, are correlated;
then in windows over the whole time the delay between the samples themselves (GCC-PHAT), and a line through the delays,
drawn so that windows that misled do not count (Theil–Sen). Recordings of one room have enough in common for that even
where each is mostly one person's own voice: what leaks in is common.
Not covered: clocks that jump, recordings that have nothing in common.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from meetscribe.errors import AudioError
from meetscribe.sources.spectra import HOP, Analysis, band_power
from meetscribe.timeline import SAMPLE_RATE

Mono = NDArray[np.float32]
Reading = Callable[[], Iterator[Mono]]  # begins to read a recording from its start

MOST_STRETCH = 1e-3
_COARSE = 30 * 60 * SAMPLE_RATE  # samples that are looked at for the offset
_PROBE = 5 * 60 * SAMPLE_RATE  # of the first recording at once
_SMOOTH = 61  # frames, about a second: slower changes do not count
_BANDS = slice(4, 40)
_CLEAR = 7.0  # times the deviation, for an offset to be believed
_WINDOW = 3 * SAMPLE_RATE
_WINDOWS = 80
_MARGIN = SAMPLE_RATE // 20
_CLEAR_DELAY = 6.0
_SPREAD = 8  # samples over which a delay is smeared inside a window
_OUTLIER = SAMPLE_RATE // 100  # samples, of a window that misled
_FEWEST = 6  # windows that a line is drawn through
_TWO_PEOPLE = 6.0  # dB between windows, where each recording is mostly one person's
_USUAL_STRETCH = 5e-5
_DOUBT = 4.0  # windows that mislead alike, at a time


@dataclass(frozen=True)
class Clock:
    """A recording's time on the first one's: its sample p belongs at `offset` + p × (1 + `stretch`)."""

    offset: float  # samples
    stretch: float = 0.0

    def place(self, sample: float) -> float:
        """Return where a sample of the recording belongs."""
        return self.offset + sample * (1 + self.stretch)

    def sample(self, place: float) -> float:
        """Return which sample of the recording belongs at a place."""
        return (place - self.offset) / (1 + self.stretch)


def compare(first: Reading, other: Reading, name: str) -> Clock:
    """Return the clock of another recording, measured against the first.

    Raises:
        AudioError: they have nothing in common, or cannot be read.
    """
    offset = _offset(_envelopes(first()), _envelopes(other()))
    if offset is None:
        raise AudioError(
            f"{name}: nothing in it was heard in the first recording too, so that its place in time is not "
            "known; give recordings of one meeting, or transcribe them without --together"
        )
    return _line(list(_pairs(first, other, offset)), offset)


def _envelopes(blocks: Iterator[Mono]) -> NDArray[np.float32]:
    """Return the quick changes of each band's level, of the first half hour: float32 [bands, frames]."""
    analysis, parts, taken = Analysis(1), [], 0
    for block in blocks:
        power = band_power(analysis(block[:, None]))[:, 0, _BANDS]
        parts.append(np.log(power + 1e-7).astype(np.float32))
        taken += len(block)
        if taken >= _COARSE:
            break
    level = np.concatenate([np.zeros((0, _BANDS.stop - _BANDS.start), np.float32), *parts]).T
    quick = level - uniform_filter1d(level, _SMOOTH, axis=1)
    return quick / (quick.std(axis=1, keepdims=True) + 1e-6)


def _offset(first: NDArray[np.float32], other: NDArray[np.float32]) -> float | None:
    """Return where the other recording begins on the first one's time, in samples; None where nothing fits."""
    step = _PROBE // HOP
    for start in range(0, max(1, first.shape[1] - step // 10), step):
        found = _shift(first[:, start : start + step], other)
        if found is not None:
            return float((start + found) * HOP)
    return None


def _shift(probe: NDArray[np.float32], other: NDArray[np.float32]) -> int | None:
    """Return by how many frames the other recording is later than the probe, None where that is not clear."""
    if min(probe.shape[1], other.shape[1]) < 2 * _SMOOTH:
        return None
    size = 1 << (probe.shape[1] + other.shape[1]).bit_length()
    total = np.zeros(size // 2 + 1, np.complex64)
    for a, b in zip(probe, other, strict=True):
        total += np.fft.rfft(a, size) * np.fft.rfft(b, size).conj()
    fit = np.fft.irfft(total, size)
    fit = np.concatenate([fit[-other.shape[1] :], fit[: probe.shape[1]]])
    best = int(np.argmax(fit))
    shared = np.ones_like(fit, bool)
    shared[max(0, best - _SMOOTH) : best + _SMOOTH] = False
    deviation = float(fit[shared].std()) if shared.any() else 0.0
    return best - other.shape[1] if fit[best] > _CLEAR * max(deviation, 1e-6) else None


class _Reader:
    """Reads stretches of a recording, each further on than the last."""

    def __init__(self, blocks: Iterator[Mono]) -> None:
        self._blocks, self._held, self._start = blocks, np.zeros(0, np.float32), 0

    def read(self, start: int, end: int) -> Mono | None:
        """Return the samples from `start` to `end`, None where the recording does not reach so far."""
        while self._start + len(self._held) < end:
            block = next(self._blocks, None)
            if block is None:
                return None
            self._held = np.concatenate([self._held, block])
            useless = min(max(0, start - self._start), len(self._held))
            self._held, self._start = self._held[useless:], self._start + useless
        return self._held[start - self._start : end - self._start] if start >= self._start else None


@dataclass(frozen=True)
class _Pair:
    """A sample of the other recording, where it belongs, and how much louder the first one was then, in dB."""

    sample: float
    place: float
    balance: float


def _pairs(first: Reading, other: Reading, offset: float) -> Iterator[_Pair]:
    """Give pairs from windows over the whole time."""
    one, two = _Reader(first()), _Reader(other())
    step, guess = _WINDOW, offset
    recent: deque[float] = deque([offset], maxlen=5)
    place = max(0, int(np.ceil(offset))) + _MARGIN
    for count in range(1, 100_000):
        start = round(place - guess) - _MARGIN
        here, there = one.read(place, place + _WINDOW), two.read(start, start + _WINDOW + 2 * _MARGIN)
        if here is None or there is None:
            return
        delay = _delay(here, there)
        if delay is not None:
            louder = 10 * np.log10((np.mean(np.square(here)) + 1e-10) / (np.mean(np.square(there)) + 1e-10))
            yield _Pair(start + delay, float(place), float(louder))
            recent.append(place - start - delay)
            guess = float(np.median(recent))
        if count % _WINDOWS == 0:
            step *= 2  # long recordings have windows further apart
        place += step


def _delay(here: Mono, there: Mono) -> float | None:
    """Return at which sample of `there` what `here` holds begins, None where that is not clear."""
    size = 1 << len(there).bit_length()
    cross = np.fft.rfft(there, size) * np.fft.rfft(here, size).conj()
    hertz = np.arange(len(cross)) * SAMPLE_RATE / size
    cross = cross / (np.abs(cross) + 1e-9) * ((hertz > 150) & (hertz < 3500))
    fit = uniform_filter1d(np.abs(np.fft.irfft(cross, size)[: 2 * _MARGIN + 1]), _SPREAD)
    best = int(np.argmax(fit))
    return float(best) if fit[best] > _CLEAR_DELAY * float(np.median(fit)) else None


def _line(pairs: list[_Pair], offset: float) -> Clock:
    """Return the line through pairs; the offset alone where there are too few.

    Between two headsets the way of the sound counts too: what the first one's owner says arrives later in the other,
    and the other way round. So the way is a third unknown, with the sign of who was louder.
    """
    if len(pairs) < _FEWEST:
        return Clock(float(np.median([pair.place - pair.sample for pair in pairs])) if pairs else offset)
    samples = np.array([pair.sample for pair in pairs])
    late = np.array([pair.place - pair.sample for pair in pairs])
    unknowns = np.stack([np.ones_like(samples), samples, _signs(pairs)], 1)
    good = np.abs(late - np.median(late) - _slope(samples, late) * (samples - np.median(samples))) < _OUTLIER
    solved = np.array([np.median(late), 0.0, 0.0])
    for _ in range(4):
        if good.sum() < _FEWEST:
            break
        doubt = _DOUBT * float(np.var(late[good] - unknowns[good] @ solved)) + 1.0
        solved = _solved(unknowns[good], late[good], doubt)
        good = np.abs(late - unknowns @ solved) < _OUTLIER / 2
    level, stretch = float(solved[0]), float(solved[1])
    return Clock(level, stretch) if abs(stretch) <= MOST_STRETCH else Clock(float(np.median(late)))


def _signs(pairs: list[_Pair]) -> NDArray[np.float64]:
    """Return 1 where the first recording's owner talks, -1 where the other's does, 0 where neither stands out."""
    balance = np.array([pair.balance for pair in pairs])
    low, high = np.quantile(balance, [0.1, 0.9])
    beyond = balance - (low + high) / 2
    return (
        np.where(np.abs(beyond) < (high - low) / 6, 0.0, np.sign(beyond))
        if high - low > _TWO_PEOPLE
        else 0 * beyond
    )


def _slope(samples: NDArray[np.float64], late: NDArray[np.float64]) -> float:
    """Return the median slope between pairs that are far apart (Theil–Sen)."""
    apart = np.ptp(samples) / 3
    slopes = [
        (late[b] - late[a]) / (samples[b] - samples[a])
        for a, b in combinations(range(len(samples)), 2)
        if samples[b] - samples[a] > apart
    ]
    return float(np.clip(np.median(slopes), -MOST_STRETCH, MOST_STRETCH)) if slopes else 0.0


def _solved(unknowns: NDArray[np.float64], late: NDArray[np.float64], doubt: float) -> NDArray[np.float64]:
    """Return the least squares, in which a stretch has to be worth it: clocks are rarely more than 50 ppm off.

    `doubt` is the variance of one window, with the way of the sound in it that nobody knows.
    """
    scale = np.array([1.0, 1.0 / _USUAL_STRETCH, 1.0])
    held = np.diag([0.0, doubt, 1e-3])
    matrix = unknowns / scale
    return np.linalg.solve(matrix.T @ matrix + held, matrix.T @ late) / scale
