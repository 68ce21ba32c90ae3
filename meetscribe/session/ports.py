"""What a session needs from outside: where audio comes from, who thinks, and where events go.

Protocols only. A source gives blocks in order of position; a jump in position is audio that is missing.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Event


@dataclass(frozen=True, eq=False)
class Block:
    """Audio from `position` (samples at 16 kHz from the start): float32 [samples, channels] within ±1."""

    position: int
    samples: NDArray[np.float32]


class AudioSource(Protocol):
    """Where audio comes from; `length` is the number of samples at 16 kHz, None where nobody knows it."""

    @property
    def name(self) -> str:
        """Return what people call the source."""
        ...

    @property
    def length(self) -> int | None:
        """Return the number of samples at 16 kHz, None where it is not known."""
        ...

    def blocks(self) -> AsyncIterator[Block]:
        """Give the audio, block by block.

        Raises:
            MeetscribeError: the audio ends in an error; what came before is good.
        """
        ...


class EventSink(Protocol):
    """Where events go."""

    async def emit(self, event: Event) -> None:
        """Take one event."""
        ...

    async def close(self) -> None:
        """Finish; no event comes after this."""
        ...


class Transcriber(Protocol):
    """The pure core: takes audio, asks for steps of the network, gives events that are not numbered yet."""

    def receive_audio(self, samples: NDArray[np.float32]) -> None:
        """Take mono samples at 16 kHz."""
        ...

    def receive_eof(self) -> None:
        """Take notice that no more audio comes."""
        ...

    def requests(self) -> Sequence[Any]:
        """Return the steps of the network that can run now; empty when more audio is needed."""
        ...

    def receive_result(self, result: Any) -> None:
        """Take the result of one step."""
        ...

    def events(self) -> Sequence[Event]:
        """Return the events since the last call."""
        ...


class Engine(Protocol):
    """Who runs the network."""

    def run(self, requests: Sequence[Any]) -> Sequence[Any]:
        """Return the results of the steps, in their order."""
        ...
