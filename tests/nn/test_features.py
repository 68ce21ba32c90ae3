import math

import numpy as np
import torch

from meetscribe.nn.features import HOP, WINDOW, Features, mel_filters, povey_window
from meetscribe.testing import verify_streaming


def kaldi_frame(samples: np.ndarray) -> list[float]:
    """Compute one frame slowly, from the definitions in Kaldi's feature-window.cc and mel-computations.cc."""
    scaled = samples.astype(np.float64) * 32_768.0
    scaled -= scaled.mean()
    emphasised = scaled - 0.97 * np.concatenate([scaled[:1], scaled[:-1]])
    padded = np.concatenate([emphasised * povey_window(), np.zeros(512 - WINDOW)])
    power = np.abs(np.fft.fft(padded)[:257]) ** 2

    def mel(hertz: float) -> float:
        return 1127.0 * math.log(1.0 + hertz / 700.0)

    step = (mel(8000.0) - mel(20.0)) / 81
    energies = []
    for bin_ in range(80):
        left, centre, right = (mel(20.0) + (bin_ + k) * step for k in range(3))
        total = 0.0
        for i in range(256):
            place = mel(i * 16_000 / 512)
            if left < place <= centre:
                total += power[i] * (place - left) / (centre - left)
            elif centre < place < right:
                total += power[i] * (right - place) / (right - centre)
        energies.append(math.log(max(total, 1.1920929e-07)))
    return energies


def test_frames_are_kaldis() -> None:
    """Each frame is Kaldi's filter bank of the samples it covers, computed here from the definitions."""
    audio = np.random.default_rng(3).normal(0.0, 0.1, 16_000).astype(np.float32)
    frames = Features()(torch.from_numpy(audio)[None])[0].numpy()
    for number in (2, 17, 99):
        start = number * HOP - (WINDOW - HOP)
        wanted = kaldi_frame(audio[start : start + WINDOW])
        np.testing.assert_allclose(frames[number], wanted, atol=2e-3)


def test_steps_equal_whole() -> None:
    """Features of pieces are those of the whole, without look-ahead."""
    audio = torch.randn(2, HOP * 24, generator=torch.Generator().manual_seed(1)) * 0.1
    features = Features()
    verify_streaming(features, audio, features, (HOP, 2 * HOP, 8 * HOP), tolerance=1e-3)


def test_warping_moves_formants_and_keeps_the_edges() -> None:
    """A longer vocal tract moves every filter's centre one way, and no filter loses its frequencies."""
    plain, warped = mel_filters(), mel_filters(warp=1.15)
    axis = np.arange(257)
    centres = [(f * axis[:, None]).sum(0) / f.sum(0) for f in (plain, warped)]
    assert (centres[1][10:70] > centres[0][10:70]).all()
    assert warped.sum(0).min() > 0.0
