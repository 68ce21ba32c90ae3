"""Sound of any rate, piece by piece, to 16 kHz; and stretched by a few millionths where two clocks must agree.

What comes at a lower rate (a telephone's 8 kHz) has nothing above half of it, and resampling leaves nothing there. No
recording of a room is so empty, and a recogniser hears no word in it: a faint noise fills it, the same for the same
sound.
"""

import numpy as np
import soxr
from numpy.typing import NDArray

from meetscribe.timeline import SAMPLE_RATE

MOST_STRETCH = 1e-3  # more than any sound card's clock is off
FAINT = 2e-4
"""Standard deviation of the noise in what came at a lower rate than 16 kHz: -74 dBFS (`docs/log.md`, 2026-11-25)."""


class Resampler:
    """Gives [n, channels] at 16 kHz for [m, channels] at `rate`; `steered`: `stretch` may be changed."""

    def __init__(self, rate: int, channels: int, *, steered: bool = False) -> None:
        self._channels = channels
        self._stages: list[soxr.ResampleStream] = []
        self._steered: soxr.ResampleStream | None = None
        self._noise = np.random.default_rng(0) if rate < SAMPLE_RATE else None
        if rate != SAMPLE_RATE:
            self._stages.append(soxr.ResampleStream(rate, SAMPLE_RATE, channels, dtype="float32"))
        if steered:  # at 16 kHz, where the variable rate costs least
            most = SAMPLE_RATE * (1 + 2 * MOST_STRETCH)  # the greatest ratio that will be asked for
            self._steered = soxr.ResampleStream(most, SAMPLE_RATE, channels, dtype="float32", vr=True)
            self._steered.set_io_ratio(SAMPLE_RATE, SAMPLE_RATE, 0)
            self._stages.append(self._steered)

    def __call__(self, samples: NDArray[np.float32], *, last: bool = False) -> NDArray[np.float32]:
        """Return what is ready; with `last` all of it, and nothing may follow."""
        for stage in self._stages:
            given = np.ascontiguousarray(samples)
            samples = stage.resample_chunk(given, last=last).reshape(-1, self._channels)
        if self._noise is not None:
            noise = self._noise.standard_normal(samples.shape, dtype=np.float32)
            samples = (samples + FAINT * noise).astype(np.float32)
        return samples

    def finish(self) -> NDArray[np.float32]:
        """Return what is left of the sound so far."""
        return self(np.zeros((0, self._channels), np.float32), last=True)

    def steer(self, stretch: float) -> None:
        """Give `1 + stretch` times as many samples from now on; at most `MOST_STRETCH` either way."""
        if self._steered is not None:
            within = min(max(stretch, -MOST_STRETCH), MOST_STRETCH)
            self._steered.set_io_ratio(SAMPLE_RATE / (1 + within), SAMPLE_RATE, 0)
