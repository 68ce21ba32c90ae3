"""What a session needs from outside: where audio comes from, who thinks, where it is kept, and where events go.

Protocols, and the two values that a source gives. A source gives blocks in order of position; a jump in position is
audio that is missing.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import DurableEvent, Event, State
from meetscribe.lm.wording import Wording


@dataclass(frozen=True, eq=False)
class Block:
    """Audio from `position` (samples at 16 kHz from the start): float32 [samples, channels] within ±1."""

    position: int
    samples: NDArray[np.float32]


@dataclass(frozen=True)
class Hole:
    """One channel lacked sound from `start` to `end` while others had some; its samples are silence there."""

    channel: int
    start: int
    end: int
    reason: str


@dataclass(frozen=True)
class SourceState:
    """How a source is: listening, degraded or device_lost; it counts until the source gives another one.

    `holes` tells what was missing in some channels only, once it is known how long that was.
    """

    state: State
    reason: str | None = None
    holes: tuple[Hole, ...] = ()


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

    @property
    def channels(self) -> int:
        """Return how many channels its blocks have."""
        ...

    def blocks(self) -> AsyncIterator[Block | SourceState]:
        """Give the audio, block by block, and between blocks how the source is, where that changes.

        The reason of a source's last state is the reason of the gap that follows it.

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


class EventLog(Protocol):
    """Where the durable events of one meeting are kept."""

    def append(self, event: DurableEvent) -> None:
        """Keep the next event, numbered; it is safe when this returns."""
        ...

    def since(self, seq: int) -> Sequence[DurableEvent]:
        """Return the events with a higher number, in order."""
        ...

    def redact(self, turns: Collection[str]) -> None:
        """Empty the finals and corrections of these turns in place."""
        ...


class Recorder(Protocol):
    """Where the audio of one meeting is kept; its time line is the meeting's."""

    @property
    def length(self) -> int:
        """Return the position after the last sample."""
        ...

    @property
    def complaint(self) -> str | None:
        """Return what will soon be wrong (little space is left), None while all is well."""
        ...

    def write(self, block: Block) -> None:
        """Keep a block; what is missing before it becomes silence.

        Raises:
            RecordingError: it cannot be written now; a later block may be.
        """
        ...

    def erase(self, start: int, end: int) -> None:
        """Make all channels silent from `start` to `end`: the samples are gone when this returns.

        Raises:
            RecordingError: they are still there.
        """
        ...

    def read(self, channel: int, start: int, end: int) -> NDArray[np.float32]:
        """Return the samples of one channel; what was not kept is silence."""
        ...

    def read_marks(self) -> str | None:
        """Return what `write_marks` wrote last, also before this process began."""
        ...

    def write_marks(self, text: str) -> None:
        """Keep a short text beside the audio: how far it was transcribed."""
        ...

    def close(self) -> None:
        """Finish the recording."""
        ...


class RecognitionStream(Protocol):
    """The transcript of one channel (or of the mix of all) from one moment on."""

    @property
    def heard(self) -> int:
        """Return how many samples were transcribed so far."""
        ...

    async def feed(self, samples: NDArray[np.float32]) -> None:
        """Take further mono samples; waits while too many are on their way.

        Raises:
            EngineLost: they will never be transcribed, nor others of this stream that no event has told of.
        """
        ...

    async def finish(self) -> None:
        """Take notice that no more audio comes; the last events follow.

        Raises:
            EngineLost: as `feed` does.
        """
        ...

    def events(self) -> AsyncIterator[Event]:
        """Give the events, not numbered yet, in meeting time; ends after the last one.

        Raises:
            EngineLost: as `feed` does.
        """
        ...

    def close(self) -> None:
        """Give the stream up: what is under way is not needed."""
        ...


class Recognition(Protocol):
    """Who transcribes: one for any number of streams, which share the network's batches."""

    async def open(self, start: int = 0, label: str = "") -> RecognitionStream:
        """Begin a stream whose first sample has the meeting time `start`; starts what has to be started.

        Raises:
            EngineLost: it could not be started now; another attempt may succeed.
            MeetscribeError: it cannot be started at all.
        """
        ...

    async def close(self) -> None:
        """End everything."""
        ...


@runtime_checkable
class WordableRecognition(Recognition, Protocol):
    """Who can write each meeting's text as that meeting wants it."""

    def worded(self, wording: Wording) -> Recognition:
        """Return the same recognition for a meeting whose text is to be like this."""
        ...


def worded(recognition: Recognition, wording: Wording) -> Recognition:
    """Return the recognition for a meeting whose text is to be like this; who cannot is left as they are."""
    return recognition.worded(wording) if isinstance(recognition, WordableRecognition) else recognition


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
