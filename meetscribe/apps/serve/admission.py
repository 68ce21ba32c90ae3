"""How many meetings this machine carries: from its measured speed, not from a guess. Pure, but for `measure`.

Not covered: how many clients may connect (`limits.py`).
"""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meetscribe.session.ports import Recognition
from meetscribe.timeline import SAMPLE_RATE, to_seconds

USED = 0.8
"""Share of the machine's time that meetings may need; the rest is for finals, which come in bursts, and for
everything else."""

MOST_LAG = 10 * SAMPLE_RATE
"""A meeting that is so far behind shows that there is no room for another, whatever was measured."""


@dataclass(frozen=True)
class Admission:
    """The rule.

    Attributes:
        factor: seconds of work per second of one stream's audio, as measured; None: not known yet, one may come.
        most: streams at once, however fast the machine is.
    """

    factor: float | None
    most: int = 64

    @property
    def streams(self) -> int:
        """Return how many streams are carried at once, at least one."""
        if self.factor is None:
            return 1
        return max(1, min(self.most, int(USED / max(self.factor, 1e-6))))

    def refusal(self, running: int, more: int, lag: int) -> str | None:
        """Return why `more` streams cannot come to those that run, None where they can; `lag` is the worst one's."""
        if running and lag > MOST_LAG:
            return f"the transcript is {to_seconds(lag):.0f} s behind already; try again later"
        if running and running + more > self.streams:
            needed = (
                "its speed is being measured"
                if self.factor is None
                else f"each needs {self.factor:.2f} of its time"
            )
            return f"this machine carries {self.streams} audio channels at once ({needed}); try again later"
        return None


async def measure(recognition: Recognition, samples: NDArray[np.float32]) -> float:
    """Return the seconds of work per second of audio: mono samples, at least a second of them.

    The first second is not counted: the first steps of a process compile, and fill caches.
    """
    stream = await recognition.open(0, "measurement")
    try:
        await stream.feed(samples[:SAMPLE_RATE])
        began, before = time.perf_counter(), stream.heard
        await stream.feed(samples[SAMPLE_RATE:])
        await stream.finish()
        async for _ in stream.events():
            pass
        return (time.perf_counter() - began) * SAMPLE_RATE / max(len(samples) - before, 1)
    finally:
        stream.close()
