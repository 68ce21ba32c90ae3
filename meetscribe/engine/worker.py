"""The network in a process of its own: it may die, hang or run out of memory, and is started again.

One worker serves any number of streams, whose steps share its batches. Audio on its way to the worker is bounded:
`feed` waits while a stream has more than `WINDOW` unheard. A worker that gives no answer hangs, unless it is a
processor that it waits for (`scheduling.py`). Importing this does not import torch.
"""

import asyncio
import atexit
import contextlib
import itertools
import multiprocessing
import socket
import time
from collections.abc import AsyncIterator
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meetscribe.engine.framing import (
    Audio,
    Drop,
    Failed,
    Finish,
    Open,
    Ready,
    Report,
    packed,
    read_message,
)
from meetscribe.engine.scheduling import seconds_kept_waiting
from meetscribe.engine.worker_process import OUT_OF_MEMORY, Load, serve
from meetscribe.errors import EngineLost, MeetscribeError, MissingError
from meetscribe.events import Event
from meetscribe.lm.wording import USUAL, Wording
from meetscribe.timeline import SAMPLE_RATE

WINDOW = 4 * SAMPLE_RATE
"""Samples of a stream that may be on their way."""

_LONGEST_BACKOFF = 30.0  # seconds between two starts
_STEADY = 60.0  # a worker that ran for so many seconds was well


class WorkerRecognition:
    """Transcribes streams in a worker process.

    Args:
        load: loads the model, in the worker; a function that can be imported there.
        model: the model's directory.
        patience: seconds without an answer after which the worker counts as hung.
        starting: seconds that loading the model may take.
    """

    def __init__(self, load: Load, model: Path, patience: float = 30.0, starting: float = 300.0) -> None:
        self._load, self._model = load, model
        self._patience, self._starting = patience, starting
        self._worker: _Worker | None = None
        self._lock = asyncio.Lock()
        self._losses = 0
        self._began = self._not_before = 0.0

    @property
    def process_id(self) -> int | None:
        """Return the worker's process id, None where none runs."""
        return None if self._worker is None else self._worker.process.pid

    def worded(self, wording: Wording) -> "WordedRecognition":
        """Return the same recognition for a meeting whose text is to be like this."""
        return WordedRecognition(self, wording)

    async def open(self, start: int = 0, label: str = "", wording: Wording = USUAL) -> "WorkerStream":
        """Begin a stream; starts the worker if there is none, after a pause that grows if it keeps on dying.

        Raises:
            EngineLost: the worker ended while it started.
            MeetscribeError: the model cannot be loaded.
        """
        async with self._lock:
            if self._worker is None or self._worker.lost is not None:
                await self._start()
            assert self._worker is not None
            return self._worker.open(start, label, wording)

    async def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            await self._worker.end()
            self._worker = None

    async def _start(self) -> None:
        if self._worker is not None:
            self._count_loss(time.monotonic() - self._began)
            await self._worker.end()
            self._worker = None
        await asyncio.sleep(max(0.0, self._not_before - time.monotonic()))
        worker = await _Worker.launched(self._load, self._model, self._patience)
        try:
            await worker.is_ready(self._starting)
        except BaseException as error:
            if isinstance(error, MeetscribeError):
                self._count_loss(0.0)
            await worker.end()
            raise
        self._worker, self._began = worker, time.monotonic()

    def _count_loss(self, ran: float) -> None:
        """Choose when to start again, after a worker that ran for so many seconds."""
        self._losses = 1 if ran > _STEADY else self._losses + 1
        pause = min(0.25 * 2 ** min(self._losses - 1, 10), _LONGEST_BACKOFF)
        self._not_before = time.monotonic() + pause


class WordedRecognition:
    """A worker's recognition for one meeting; closing it closes the worker."""

    def __init__(self, shared: WorkerRecognition, wording: Wording) -> None:
        self._shared, self._wording = shared, wording

    def worded(self, wording: Wording) -> "WordedRecognition":
        """Return the same recognition for a meeting whose text is to be like this."""
        return WordedRecognition(self._shared, wording)

    async def open(self, start: int = 0, label: str = "") -> "WorkerStream":
        """Begin a stream, as `WorkerRecognition` does."""
        return await self._shared.open(start, label, self._wording)

    async def close(self) -> None:
        """End the worker."""
        await self._shared.close()


