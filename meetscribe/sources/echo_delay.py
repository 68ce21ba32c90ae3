"""How late what the loudspeaker plays comes back through the microphone. Pure: sound in, a delay out.

The peak of the cross-correlation whose spectrum was made flat (Knapp and Carter 1976, PHAT), averaged over seconds.
A delay counts when several looks in a row agree: a voice that is not the loudspeaker's has no steady peak.
"""

import numpy as np
from numpy.typing import NDArray

from meetscribe.timeline import SAMPLE_RATE

WINDOW = 32_768  # samples of a look, 2 s
HOP = SAMPLE_RATE // 2  # samples between looks
EARLIEST, LATEST = -SAMPLE_RATE // 20, SAMPLE_RATE  # the delays that are looked for, in samples
AGREE = 32  # samples by which looks may differ and still agree
LOOKS = 3  # that must agree
KEEP = 0.8  # of the average from look to look
CLEAR = 8.0  # how much the peak must stand out of the rest (standard deviations)
SILENCE = 1e-4  # what is played more softly makes no echo


class DelayFinder:
    """Finds the delay, in samples at 16 kHz; `delay` is None until it is known."""

    def __init__(self) -> None:
        self.delay: int | None = None
        self._heard = np.zeros(WINDOW, np.float32)
        self._played = np.zeros(WINDOW, np.float32)
        self._new = 0
        self._average = np.zeros(WINDOW + 1, np.complex64)
        self._seen: list[int] = []

    def feed(self, heard: NDArray[np.float32], played: NDArray[np.float32]) -> None:
        """Take as much of both, of the same time, at most half a second."""
        self._heard = np.concatenate([self._heard[len(heard) :], heard])
        self._played = np.concatenate([self._played[len(played) :], played])
        self._new += len(heard)
        if self._new >= HOP:
            self._new = 0
            self._look()

    def _look(self) -> None:
        early = self._played[: WINDOW - LATEST]  # its echo, however late, was heard within the window
        if np.abs(early[-HOP:]).max() < SILENCE:
            return
        product = np.fft.rfft(self._heard, 2 * WINDOW) * np.fft.rfft(early, 2 * WINDOW).conj()
        flat = product / (np.abs(product) + 1e-12)
        self._average = (KEEP * self._average + (1 - KEEP) * flat).astype(np.complex64)
        correlation = np.fft.irfft(self._average)
        looked = np.concatenate([correlation[EARLIEST:], correlation[:LATEST]])
        peak = int(np.argmax(np.abs(looked)))
        if abs(looked[peak]) < CLEAR * looked.std():
            self._seen.clear()
            return
        self._seen = [*self._seen[-LOOKS + 1 :], peak + EARLIEST]
        if len(self._seen) == LOOKS and max(self._seen) - min(self._seen) <= AGREE:
            self.delay = sorted(self._seen)[LOOKS // 2]
