import numpy as np
import pytest
import torch

from meetscribe.nn.features import MEL_BINS, SAMPLE_RATE
from meetscribe.nn.periodicity import (
    BANDS,
    CUES,
    HIGHEST_PITCH,
    LOWEST_PITCH,
    PERIODS,
    STRIDE,
    Periodicity,
    band_centres,
    mel_shares,
)
from meetscribe.testing import verify_streaming


def voice(pitch: float, seconds: float, low: float = 0.0, high: float = 4_000.0) -> np.ndarray:
    """Return the harmonics of a pitch between two frequencies, all equally loud."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    harmonics = [n * pitch for n in range(1, 100) if low <= n * pitch <= high]
    phases = np.random.default_rng(1).uniform(0, 2 * np.pi, len(harmonics))
    waves = [0.02 * np.sin(2 * np.pi * f * time + p) for f, p in zip(harmonics, phases, strict=True)]
    return np.sum(waves, axis=0)


def bands_of(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return cosine and envelope part of each band and period after 0.2 s, (BANDS, PERIODS) each."""
    cues = Periodicity()(torch.from_numpy(audio[None].astype(np.float32)))[0, 10]
    periodicity = cues[: BANDS * 2 * PERIODS].reshape(BANDS, 2, PERIODS).numpy()
    return periodicity[:, 0], periodicity[:, 1]


def period_index(pitch: float) -> int:
    return int(np.abs(np.log(np.geomspace(HIGHEST_PITCH, LOWEST_PITCH, PERIODS) / pitch)).argmin())


def test_pieces_equal_the_whole() -> None:
    """Cues come step by step as from the whole recording, and nothing later is heard."""
    audio = torch.randn(2, STRIDE * 12, generator=torch.Generator().manual_seed(1)) * 0.1
    module = Periodicity()
    assert module(audio).shape == (2, 12, CUES)
    verify_streaming(module, audio, module, [STRIDE, 4 * STRIDE], 1e-3)


@pytest.mark.parametrize("pitch", [95.0, 140.0, 220.0])
def test_high_bands_beat_with_the_pitch(pitch: float) -> None:
    """In bands that hold several harmonics the envelope part is greatest near the pitch's period."""
    _, envelope = bands_of(voice(pitch, 0.3))
    near = period_index(pitch)
    for band in np.flatnonzero((band_centres() > 1_200) & (band_centres() < 3_000)):
        rival = envelope[band, : near - 4].max(initial=-1.0)
        assert envelope[band, near - 1 : near + 2].max() > rival


def test_two_voices_are_told_apart_by_band() -> None:
    """Where each of two voices has its own range, each band shows the period of the voice that is there."""
    low, high = voice(110.0, 0.3, high=1_200.0), voice(190.0, 0.3, low=1_800.0)
    _, envelope = bands_of(low + high)
    bands = band_centres()
    for band in np.flatnonzero((bands > 500) & (bands < 800)):
        assert envelope[band, period_index(110.0)] > envelope[band, period_index(190.0)]
    for band in np.flatnonzero((bands > 2_500) & (bands < 3_300)):
        assert envelope[band, period_index(190.0)] > envelope[band, period_index(110.0)]


def test_loudness_does_not_matter() -> None:
    """The periodicity of a voice 20 dB louder is the same, as far as both are above silence."""
    quiet, loud = (bands_of(voice(150.0, 0.3) * gain)[0][5:12] for gain in (1.0, 10.0))
    np.testing.assert_allclose(quiet, loud, atol=0.1)


def test_every_mel_bin_hears_its_bands() -> None:
    """Each mel bin takes its periodicity from the one or two bands around it, in shares that add up to one."""
    shares = mel_shares()
    assert shares.shape == (MEL_BINS, BANDS)
    np.testing.assert_allclose(shares.sum(1), 1.0, atol=1e-5)
    assert ((shares > 0).sum(1) <= 2).all()