class _Worker:
    """One worker process, from its launch to its end; `lost` says why it is not there any more."""

    def __init__(
        self,
        process: SpawnProcess,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        patience: float,
    ) -> None:
        self.process, self._reader, self._writer, self._patience = process, reader, writer, patience
        self.lost: EngineLost | None = None
        self._streams: dict[int, WorkerStream] = {}
        self._numbers = itertools.count()
        self._answered = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def launched(cls, load: Load, model: Path, patience: float) -> "_Worker":
        """Return a worker that begins to load its model."""
        ours, theirs = socket.socketpair()
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=serve, args=(theirs, load, model), name="engine", daemon=True)
        try:
            await asyncio.to_thread(process.start)
        except OSError as error:
            ours.close()
            raise EngineLost(f"the engine cannot be started ({error})") from error
        finally:
            theirs.close()
        _running.add(process)
        ours.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(process, reader, writer, patience)

    async def is_ready(self, seconds: float) -> None:
        """Wait until the model is loaded.

        Raises:
            EngineLost: the worker ended, or took too long.
            MeetscribeError: the model cannot be loaded.
        """
        try:
            answer = await asyncio.wait_for(read_message(self._reader), seconds)
        except TimeoutError:
            raise EngineLost(f"the engine was not ready after {seconds:.0f} s") from None
        except (EOFError, ConnectionError) as error:
            raise EngineLost(await self._obituary()) from error
        if isinstance(answer, Failed):
            raise MissingError(answer.sentence) if answer.lasting else EngineLost(answer.sentence)
        assert isinstance(answer, Ready)
        self._tasks = [
            asyncio.create_task(self._listen(), name="engine's answers"),
            asyncio.create_task(self._watch(), name="engine's watchdog"),
        ]

    def open(self, start: int, label: str, wording: Wording) -> "WorkerStream":
        """Begin a stream."""
        number = next(self._numbers)
        self._streams[number] = stream = WorkerStream(self, number, label)
        self.send(Open(number, start, wording))
        return stream

    def send(self, message: Any) -> None:
        """Send a message; `drained` waits until there is room for more."""
        if self.lost is None:
            if not self._awaited:
                self._answered = time.monotonic()  # the worker was idle until now
            self._writer.write(packed(message))

    async def drained(self) -> None:
        """Wait until there is room for more messages."""
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    def forget(self, stream: int) -> None:
        """Drop a stream."""
        if self._streams.pop(stream, None) is not None:
            self.send(Drop(stream))

    async def end(self) -> None:
        """End the process, whatever it does."""
        self._lose(EngineLost("the engine was ended"))
        for task in self._tasks:
            task.cancel()
        self._writer.close()
        self.process.kill()
        await asyncio.to_thread(self.process.join)
        _running.discard(self.process)

    @property
    def _awaited(self) -> bool:
        return any(stream.is_awaited for stream in self._streams.values())

    async def _listen(self) -> None:
        """Hand on what the worker says, until it is gone."""
        while True:
            try:
                message = await read_message(self._reader)
            except (EOFError, ConnectionError):
                self._lose(EngineLost(await self._obituary()))
                return
            self._answered = time.monotonic()
            if isinstance(message, Failed):
                self._lose(EngineLost(f"the engine failed: {message.sentence}"))
                return
            assert isinstance(message, Report)
            stream = self._streams.get(message.stream)
            if stream is not None:
                stream.receive(message)
            if message.ended:
                self._streams.pop(message.stream, None)

    async def _watch(self) -> None:
        """Kill a worker that has work and a processor, and gives no answer."""
        looked, waited = time.monotonic(), self._kept_waiting()
        answered, starved = self._answered, 0.0
        while self.lost is None:
            await asyncio.sleep(min(1.0, self._patience / 4))
            before, looked = looked, time.monotonic()
            waited_before, waited = waited, self._kept_waiting()
            if answered != self._answered:
                answered, starved = self._answered, 0.0
            else:
                starved += min(waited - waited_before, looked - before)
            if self._awaited and looked - answered - starved > self._patience:
                self._lose(EngineLost(f"the engine gave no answer for {self._patience:.0f} s"))
                self.process.kill()

    def _kept_waiting(self) -> float:
        return 0.0 if self.process.pid is None else seconds_kept_waiting(self.process.pid)

    async def _obituary(self) -> str:
        """Return why the process ended."""
        await asyncio.to_thread(self.process.join, 5.0)
        code = self.process.exitcode
        if code == OUT_OF_MEMORY:
            return "the engine had no memory left"
        if code is not None and code < 0:
            return f"the engine was killed (signal {-code})"
        return f"the engine ended (code {code})"

    def _lose(self, error: EngineLost) -> None:
        if self.lost is None:
            self.lost = error
            for stream in self._streams.values():
                stream.lose(error)
            self._streams = {}


class WorkerStream:
    """One stream of a worker; see `session.ports.RecognitionStream`."""

    def __init__(self, worker: _Worker, number: int, label: str) -> None:
        self.label = label
        self.heard = 0
        self._worker, self._number = worker, number
        self._sent = 0
        self._is_finishing = False
        self._said: asyncio.Queue[Event | EngineLost | None] = asyncio.Queue()
        self._moved = asyncio.Event()
        self._lost: EngineLost | None = None

    @property
    def is_awaited(self) -> bool:
        """Say whether the worker owes an answer."""
        return self._sent > self.heard or self._is_finishing

    async def feed(self, samples: NDArray[np.float32]) -> None:
        """Send further samples; waits while too many are on their way."""
        while self._lost is None and self._sent - self.heard >= WINDOW:
            self._moved.clear()
            await self._moved.wait()
        self._check()
        self._worker.send(Audio(self._number, samples))
        self._sent += len(samples)
        await self._worker.drained()

    async def finish(self) -> None:
        """Say that no more audio comes."""
        self._check()
        self._worker.send(Finish(self._number))
        self._is_finishing = True

    async def events(self) -> AsyncIterator[Event]:
        """Give the events, in meeting time."""
        while (said := await self._said.get()) is not None:
            if isinstance(said, EngineLost):
                raise said
            yield said

    def close(self) -> None:
        """Give the stream up."""
        self._worker.forget(self._number)
        self._said.put_nowait(None)

    def receive(self, report: Report) -> None:
        """Take what the worker says of this stream."""
        self.heard = report.heard
        for event in report.events:
            self._said.put_nowait(event)
        if report.ended:
            self._is_finishing = False
            self._said.put_nowait(None)
        self._moved.set()

    def lose(self, error: EngineLost) -> None:
        """Take notice that the worker is gone."""
        self._lost = error
        self._said.put_nowait(error)
        self._moved.set()

    def _check(self) -> None:
        if self._lost is not None:
            raise self._lost


_running: set[SpawnProcess] = set()


@atexit.register
def _end_all() -> None:
    """End workers that nobody ended: they leave signals to their parent, who is going now."""
    for process in _running:
        process.kill()
