"""How many listeners a meeting has room for, and how many meetings a machine: `meetscribe serve` on 127.0.0.1.

Listeners: a scripted meeting publishes as a lively one does (10 partials and 1 final per second); each listener is a
socket, read by processes of their own on the same machine; what counts is the time from the making of an event to its
arrival. Meetings: paced speech, one meeting more at a time, until the worst lag passes a second; with batching (one
worker for all) and without (a worker for each).

    python benchmarks/serve.py listeners --counts 10,100,300
    python benchmarks/serve.py meetings --most 8 [--model NAME]
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import structlog
import websockets

from meetscribe import events as ev
from meetscribe.apps.recogniser import load_recogniser
from meetscribe.apps.serve.access import Access
from meetscribe.apps.serve.app import Service, application
from meetscribe.apps.serve.archive import MemoryArchive
from meetscribe.apps.serve.hub import Hub
from meetscribe.apps.serve.limits import Limits
from meetscribe.apps.serve.server import listen, run
from meetscribe.engine.worker import WorkerRecognition
from meetscribe.models import find
from meetscribe.session.ports import Block
from meetscribe.session.session import MeetingSession
from meetscribe.sources.file import FileSource
from meetscribe.sources.lanes import ClientsSource
from meetscribe.sources.paced import PacedSource
from meetscribe.timeline import SAMPLE_RATE

_QUIET = structlog.wrap_logger(structlog.ReturnLogger(), processors=[lambda *_: ""])
_SPEECH = Path(__file__).parent.parent / "meetscribe" / "demo" / "recording.flac"


class NoRecognition:
    """Transcribes nothing."""

    async def open(self, start: int = 0, label: str = "") -> "NoRecognition":
        """Return a stream."""
        del start, label
        self.heard = 0
        return self

    async def feed(self, samples: np.ndarray) -> None:
        """Hear nothing in it."""
        self.heard += len(samples)

    async def finish(self) -> None:
        """Have nothing to say."""

    async def events(self):
        """Give nothing."""
        return
        yield

    def close(self) -> None:
        """End, as a stream."""


class Closable(NoRecognition):
    """The same, as an engine."""

    async def close(self) -> None:  # type: ignore[override]
        """Nothing is open."""


def watch(
    port: int, path: str, count: int, seconds: float, results: "multiprocessing.Queue[list[float]]"
) -> None:
    """Listen with `count` sockets, and report how long events were under way."""

    async def one(delays: list[float]) -> None:
        async with websockets.connect(f"ws://127.0.0.1:{port}{path}", compression=None) as socket:
            await socket.send(json.dumps({"type": "hello", "version": 1, "role": "listen", "after_seq": 0}))
            end = time.monotonic() + seconds
            async for message in socket:
                if '"made ' in message:
                    made = float(message.split('"made ', 1)[1].split('"', 1)[0])
                    delays.append(time.monotonic() - made)
                if time.monotonic() > end:
                    return

    async def many() -> list[float]:
        delays: list[float] = []
        await asyncio.gather(*(one(delays) for _ in range(count)), return_exceptions=True)
        return delays

    results.put(asyncio.run(many()))


def said(number: int) -> ev.Turn:
    """Return a turn that says when it was made (the clock is that of the machine, shared by processes)."""
    return ev.Turn(id=f"t{number}", slot=0, start=0, end=16_000, text=f"made {time.monotonic()}")


async def listeners(count: int, seconds: float, processes: int) -> dict[str, float]:
    """Measure one number of listeners."""
    hub = Hub(Closable(), MemoryArchive(), "none", _QUIET)
    limits = Limits(clients=count + 10, connections=count + 100, grace=1.0)
    service = Service(hub, Access(), limits, _QUIET)
    sockets = listen("127.0.0.1", [0])
    source = ClientsSource("none", 1)
    ready = asyncio.Event()

    async def begin() -> None:
        ready.set()

    serving = asyncio.create_task(run(service, sockets, app=application(service, []), tls=None, begin=begin))
    await ready.wait()
    meeting = hub.begin(source, "load")
    port, path = sockets[0].getsockname()[1], f"/ws/{meeting.id}"
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    shares = [count // processes + (part < count % processes) for part in range(processes)]
    watching = [
        context.Process(target=watch, args=(port, path, share, seconds, results)) for share in shares if share
    ]
    for process in watching:
        process.start()
    while meeting.listeners < count:
        await asyncio.sleep(0.05)
    used, began, number = time.process_time(), time.monotonic(), 0
    while time.monotonic() - began < seconds + 1:
        number += 1
        kind = (
            ev.Final(turn=said(number))
            if number % 11 == 0
            else ev.Partial(turn=said(number), revision=1, stable=0)
        )
        meeting.session.publish(kind)
        await asyncio.sleep(1 / 11)
    used = (time.process_time() - used) / (time.monotonic() - began)
    delays = [delay for _ in watching for delay in await asyncio.to_thread(results.get)]
    for process in watching:
        process.join()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    p50, p95 = np.percentile(delays, [50, 95]) if delays else (np.nan, np.nan)
    figures = {"listeners": count, "p50_ms": p50 * 1000, "p95_ms": p95 * 1000, "events": len(delays)}
    return figures | {"server_core_share": used}


class Repeated:
    """Speech without an end."""

    name, length, channels = "speech", None, 1

    def __init__(self) -> None:
        self._blocks = list(FileSource(_SPEECH).read())

    async def blocks(self):
        """Give the recording again and again."""
        position = 0
        while True:
            for block in self._blocks:
                yield Block(position, block.samples.mean(axis=1, keepdims=True))
                position += len(block.samples)
                await asyncio.sleep(0)


async def meetings(model: str | None, most: int, seconds: float, batched: bool) -> list[dict[str, float]]:
    """Measure lag with one meeting more at a time, until the worst passes a second."""
    path = find(model, ()).path
    engines = [WorkerRecognition(load_recogniser, path)]
    sessions: list[MeetingSession] = []
    tasks, rows = [], []
    try:
        for count in range(1, most + 1):
            if count > len(engines) and not batched:
                engines.append(WorkerRecognition(load_recogniser, path))
            stream = await engines[-1].open()  # the worker is ready, and its search compiled
            stream.close()
            start = ev.Session(session=f"m{count}", title="load", started="")
            sessions.append(MeetingSession(start, PacedSource(Repeated(), 1.0), engines[-1]))
            tasks.append(asyncio.create_task(sessions[-1].run()))
            await asyncio.sleep(seconds / 2)
            lags = []
            for _ in range(20):
                await asyncio.sleep(seconds / 40)
                lags.append(max(session.behind for session in sessions) / SAMPLE_RATE)
            rows.append({"meetings": count, "lag_p50_s": float(np.median(lags)), "lag_max_s": max(lags)})
            print(json.dumps({"batched": batched, **rows[-1]}), flush=True)
            if np.median(lags) > 1.0:
                break
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for engine in engines:
            await engine.close()
    return rows


def main() -> None:
    """Measure, and print a line of JSON for each number."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["listeners", "meetings"])
    parser.add_argument("--counts", default="10,100,300")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--most", type=int, default=8)
    parser.add_argument("--model", default=None)
    given = parser.parse_args()
    print(json.dumps({"cpus": os.cpu_count(), "load": os.getloadavg()[0]}), flush=True)
    if given.what == "listeners":
        for count in map(int, given.counts.split(",")):
            print(json.dumps(asyncio.run(listeners(count, given.seconds, given.processes))), flush=True)
    else:
        for batched in (True, False):
            asyncio.run(meetings(given.model, given.most, given.seconds, batched))


if __name__ == "__main__":
    main()
