"""A server in the test's own event loop, with a recogniser that needs no model, and small clients of it."""

import asyncio
import contextlib
import functools
import json
import sys
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
import websockets
from fakes import LoudnessEngine, LoudnessTranscriber, speech

from meetscribe.apps.serve.access import Access
from meetscribe.apps.serve.admission import Admission
from meetscribe.apps.serve.app import Service, application
from meetscribe.apps.serve.archive import MemoryArchive
from meetscribe.apps.serve.compat.routes import VoskPort, compatible_routes
from meetscribe.apps.serve.hub import Hub
from meetscribe.apps.serve.limits import Limits
from meetscribe.apps.serve.server import listen, run
from meetscribe.apps.serve.voices import Separation
from meetscribe.engine.in_process import InProcessRecognition


def _complain(_, level, event):
    """Show warnings and errors, which pytest shows where a test fails."""
    if level in ("warning", "error"):
        print(event, file=sys.stderr)
    return ""


QUIET = structlog.wrap_logger(structlog.ReturnLogger(), processors=[_complain])
AUDIO = {"encoding": "pcm_s16le", "sample_rate": 16_000, "channels": 1}


class Running:
    """A server that runs."""

    def __init__(self, service, port, vosk_port, task):
        self.service, self.hub, self.port, self.vosk_port, self.task = (
            service,
            service.hub,
            port,
            vosk_port,
            task,
        )

    @property
    def url(self):
        return f"127.0.0.1:{self.port}"

    def connect(self, path="/ws/new", **options):
        return websockets.connect(f"ws://{self.url}{path}", **options)

    @asynccontextmanager
    async def client(self, path="/ws/new", **hello):
        """A client that has said hello; `answer` is what it was answered."""
        async with self.connect(path) as socket:
            client = Client(socket)
            await client.say(**({"type": "hello", "version": 1, "role": "listen", "after_seq": 0} | hello))
            client.answer = await client.hear()
            yield client


class Client:
    """A native client."""

    def __init__(self, socket):
        self.socket: Any = socket
        self.answer: Any = None

    async def say(self, **message):
        await self.socket.send(json.dumps(message))

    async def hear(self, *types):
        """Return the next message, of these types where some are named."""
        while True:
            message = json.loads(await asyncio.wait_for(self.socket.recv(), 20))
            if not types or message["type"] in types:
                return message

    async def rest(self):
        """Return all messages up to the close."""
        messages = []
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                messages.append(await self.hear())
        return messages

    async def closed(self):
        """Return the code with which the server closed the socket."""
        await self.rest()
        return self.socket.close_code

    async def speak(self, pattern):
        """Send a second of loud audio for every capital letter, silence for others."""
        for second in speech(pattern)[:, 0].reshape(-1, 16_000):
            await self.socket.send((second * 32767).astype("<i2").tobytes())

    async def stream(self, pattern, position=0):
        """Send the same with positions, in frames of 0.1 s, from a position on."""
        samples = (speech(pattern)[:, 0] * 32767).astype("<i2")
        for at in range(position, len(samples), 1600):
            await self.socket.send(at.to_bytes(8, "little") + samples[at : at + 1600].tobytes())


@asynccontextmanager
async def serving(  # noqa: PLR0913 - whatever a test wants to be different
    *,
    token=None,
    origins=(),
    limits=None,
    archive=None,
    recognition=None,
    port=0,
    tls=None,
    log=QUIET,
    beside=None,
    model="fake",
    separation=None,
):
    """Run a server."""
    recognition = recognition or InProcessRecognition(LoudnessEngine(), LoudnessTranscriber)
    hub = Hub(recognition, archive or MemoryArchive(), model, log)
    hub.admission = Admission(0.01)
    service = Service(
        hub, Access(token, origins), limits or Limits(grace=5.0), log, separation or Separation()
    )
    sockets = listen("127.0.0.1", [port, 0])
    port, vosk_port = (socket.getsockname()[1] for socket in sockets)
    app = VoskPort(application(service, compatible_routes(service)), service, vosk_port)
    ready = asyncio.Event()

    async def begin():
        ready.set()

    task = asyncio.create_task(run(service, sockets, app=app, tls=tls, begin=begin, beside=beside))
    await asyncio.wait_for(ready.wait(), 10)
    try:
        yield Running(service, port, vosk_port, task)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def asynchronous(test: Callable[..., Any]) -> Callable[..., None]:
    """Let an async test run in an event loop of its own, for half a minute at most."""

    def run(**fixtures):
        asyncio.run(asyncio.wait_for(test(**fixtures), 30))

    return functools.wraps(test)(run)
