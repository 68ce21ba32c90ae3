"""A channel for each person, and in it that person alone: what leaks into neighbours' microphones is taken out.

How loud each voice is in each other microphone is measured once (`measure_coupling`), band by band, on frames in which
it is alone. From then on every band of every frame says how much of it is a neighbour's: that much is masked, and where
all of a channel is explained by its neighbours the channel is silent. A neighbour's voice fades in a room, so what it
explains fades with it.
Not covered: voices that are as loud in another's microphone as in their own, people who change places.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from meetscribe.sources.spectra import (
    FRAME_RATE,
    HOP,
    Analysis,
    Samples,
    Spectra,
    Synthesis,
    band_power,
    to_bins,
)

Bands = NDArray[np.float32]

_ACTIVE = 12.0  # dB above a channel's own noise
_ENOUGH = 20  # frames in which a voice is alone
_UNKNOWN = 10 ** (-15 / 10)  # what is assumed where a voice was never alone
_OWN = 10.0  # dB over what neighbours explain, for a band to be a channel's own
_OWN_BANDS = 0.5  # of the loud bands that have to be
_FADE = 10 ** (-60 / 10 / (0.5 * FRAME_RATE))  # a room of 0.5 s: power of a frame that is left in the next
_OVER = 2.5  # how much more than explained is taken out
_FLOOR = 0.05  # amplitude of what is masked altogether
_CLOSED = 0.005  # amplitude of a channel whose owner is silent
_BEFORE, _AFTER = 16, 16  # frames that a channel stays open around what is its owner's
_SMOOTH = 5  # frames over which a decision is made
_PAST = _AFTER + _SMOOTH  # frames that decisions look back


@dataclass(frozen=True)
class Coupling:
    """What one channel hears of the others.

    Attributes:
        leak: power of voice j in channel i over its power in its own, [i, j, band]; zero for i = j.
        noise: power of each channel when nobody speaks, [channel, band].
    """

    leak: Bands
    noise: Bands


def loudness(power: Bands, noise: Bands) -> NDArray[np.float32]:
    """Return how loud frames are above their channel's noise, in dB: [frames, channels]."""
    clean = np.maximum(power - 2 * noise, 0).sum(axis=2)
    return 10 * np.log10(clean + 1e-12)


def noise_of(power: Bands) -> Bands:
    """Return the power of each channel and band when nobody speaks, from frames with and without speech."""
    return np.quantile(power, 0.15, axis=0).astype(np.float32)


def active(power: Bands, noise: Bands) -> NDArray[np.bool_]:
    """Say of each frame and channel whether somebody is heard there: [frames, channels]."""
    level = 10 * np.log10(power.sum(axis=2) + 1e-12)
    return level > 10 * np.log10(noise.sum(axis=1) + 1e-12) + _ACTIVE


def measure_coupling(power: Bands) -> Coupling:
    """Return what channels hear of each other, from frames of all of a recording: [frames, channels, bands]."""
    noise = noise_of(power)
    level, heard = loudness(power, noise), active(power, noise)
    usual = np.array([_usual(level[heard[:, i], i]) for i in range(power.shape[1])])
    loudest = np.argmax(np.where(heard, level - usual, -np.inf), axis=1)
    leak = np.zeros((power.shape[1], power.shape[1], power.shape[2]), np.float32)
    for j in range(power.shape[1]):
        chosen = heard[:, j] & (loudest == j) & (level[:, j] > usual[j] - 12)
        for i in range(power.shape[1]):
            if i != j:
                leak[i, j] = _leak(power[chosen], level[chosen], noise, i, j)
    return Coupling(leak, noise)


def _usual(levels: NDArray[np.float32]) -> float:
    return float(np.quantile(levels, 0.9)) if len(levels) else np.inf


def _leak(power: Bands, level: NDArray[np.float32], noise: Bands, i: int, j: int) -> Bands:
    """Return the power of voice j in channel i over that in channel j, band by band, where j is loudest."""
    if len(power) < _ENOUGH:
        return np.full(power.shape[2], _UNKNOWN, np.float32)
    difference = level[:, i] - level[:, j]
    alone = difference <= np.quantile(difference, 0.5) + 3  # in most of these frames i is silent
    own = np.maximum(power[alone, j] - noise[j], 0)
    there = np.maximum(power[alone, i] - noise[i], 0)
    loud = own > 4 * noise[j]
    ratio = np.where(loud, there / np.maximum(own, 1e-12), np.nan)
    weight = loud.sum(axis=0)
    overall = float(there.sum() / max(own.sum(), 1e-12))
    known = [np.nanmedian(ratio[:, b]) if weight[b] >= _ENOUGH else overall for b in range(power.shape[2])]
    return np.minimum(np.maximum(np.array(known, np.float32), 0.3 * overall), 1.0)


