"""Short-time spectra of several channels as a stream: samples to frames, and frames to samples by overlap-add.

Frames of 64 ms every 16 ms with a square-root Hann window on both sides: what is not changed comes out as it went in.
Not covered: what is done to the frames (`crosstalk.py`, `beamforming.py`).
"""

import numpy as np
from numpy.typing import NDArray

from meetscribe.timeline import SAMPLE_RATE

WINDOW = 1024  # samples in a frame
HOP = 256  # samples from frame to frame
BINS = WINDOW // 2 + 1
FRAME_RATE = SAMPLE_RATE / HOP

Samples = NDArray[np.float32]  # [samples, channels]
Spectra = NDArray[np.complex64]  # [frames, channels, bins]

_SHAPE = np.sqrt(np.hanning(WINDOW + 1)[:-1]).astype(np.float32)
_OVERLAP = WINDOW // HOP / 2  # what the squared windows add up to


class Analysis:
    """Samples become frames; the first one ends with the first hop."""

    def __init__(self, channels: int) -> None:
        self._waiting = np.zeros((WINDOW - HOP, channels), np.float32)

    def __call__(self, samples: Samples) -> Spectra:
        """Return the frames that are complete with these samples."""
        self._waiting = np.concatenate([self._waiting, samples])
        count = max(0, (len(self._waiting) - WINDOW) // HOP + 1)
        if not count:
            return np.zeros((0, samples.shape[1], BINS), np.complex64)
        windows = np.lib.stride_tricks.sliding_window_view(self._waiting, WINDOW, axis=0)[::HOP][:count]
        frames = np.fft.rfft(windows * _SHAPE, axis=2).astype(np.complex64)
        self._waiting = self._waiting[count * HOP :]
        return frames


class Synthesis:
    """Frames become samples again, each hop as soon as its last frame is there."""

    def __init__(self, channels: int) -> None:
        self._tail = np.zeros((WINDOW, channels), np.float32)
        self._late = WINDOW - HOP  # samples that come from before the first one

    def __call__(self, frames: Spectra) -> Samples:
        """Return the samples that no later frame changes."""
        pieces = np.fft.irfft(frames, WINDOW, axis=2).astype(np.float32) * (_SHAPE / _OVERLAP)
        out = np.empty((len(frames) * HOP, frames.shape[1]), np.float32)
        for number, piece in enumerate(pieces):
            self._tail += piece.T
            out[number * HOP : (number + 1) * HOP] = self._tail[:HOP]
            self._tail = np.concatenate([self._tail[HOP:], np.zeros((HOP, frames.shape[1]), np.float32)])
        dropped = min(self._late, len(out))
        self._late -= dropped
        return out[dropped:]


def band_edges(count: int) -> NDArray[np.int64]:
    """Return the first bin of each of about `count` bands, equally wide on the mel scale, from 60 Hz up."""
    highest = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    lowest = 2595 * np.log10(1 + 60 / 700)
    hertz = 700 * (10 ** (np.linspace(lowest, highest, count + 1)[:-1] / 2595) - 1)
    return np.unique(np.rint(hertz * WINDOW / SAMPLE_RATE).astype(np.int64))


EDGES = band_edges(48)
BANDS = len(EDGES)
_WIDTHS = np.diff([*EDGES, BINS])


def band_power(frames: Spectra) -> NDArray[np.float32]:
    """Return the mean power of each band: float32 [frames, channels, bands]."""
    power = np.square(frames.real) + np.square(frames.imag)
    return (np.add.reduceat(power, EDGES, axis=2) / _WIDTHS).astype(np.float32)


def to_bins(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a value for each bin from one for each band; bins below the first band have its value."""
    whole = np.repeat(values, _WIDTHS, axis=-1)
    below = np.repeat(whole[..., :1], EDGES[0], axis=-1)
    return np.concatenate([below, whole], axis=-1)
