"""Several microphones in one room as one better one: delayed so that whoever talks adds up, noise held down.

Delays come from phase transforms of cross spectra (GCC-PHAT, Knapp and Carter 1976), over half a second at a time,
for every chunk anew, so that each turn has its own. The weights are those of a beamformer of minimum variance (MVDR)
against what the microphones hear while nobody speaks, with a loaded diagonal; where little of that was heard yet, that
is delay and sum.
Not covered: two beams at once (the separator's work), microphones on different clocks (`clocks.py`).
"""

import numpy as np
from numpy.typing import NDArray

from meetscribe.sources.spectra import BINS, HOP, WINDOW, Analysis, Samples, Spectra, Synthesis, band_power
from meetscribe.timeline import SAMPLE_RATE

CHUNK = 32  # frames with one delay for each microphone
MOST_DELAY = SAMPLE_RATE // 250  # samples between two microphones, 1.4 m
_FINER = 4  # parts of a sample that delays are found in
_LOWEST, _HIGHEST = 200, 5000  # Hz, for delays
_MEMORY = 0.3  # weight of earlier chunks in cross spectra
_LOADING = 0.05  # of the mean power, on the diagonal
_NOISE_MEMORY = 0.98  # a frame
_QUIET = 2.0  # times the lowest power, for a frame in which nobody speaks
_RISE = 1.002  # a frame, of the lowest power

_HERTZ = np.arange(BINS) * SAMPLE_RATE / WINDOW
_IN_BAND = ((_HERTZ >= _LOWEST) & (_HERTZ <= _HIGHEST)).astype(np.float32)


class Beamformer:
    """Takes blocks of all microphones and gives one channel, a little later."""

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._analysis, self._synthesis = Analysis(channels), Synthesis(1)
        self._frames = np.zeros((0, channels, BINS), np.complex64)
        self._cross = np.zeros((channels, BINS), np.complex64)
        self._noise = np.zeros((BINS, channels, channels), np.complex64)
        self._noise_frames = 0
        self._lowest = np.inf
        self._taken, self._given = 0, 0

    def __call__(self, samples: Samples) -> Samples:
        """Take samples and return those that are ready, [samples, 1]."""
        self._taken += len(samples)
        self._frames = np.concatenate([self._frames, self._analysis(samples)])
        return self._steer(len(self._frames) // CHUNK * CHUNK)

    def finish(self) -> Samples:
        """Return the rest, as many samples altogether as were taken."""
        silence = np.zeros((WINDOW, self._channels), np.float32)
        self._frames = np.concatenate([self._frames, self._analysis(silence)])
        return self._steer(len(self._frames))

    def _steer(self, count: int) -> Samples:
        parts = [self._beam(self._frames[at : at + CHUNK]) for at in range(0, count, CHUNK)]
        self._frames = self._frames[count:]
        empty = np.zeros((0, 1, BINS), np.complex64)
        samples = self._synthesis(np.concatenate([empty, *parts]))[: self._taken - self._given]
        self._given += len(samples)
        return samples

    def _beam(self, frames: Spectra) -> Spectra:
        """Return what the microphones hear together of a chunk, as the first one would."""
        self._learn_noise(frames)
        weights = self._weights(self._steering(frames))
        return np.einsum("fc,tcf->tf", weights.conj(), frames)[:, None, :].astype(np.complex64)

    def _learn_noise(self, frames: Spectra) -> None:
        power = band_power(frames).mean(axis=(1, 2))
        for frame, strength in zip(frames, power, strict=True):
            self._lowest = min(self._lowest * _RISE, max(float(strength), 1e-12))
            if strength < _QUIET * self._lowest:
                seen = np.einsum("cf,df->fcd", frame, frame.conj())
                memory = min(_NOISE_MEMORY, self._noise_frames / (self._noise_frames + 1))
                self._noise = (memory * self._noise + (1 - memory) * seen).astype(np.complex64)
                self._noise_frames += 1

    def _steering(self, frames: Spectra) -> NDArray[np.complex64]:
        """Return how whoever is loudest arrives at each microphone against the first, [bins, channels]."""
        cross = (frames * frames[:, :1].conj()).sum(axis=0)
        cross = cross / (np.abs(cross) + 1e-12) * _IN_BAND
        self._cross = (_MEMORY * self._cross + cross).astype(np.complex64)
        finer = np.fft.irfft(self._cross, WINDOW * _FINER, axis=1)
        reach = MOST_DELAY * _FINER
        near = np.concatenate([finer[:, -reach:], finer[:, : reach + 1]], axis=1)
        delays = (np.argmax(near, axis=1) - reach) / _FINER
        return np.exp(-2j * np.pi * np.outer(_HERTZ / SAMPLE_RATE, delays)).astype(np.complex64)

    def _weights(self, steering: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Return the weight of each microphone, [bins, channels]: what arrives as steered is kept as it is."""
        if self._noise_frames < CHUNK:
            return steering / self._channels
        power = np.trace(self._noise, axis1=1, axis2=2).real / self._channels
        loaded = self._noise + ((_LOADING * power + 1e-12)[:, None, None] * np.eye(self._channels))
        solved = np.linalg.solve(loaded, steering[:, :, None])[:, :, 0]
        return solved / np.einsum("fc,fc->f", steering.conj(), solved)[:, None]


DELAY = (CHUNK + 4) * HOP
"""Samples that a beam may be late."""
