"""Kaldi-compatible log-mel filter banks, computed from whole recordings or piece by piece.

80 bins, 25 ms windows every 10 ms at 16 kHz, Povey window, pre-emphasis 0.97, no dither, as in Kaldi's
`compute-fbank-feats`. One difference, in time only: frame t covers the samples [160 t - 240, 160 t + 160), so that
every 160 samples make one frame and no frame waits for later audio (Kaldi's frame 0 is our frame 1 after 1.5 frames).

Not covered: resampling (sources do it), normalisation by recording (there is none: a stream has no whole).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from meetscribe.nn.steppable import Steppable

SAMPLE_RATE = 16_000  # Hz
HOP = 160  # samples
WINDOW = 400  # samples
FFT = 512  # samples
MEL_BINS = 80
HISTORY = WINDOW - HOP  # samples of the past that the next frame needs
SMALLEST_ENERGY = 1.1920929e-07  # as in Kaldi


@dataclass(frozen=True)
class MelConfig:
    """Where the filters lie."""

    low: float = 20.0  # Hz
    high: float = 8_000.0  # Hz
    bins: int = MEL_BINS


def mel_filters(config: MelConfig | None = None, warp: float = 1.0) -> np.ndarray:
    """Return the triangular filters as float32 (FFT // 2 + 1, bins).

    Args:
        config: range and number of filters.
        warp: vocal-tract-length warping factor; frequencies are divided by it, linearly up to 4.8 kHz and then
            bent so that the upper edge stays where it is (Jaitly and Hinton 2013).
    """
    config = config or MelConfig()
    low, high = _mel(np.array([config.low, config.high]))
    centres = low + (high - low) * np.arange(config.bins + 2) / (config.bins + 1)
    hertz = np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT
    scale = _mel(_warped(hertz, warp, config.high))[:, None]
    left, middle, right = centres[:-2], centres[1:-1], centres[2:]
    rising = (scale - left) / (middle - left)
    falling = (right - scale) / (right - middle)
    filters = np.maximum(0.0, np.minimum(rising, falling))
    filters[-1] = 0.0  # Kaldi leaves the Nyquist bin out
    return filters.astype(np.float32)


def _mel(hertz: np.ndarray) -> np.ndarray:
    return 1127.0 * np.log1p(hertz / 700.0)


def _warped(hertz: np.ndarray, warp: float, high: float) -> np.ndarray:
    knee = 4_800.0 * min(warp, 1.0)
    slope = (high - knee / warp) / (high - knee)
    return np.where(hertz <= knee, hertz / warp, high - slope * (high - hertz))


def povey_window() -> np.ndarray:
    """Return Kaldi's default window, float32 (WINDOW,)."""
    hann = 0.5 - 0.5 * np.cos(2 * math.pi * np.arange(WINDOW) / (WINDOW - 1))
    return (hann**0.85).astype(np.float32)


class Features(Steppable[Tensor]):
    """Audio (B, samples) to log-mel frames (B, T, F); the state is the last 240 samples (B, 240)."""

    stride = HOP
    lookahead = 0
    window: Tensor
    filters: Tensor

    def __init__(self, config: MelConfig | None = None) -> None:
        super().__init__()
        self.register_buffer("window", torch.from_numpy(povey_window()), persistent=False)
        self.register_buffer("filters", torch.from_numpy(mel_filters(config)), persistent=False)

    def initial_state(self, batch: int) -> Tensor:
        """Return silence before the first sample, (B, 240)."""
        return self.window.new_zeros(batch, HISTORY)

    def forward(self, audio: Tensor, filters: Tensor | None = None) -> Tensor:
        """Compute all frames of (B, samples) in the range -1…1; samples beyond a multiple of 160 are left out.

        Args:
            audio: samples.
            filters: other filters than the module's own, (257, F) or one set for each example (B, 257, F).
        """
        return self.energies(self.spectrum(audio), filters)

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the frames that the samples x (B, 160 n) complete: (B, n, F)."""
        power, state = self.step_spectrum(x, state)
        return self.energies(power), state

    def spectrum(self, audio: Tensor) -> Tensor:
        """Compute the power spectra of all frames of (B, samples): (B, T, FFT // 2 + 1), samples scaled to 16 bits."""
        whole = audio[:, : audio.shape[1] // HOP * HOP]
        return self._power(torch.cat([self.initial_state(len(audio)).to(audio), whole], 1))

    def step_spectrum(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the power spectra of the frames that the samples x (B, 160 n) complete."""
        heard = torch.cat([state, x], 1)
        return self._power(heard), heard[:, -HISTORY:]

    def energies(self, power: Tensor, filters: Tensor | None = None) -> Tensor:
        """Sum power spectra (B, T, FFT // 2 + 1) into log-mel frames (B, T, F); `filters` as of `forward`."""
        return (power @ (self.filters if filters is None else filters)).clamp_min(SMALLEST_ENERGY).log()

    def _power(self, heard: Tensor) -> Tensor:
        frames = heard.unfold(1, WINDOW, HOP) * 32_768.0
        frames = frames - frames.mean(-1, keepdim=True)
        emphasised = torch.cat([frames[..., :1] * 0.03, frames[..., 1:] - 0.97 * frames[..., :-1]], -1)
        spectrum = torch.fft.rfft(emphasised * self.window, n=FFT)
        return spectrum.real.square() + spectrum.imag.square()
