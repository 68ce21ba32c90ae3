"""How loud every input is, heard for a moment: what a person looks at to find the microphone that works."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meetscribe.errors import MeetscribeError
from meetscribe.sources.capturing import AudioInput, Open, Stream

LISTEN = 0.5  # seconds that are heard
PATIENCE = 3.0  # seconds that an input may take to give its first sound
TICK = 0.05
SILENT = -120.0  # dBFS of digital silence


@dataclass(frozen=True)
class Level:
    """An input's level in dB below full scale; None where nothing was heard, and why."""

    input: AudioInput
    dbfs: float | None
    trouble: str | None = None


def decibel(samples: NDArray[np.float32]) -> float:
    """Return the root mean square of samples in dB below full scale, at least `SILENT`."""
    if not samples.size:
        return SILENT
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(SILENT, 10 * float(np.log10(power + 1e-30)))


class Meter:
    """Listens to one input."""

    def __init__(self, wanted: AudioInput, open_stream: Open) -> None:
        self.input = wanted
        self.trouble: str | None = None
        self.heard = 0.0  # seconds
        self._stream: Stream | None = None
        try:
            self._stream = open_stream(wanted)
        except MeetscribeError as error:
            self.trouble = str(error)

    def level(self) -> float | None:
        """Return the level of what came since the last call; None if nothing did."""
        if self._stream is None:
            return None
        pieces = self._stream.read()
        self.trouble = self._stream.problem()
        if not pieces:
            return None
        samples = np.concatenate([piece.samples for piece in pieces])
        self.heard += len(samples) / self.input.rate
        return decibel(np.nan_to_num(samples))

    def close(self) -> None:
        """Stop listening."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def measure(
    inputs: Sequence[AudioInput], open_stream: Open, sleep: Callable[[float], None] = time.sleep
) -> list[Level]:
    """Return the greatest level of every input within a moment, all heard at once."""
    loudest: dict[str, float] = {}
    with ExitStack() as stack:
        meters = [stack.enter_context(closing(Meter(wanted, open_stream))) for wanted in inputs]
        for _ in range(round(PATIENCE / TICK)):
            sleep(TICK)
            for meter in meters:
                level = meter.level()
                if level is not None:
                    loudest[meter.input.name] = max(level, loudest.get(meter.input.name, SILENT))
            if all(meter.heard >= LISTEN or meter.trouble for meter in meters):
                break
        return [
            Level(meter.input, loudest.get(meter.input.name), meter.trouble or _silent(meter))
            for meter in meters
        ]


def _silent(meter: Meter) -> str | None:
    return None if meter.heard else "it gives no sound"
