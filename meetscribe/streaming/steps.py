"""What the transcriber asks of the network, and what it is given: shapes only, no torch.

Whoever runs the steps (`meetscribe.engine`) may stack those of many streams into one batch.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP_SAMPLES = 640
"""Samples of audio behind one row of a table: 40 ms."""

STEP_FRAMES = 4
"""Frames of features behind one row of a table."""


@dataclass(frozen=True, eq=False)
class StreamStep:
    """Advance a stream by one chunk: float32 [samples of a chunk]; `state` is None at the stream's start."""

    audio: NDArray[np.float32]
    state: Any


@dataclass(frozen=True, eq=False)
class WholeStep:
    """Score a finished piece of one slot at once, every step seeing all of it: features, float32 [4 T, F]."""

    features: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class VoiceStep:
    """Tell whose voice is in finished words of one slot: features, float32 [4 T, F]."""

    features: NDArray[np.float32]


StepRequest = StreamStep | WholeStep | VoiceStep


@dataclass(frozen=True, eq=False)
class StreamResult:
    """What the network says of a chunk, for each slot.

    Attributes:
        scores: natural log probabilities, float32 [C, T, V previous symbol, V next symbol].
        activity: probability that the slot's talker speaks, float32 [C, T].
        features: the slot's own features, which the final pass reads, float32 [C, 4 T, F].
        state: the stream's next state.
        voice: of the slot's talker, float32 [C, T, D]; None where nothing tells voices apart.
    """

    scores: NDArray[np.float32]
    activity: NDArray[np.float32]
    features: NDArray[np.float32]
    state: Any
    voice: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class WholeResult:
    """What the network says of a finished piece: log probabilities, float32 [T, V previous, V next]."""

    scores: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class VoiceResult:
    """The voice in finished words: a vector of unit length, float32 [E]."""

    voice: NDArray[np.float32]


StepResult = StreamResult | WholeResult | VoiceResult
