"""What the transcriber asks of the network, and what it is given: shapes only, no torch.

Whoever runs the steps (`meetscribe.engine`) may stack those of many streams into one batch.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP_SAMPLES = 640
"""Samples of audio behind one row of a table: 40 ms."""


@dataclass(frozen=True, eq=False)
class StreamStep:
    """Advance a stream by one chunk: float32 [samples of a chunk]; `state` is None at the stream's start."""

    audio: NDArray[np.float32]
    state: Any


@dataclass(frozen=True, eq=False)
class WholeStep:
    """Score a finished piece at once, every step seeing all of it: float32 [samples]."""

    audio: NDArray[np.float32]


StepRequest = StreamStep | WholeStep


@dataclass(frozen=True, eq=False)
class StepResult:
    """Natural log probabilities, float32 [steps, previous symbol, next symbol], and the stream's next state."""

    scores: NDArray[np.float32]
    state: Any = None