class CrosstalkRemover:
    """Takes blocks of all channels and gives them back with each person alone in theirs; a little later."""

    def __init__(self, coupling: Coupling) -> None:
        channels = len(coupling.noise)
        self._coupling = coupling
        self._analysis, self._synthesis = Analysis(channels), Synthesis(channels)
        self._fading = np.zeros((channels, coupling.noise.shape[1]), np.float32)
        self._frames = np.zeros((0, channels, 0), np.complex64)
        self._masks = np.zeros((0, channels, coupling.noise.shape[1]), np.float32)
        self._own = np.zeros((_PAST, channels), np.float32)  # shares of bands that are the owner's
        self._taken, self._given = 0, 0

    def __call__(self, samples: Samples) -> Samples:
        """Take samples and return those that are ready."""
        self._taken += len(samples)
        return self._cut(self._hear(self._analysis(samples)))

    def finish(self) -> Samples:
        """Return the rest, as many samples altogether as were taken."""
        silence = np.zeros(((_BEFORE + _SMOOTH + 8) * HOP, self._own.shape[1]), np.float32)
        return self._cut(self._hear(self._analysis(silence)))

    def _cut(self, samples: Samples) -> Samples:
        samples = samples[: self._taken - self._given]
        self._given += len(samples)
        return samples

    def _hear(self, frames: Spectra) -> Samples:
        """Decide about new frames, and let go of those whose future is known."""
        if len(frames):
            masks, own = self._decide(band_power(frames))
            waiting = self._frames if self._frames.shape[2] else frames[:0]
            self._frames = np.concatenate([waiting, frames])
            self._masks = np.concatenate([self._masks, masks])
            self._own = np.concatenate([self._own, own])
        ready = len(self._frames) - _BEFORE - _SMOOTH
        if ready <= 0:
            return np.zeros((0, self._own.shape[1]), np.float32)
        gain = np.where(self._open()[_PAST : _PAST + ready], 1.0, _CLOSED).astype(np.float32)
        mask = to_bins(self._masks[:ready]) * gain[:, :, None]
        out = self._synthesis(self._frames[:ready] * mask)
        self._frames, self._masks = self._frames[ready:], self._masks[ready:]
        self._own = self._own[ready:]
        return out

    def _open(self) -> NDArray[np.bool_]:
        """Say of each waiting frame and channel whether its owner speaks there, or shortly before or after."""
        kernel = np.ones(_SMOOTH) / _SMOOTH
        smooth = np.apply_along_axis(lambda row: np.convolve(row, kernel, "same"), 0, self._own)
        speaks = (smooth > _OWN_BANDS).astype(np.uint8)
        return maximum_filter1d(speaks, _BEFORE + _AFTER + 1, axis=0) > 0

    def _decide(self, power: Bands) -> tuple[Bands, NDArray[np.float32]]:
        """Return the mask of each band, and the share of each channel's loud bands that is its owner's."""
        leak, noise = self._coupling.leak, self._coupling.noise
        clean = np.maximum(power - noise, 0)
        own = clean
        for _ in range(2):
            own = np.maximum(clean - np.einsum("ijb,tjb->tib", leak, own), 0)
        explained = np.einsum("ijb,tjb->tib", leak, self._faded(own))
        masks = np.sqrt(np.clip(1 - _OVER * explained / (power + 1e-12), _FLOOR**2, 1))
        loud = power > 4 * noise
        theirs = loud & (clean > 10 ** (_OWN / 10) * explained)
        share = theirs.sum(axis=2) / np.maximum(loud.sum(axis=2), power.shape[2] // 6)
        return masks.astype(np.float32), share.astype(np.float32)

    def _faded(self, own: Bands) -> Bands:
        """Return the voices with what is left of them in the room."""
        result = np.empty_like(own)
        for number, frame in enumerate(own):
            self._fading = np.maximum(frame, self._fading * np.float32(_FADE))
            result[number] = self._fading
        return result
