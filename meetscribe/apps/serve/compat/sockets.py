"""The WebSockets of vosk-server's and Deepgram's clients. Their audio is transcribed and forgotten."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from meetscribe.apps.serve.app import Service
from meetscribe.apps.serve.compat import deepgram, vosk
from meetscribe.apps.serve.compat.dictation import Dictation
from meetscribe.apps.serve.hub import FullError
from meetscribe.apps.serve.messages import INTERNAL, NORMAL, POLICY, PROTOCOL_ERROR, TRY_LATER
from meetscribe.apps.serve.outlet import Outlet
from meetscribe.errors import InputError, MeetscribeError
from meetscribe.events import Event
from meetscribe.session.ports import Block
from meetscribe.sources.websocket import ClientAudioError, ClientStream, client_stream

Endpoint = Callable[[WebSocket], Awaitable[None]]


def vosk_endpoint(service: Service) -> Endpoint:
    """Return the endpoint of `/vosk`."""

    async def endpoint(websocket: WebSocket) -> None:
        async with service.admitted(websocket, token_may_follow=False) as admitted:
            if admitted:
                await websocket.accept()
                outlet = service.outlet(websocket)
                await _served(_VoskClient(websocket, service, outlet).run, outlet)

    return endpoint


def deepgram_endpoint(service: Service) -> Endpoint:
    """Return the endpoint of `/v1/listen`."""

    async def endpoint(websocket: WebSocket) -> None:
        protocols = websocket.scope.get("subprotocols", [])
        by_protocol = len(protocols) == 2 and protocols[0] in ("token", "bearer")
        if by_protocol:  # how browsers say it to Deepgram
            value = f"Token {protocols[1]}".encode()
            websocket.scope["headers"] = [*websocket.scope["headers"], (b"authorization", value)]
        async with service.admitted(websocket, token_may_follow=False) as admitted:
            if not admitted:
                return
            request = secrets.token_hex(16)
            try:
                query = websocket.query_params
                terms = [*query.getlist("keyterm"), *query.getlist("keywords")]
                options = deepgram.options(query, terms)
            except InputError as error:
                body = {"err_code": "Bad Request", "err_msg": str(error), "request_id": request}
                await websocket.send_denial_response(JSONResponse(body, 400))
                return
            chosen = protocols[0] if by_protocol else None
            await websocket.accept(chosen, [(b"dg-request-id", request.encode())])
            outlet = service.outlet(websocket)
            await _served(_DeepgramClient(websocket, service, outlet, options, request).run, outlet)

    return endpoint


async def _served(run: Callable[[], Awaitable[None]], outlet: Outlet) -> None:
    """Serve a client to its end, with the close that an error means."""
    try:
        await run()
    except (WebSocketDisconnect, asyncio.CancelledError):
        outlet.closed.set()
    except FullError as error:
        await outlet.close(TRY_LATER, str(error))
    except (ClientAudioError, InputError) as error:
        await outlet.close(PROTOCOL_ERROR, str(error))
    except MeetscribeError as error:
        await outlet.close(INTERNAL, str(error))


@asynccontextmanager
async def _hearing(service: Service, channels: int) -> AsyncIterator[None]:
    """Count what is transcribed besides meetings, and refuse what is too much."""
    service.hub.reserve(channels)
    try:
        yield
    finally:
        service.hub.release(channels)


class _VoskClient:
    """One client of vosk-server: a reply for every message but the configuration."""

    def __init__(self, websocket: WebSocket, service: Service, outlet: Outlet) -> None:
        self._websocket, self._service, self._outlet = websocket, service, outlet
        self._replies = vosk.VoskReplies()
        self._dictation = Dictation(service.hub.worded(raw=True), self._replies.receive)
        self._stream: ClientStream | None = None

    async def run(self) -> None:
        """Serve the client until it says eof, or goes."""
        async with _hearing(self._service, 1):
            try:
                while True:
                    message = await self._websocket.receive()
                    if message["type"] == "websocket.disconnect":
                        return
                    if message.get("text") is None:
                        await self._hear(message.get("bytes") or b"")
                    elif not await self._obey(message["text"]):
                        return
            finally:
                self._dictation.close()

    async def _hear(self, audio: bytes) -> None:
        if self._stream is None:
            self._stream = client_stream("pcm_s16le", self._replies.config.sample_rate, 1)
        for block in self._stream.receive(audio[: len(audio) // 2 * 2]):
            await self._dictation.feed(np.ascontiguousarray(block.samples[:, 0]))
        await self._dictation.nearly_heard()
        await self._outlet.send_json(self._replies.reply())

    async def _obey(self, text: str) -> bool:
        """Do what a text message says; return whether the socket stays open."""
        match vosk.parse(text, self._replies.config):
            case vosk.Config() as config:
                self._replies.config = config
                return True
            case said:
                await self._finish()
                await self._outlet.send_json(self._replies.last())
                if isinstance(said, vosk.Reset):
                    return True
                await self._outlet.close(NORMAL, "eof")
                return False

    async def _finish(self) -> None:
        for block in self._stream.finish() if self._stream is not None else ():
            await self._dictation.feed(np.ascontiguousarray(block.samples[:, 0]))
        await self._dictation.flush()


class _DeepgramClient:
    """One client of Deepgram's live transcription."""

    def __init__(
        self,
        websocket: WebSocket,
        service: Service,
        outlet: Outlet,
        options: deepgram.Options,
        request: str,
    ) -> None:
        self._websocket, self._service, self._outlet, self._options = websocket, service, outlet, options
        self._messages = deepgram.DeepgramMessages(options, request, service.hub.model)
        count = options.channels if options.multichannel else 1
        recognition = service.hub.worded(options.hotwords, raw=not options.punctuate, digits=options.numerals)
        self._dictations = [
            Dictation(recognition, self._tell, channel if options.multichannel else None)
            for channel in range(count)
        ]
        self._stream = client_stream(options.encoding, options.sample_rate, options.channels)
        self._waiting: asyncio.Queue[Event | None] = asyncio.Queue()
        self._finalizing = self._answered = False

    def _tell(self, event: Event) -> None:
        self._waiting.put_nowait(event)

    async def run(self) -> None:
        """Serve the client until it says CloseStream, says nothing for too long, or goes."""
        created = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        sending = asyncio.create_task(self._send(), name="deepgram results")
        try:
            async with _hearing(self._service, len(self._dictations)):
                said_all = await self._read()
                if said_all:
                    await self._flush(self._stream.finish())
                    self._waiting.put_nowait(None)
                    await sending
                    duration = self._dictations[0].position
                    await self._outlet.send_json(self._messages.metadata(duration, created))
                    await self._outlet.close(NORMAL, "")
        finally:
            sending.cancel()
            for dictation in self._dictations:
                dictation.close()

    async def _read(self) -> bool:
        """Hear the client; return whether it wants to be told the rest."""
        while True:
            try:
                async with asyncio.timeout(deepgram.PATIENCE):
                    message = await self._websocket.receive()
            except TimeoutError:
                await self._outlet.close(INTERNAL, "NET-0001: no audio and no KeepAlive for 10 s")
                return False
            if message["type"] == "websocket.disconnect":
                return False
            if message.get("text") is None:
                await self._hear(message.get("bytes") or b"")
                continue
            control = deepgram.parse(message["text"])
            if control == "CloseStream":
                return True
            if control == "Finalize":
                await self._finalize()

    async def _hear(self, audio: bytes) -> None:
        if not audio:
            return
        try:
            blocks = self._stream.receive(audio)
        except ClientAudioError as error:
            await self._outlet.close(POLICY, f"DATA-0000: {error}")
            raise WebSocketDisconnect(POLICY) from error
        for block in blocks:
            await self._feed(block.samples)

    async def _feed(self, samples: NDArray[np.float32]) -> None:
        if self._options.multichannel:
            for channel, dictation in enumerate(self._dictations):
                await dictation.feed(np.ascontiguousarray(samples[:, channel]))
        else:
            await self._dictations[0].feed(samples.mean(axis=1, dtype=np.float32))

    async def _flush(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            await self._feed(block.samples)
        for dictation in self._dictations:
            await dictation.flush()

    async def _finalize(self) -> None:
        """Finish what was said, and mark what comes of it; something is always answered."""
        self._finalizing, self._answered = True, False
        await self._flush(self._stream.finish())
        while not self._waiting.empty():
            await asyncio.sleep(0.005)
        if not self._answered:
            await self._outlet.send_json(self._messages.finalized(self._dictations[0].position))
        self._finalizing = False

    async def _send(self) -> None:
        while (event := await self._waiting.get()) is not None:
            for message in self._messages.receive(event, from_finalize=self._finalizing):
                self._answered |= message.get("is_final", False)
                await self._outlet.send_json(message)
