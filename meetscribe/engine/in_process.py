"""The network in the caller's own process: for recordings, where nothing is lost if it dies with the rest.

Audio is transcribed while it is fed, in a thread beside the event loop, one stream at a time: what a stream says
depends on its samples alone, and `feed` waits until they are transcribed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from meetscribe.engine.shift import shifted
from meetscribe.events import Event
from meetscribe.lm.wording import USUAL, Wording


class StepEngine(Protocol):
    """Who runs the network's steps."""

    def run(self, requests: Sequence[Any]) -> Sequence[Any]:
        """Return the results of the steps, in their order."""
        ...


class StreamTranscriber(Protocol):
    """The transcriber of one stream, as `session.ports.Transcriber` describes it."""

    def receive_audio(self, samples: NDArray[np.float32]) -> None:
        """Take mono samples at 16 kHz."""
        ...

    def receive_eof(self) -> None:
        """Take notice that no more audio comes."""
        ...

    def requests(self) -> Sequence[Any]:
        """Return the steps of the network that can run now."""
        ...

    def receive_result(self, result: Any) -> None:
        """Take the result of one step."""
        ...

    def events(self) -> Sequence[Event]:
        """Return the events since the last call."""
        ...


NewTranscriber = Callable[..., StreamTranscriber]
"""Makes a stream's transcriber; given `wording=` where that is not the usual one."""


def transcriber_for(new_transcriber: NewTranscriber, wording: Wording) -> StreamTranscriber:
    """Return a transcriber that writes in a certain way."""
    return new_transcriber() if wording == USUAL else new_transcriber(wording=wording)


class InProcessRecognition:
    """Transcribes streams in a thread of this process."""

    def __init__(self, engine: StepEngine, new_transcriber: NewTranscriber, wording: Wording = USUAL) -> None:
        self._engine, self._new_transcriber, self._wording = engine, new_transcriber, wording
        self._turn = asyncio.Lock()
        # Always the same thread: each that runs the network keeps memory of its own for tensors of every size.
        self._thread = ThreadPoolExecutor(1, "network")

    def worded(self, wording: Wording) -> "InProcessRecognition":
        """Return the same recognition for a meeting whose text is to be like this."""
        other = InProcessRecognition(self._engine, self._new_transcriber, wording)
        other._turn, other._thread = self._turn, self._thread
        return other

    async def open(self, start: int = 0, label: str = "") -> "InProcessStream":
        """Begin a stream whose first sample has the meeting time `start`."""
        del label  # only a worker process names its streams in messages
        transcriber = transcriber_for(self._new_transcriber, self._wording)
        return InProcessStream(self._engine, transcriber, start, self._turn, self._thread)

    async def close(self) -> None:
        """Nothing is open."""


class InProcessStream:
    """One stream; see `session.ports.RecognitionStream`."""

    def __init__(
        self,
        engine: StepEngine,
        transcriber: StreamTranscriber,
        start: int,
        turn: asyncio.Lock,
        thread: Executor,
    ) -> None:
        self._engine, self._transcriber, self._start = engine, transcriber, start
        self._turn, self._thread = turn, thread
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self.heard = 0

    async def feed(self, samples: NDArray[np.float32]) -> None:
        """Transcribe further samples."""
        async with self._turn:
            self._transcriber.receive_audio(samples)
            await self._think()
            self.heard += len(samples)

    async def finish(self) -> None:
        """Transcribe the rest."""
        async with self._turn:
            self._transcriber.receive_eof()
            await self._think()
        self._events.put_nowait(None)

    async def events(self) -> AsyncIterator[Event]:
        """Give the events; ends after `finish`."""
        while (event := await self._events.get()) is not None:
            yield event

    def close(self) -> None:
        """Give the stream up."""
        self._events.put_nowait(None)

    async def _think(self) -> None:
        while requests := self._transcriber.requests():
            run = asyncio.get_running_loop().run_in_executor(self._thread, self._engine.run, requests)
            for result in await run:
                self._transcriber.receive_result(result)
        for event in self._transcriber.events():
            self._events.put_nowait(shifted(event, self._start))
