"""Where in the spectrum which pitch is heard: what tells apart voices that talk at once.

A voiced sound repeats with its pitch, in each band that it dominates: in low bands the harmonics stand at multiples
of it, in high ones their sum beats with it. So the autocorrelation of a band peaks at the pitch period of the
voice that is loudest there (correlograms: Slaney and Lyon 1990; computational auditory scene analysis: Wang and
Brown 2006). A network that is given it learns to separate many times faster than from spectra (`docs/log.md`).
The autocorrelation is computed from the power spectrum of 64 ms, compressed as in Tolonen and Karjalainen 2000, as
cosine and sine sums over each band; their length is the envelope's part of it, wherever the harmonics lie.
Not covered: a decision about pitch.
"""

import math

import numpy as np
import torch
from torch import Tensor

from meetscribe.nn.features import HOP, MEL_BINS, SAMPLE_RATE
from meetscribe.nn.steppable import Steppable

WINDOW = 1024  # samples
STRIDE = 2 * HOP  # samples
HISTORY = WINDOW - STRIDE
BANDS = 20
PERIODS = 40
HIGHEST_PITCH, LOWEST_PITCH = 400.0, 70.0  # Hz
LOWEST_BAND, HIGHEST_BAND = 150.0, 5_000.0  # Hz, centres
NARROWEST, RELATIVE_WIDTH = 300.0, 0.3  # half of a band's width: Hz at least, or part of its centre
COMPRESSION = 0.35
QUIET = 1e4  # power that counts as silence (16-bit samples)
HARMONICS = 160  # lowest bins of the spectrum, up to 2.5 kHz, that resolve single harmonics

CUES = BANDS * 2 * PERIODS + HARMONICS
"""Values in each step: periodicity of each band, then the fine spectrum."""


class Periodicity(Steppable[Tensor]):
    """Audio (B, samples) to cues (B, T, CUES), one step each 20 ms; the state is the last 704 samples."""

    stride = STRIDE
    lookahead = 0
    window: Tensor
    weights: Tensor
    waves: Tensor
    bins: Tensor

    def __init__(self) -> None:
        super().__init__()
        weights, bins = _bands()
        periods = np.geomspace(1 / HIGHEST_PITCH, 1 / LOWEST_PITCH, PERIODS)
        phase = 2 * math.pi * (bins * SAMPLE_RATE / WINDOW)[:, :, None] * periods
        waves = np.concatenate([np.cos(phase), np.sin(phase)], -1) * weights[:, :, None]
        tables = {"window": np.hanning(WINDOW + 1)[:-1], "weights": weights, "waves": waves}
        for name, table in tables.items():
            self.register_buffer(name, torch.from_numpy(table.astype(np.float32)), persistent=False)
        self.register_buffer("bins", torch.from_numpy(bins), persistent=False)

    def initial_state(self, batch: int) -> Tensor:
        """Return silence before the first sample, (B, 704)."""
        return self.window.new_zeros(batch, HISTORY)

    def forward(self, audio: Tensor) -> Tensor:
        """Compute the cues of whole recordings (B, samples) in -1…1."""
        return self._cues(torch.cat([self.initial_state(len(audio)), audio], 1))

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the cues that the samples x (B, 320 n) complete: (B, n, CUES)."""
        heard = torch.cat([state, x], 1)
        return self._cues(heard), heard[:, -HISTORY:]

    def _cues(self, heard: Tensor) -> Tensor:
        frames = heard.unfold(1, WINDOW, STRIDE) * 32_768.0
        frames = frames - frames.mean(-1, keepdim=True)
        spectrum = torch.fft.rfft(frames * self.window)
        power = spectrum.real.square() + spectrum.imag.square()
        inside = (power + QUIET).pow(COMPRESSION)[..., self.bins]  # (B, T, bands, bins)
        total = (inside * self.weights).sum(-1, keepdim=True)
        cosine, sine = (torch.einsum("btgk,gkp->btgp", inside, self.waves) / total).split(PERIODS, -1)
        envelope = (cosine.square() + sine.square()).sqrt()
        periodicity = 2.0 * torch.cat([cosine, envelope - 0.3], -1)
        fine = (power[..., :HARMONICS].clamp_min(1.0).log() - 14.0) / 4.0
        return torch.cat([periodicity.flatten(2), fine], -1)


def band_centres() -> np.ndarray:
    """Return the centres of the bands in Hz, evenly apart on the mel scale."""
    return _hertz(np.linspace(_mel(LOWEST_BAND), _mel(HIGHEST_BAND), BANDS))


def mel_shares() -> np.ndarray:
    """Return how much each band has to say about each mel bin, float32 (MEL_BINS, BANDS): linear between centres."""
    centres = _mel(band_centres())
    edges = np.linspace(_mel(20.0), _mel(SAMPLE_RATE / 2), MEL_BINS + 2)[1:-1]
    place = np.interp(edges, centres, np.arange(BANDS))
    return np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(BANDS))).astype(np.float32)


def _bands() -> tuple[np.ndarray, np.ndarray]:
    """Return triangular weights and the bins that they belong to, each (BANDS, bins of the widest band)."""
    hertz = np.arange(WINDOW // 2 + 1) * SAMPLE_RATE / WINDOW
    centres = band_centres()[:, None]
    half = np.maximum(NARROWEST, RELATIVE_WIDTH * centres)
    triangles = np.maximum(0.0, 1.0 - np.abs(hertz - centres) / half)
    widest = int((triangles > 0).sum(1).max())
    first = np.minimum((triangles > 0).argmax(1), len(hertz) - widest)
    bins = first[:, None] + np.arange(widest)
    return np.take_along_axis(triangles, bins, 1), bins


def _mel(hertz: float | np.ndarray) -> np.ndarray:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


def _hertz(mel: np.ndarray) -> np.ndarray:
    return 700.0 * np.expm1(mel / 1127.0)
