"""OpenAI's endpoints: a file in, its transcript out, at once or as it comes; and the list of models."""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Message

from meetscribe.apps.serve.app import Service
from meetscribe.apps.serve.compat import openai
from meetscribe.errors import InputError
from meetscribe.events import DurableEvent, Final, Session
from meetscribe.session.session import MeetingSession, SessionSettings
from meetscribe.sources.file import FileSource

_WAITING = 8  # files that may wait for those that are transcribed
_COPIED = 1 << 20  # bytes that are copied at once
_MOST_FIELDS = 50


class _RefusedError(Exception):
    """The request is refused, in OpenAI's shape."""

    def __init__(self, status: int, message: str, code: str) -> None:
        super().__init__(message)
        kind = "server_error" if status >= 500 else "invalid_request_error"
        headers = {"retry-after": "10"} if status == 503 else None
        self.response = JSONResponse(openai.error(message, code, kind), status, headers)


def routes(service: Service) -> list[BaseRoute]:
    """Return the routes of `/v1/audio/transcriptions` and `/v1/models`."""
    endpoints = _Endpoints(service)
    return [
        Route("/v1/audio/transcriptions", endpoints.transcribe, methods=["POST"]),
        Route("/v1/models", endpoints.models),
        Route("/v1/models/{model:path}", endpoints.model),
        Route("/v1/{rest:path}", endpoints.unknown, methods=["GET", "POST", "DELETE"]),
    ]


class _Endpoints:
    def __init__(self, service: Service) -> None:
        self._service, self._created = service, round(time.time())
        self._places = asyncio.Semaphore(service.limits.uploads)
        self._here = 0

    async def models(self, request: Request) -> Response:
        """Answer with the model that is loaded."""
        del request
        return JSONResponse(openai.models(self._service.hub.model, self._created))

    async def model(self, request: Request) -> Response:
        """Answer with one model."""
        name = request.path_params["model"]
        if name != self._service.hub.model and name not in openai.ALIASES:
            return JSONResponse(openai.error(f"there is no model {name[:60]!r}", "model_not_found"), 404)
        return JSONResponse(openai.model(name, self._created))

    async def unknown(self, request: Request) -> Response:
        """Answer where OpenAI has something that is not here, in the shape that its clients read."""
        message = f"{request.url.path[:60]} is not offered here; transcriptions and models are"
        return JSONResponse(openai.error(message, "unknown_url"), 404)

    async def transcribe(self, request: Request) -> Response:
        """Answer with the transcript of a file."""
        if self._here >= self._service.limits.uploads + _WAITING:
            return _RefusedError(
                503, "too many files are being transcribed; try again later", "full"
            ).response
        with self._counted():
            try:
                wanted = await self._wanted(request)
                if wanted.stream:
                    return StreamingResponse(self._streamed(wanted), media_type="text/event-stream")
                with wanted.file:
                    return await self._whole(request, wanted)
            except _RefusedError as error:
                return error.response

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count a file while it is here."""
        self._here += 1
        try:
            yield
        finally:
            self._here -= 1

    async def _wanted(self, request: Request) -> "_Wanted":
        """Read the request, and put the file where it can be opened."""
        limit = self._service.limits.upload
        try:
            form = await Request(request.scope, _limited(request, limit)).form(max_fields=_MOST_FIELDS)
        except HTTPException as error:
            raise _RefusedError(error.status_code, str(error.detail), "bad_request") from error
        try:
            wanted = _Wanted.of(form)
            self._check(wanted)
            await wanted.store()
        finally:
            await form.close()
        return wanted

    def _check(self, wanted: "_Wanted") -> None:
        if wanted.model not in (self._service.hub.model, *openai.ALIASES, ""):
            there = self._service.hub.model
            message = f"there is no model {wanted.model[:60]!r}; this server has {there}"
            raise _RefusedError(404, message, "model_not_found")
        if wanted.form not in openai.FORMATS:
            known = ", ".join(openai.FORMATS)
            raise _RefusedError(
                400, f"response_format {wanted.form[:40]!r}: choose one of {known}", "bad_format"
            )
        for granularity in wanted.granularities:
            if granularity not in openai.GRANULARITIES:
                message = f"timestamp_granularities {granularity[:40]!r}: choose word, segment or both"
                raise _RefusedError(400, message, "bad_granularity")

    def _session(self, wanted: "_Wanted") -> MeetingSession:
        source = FileSource(Path(wanted.path))
        start = Session(session="file", title=wanted.name, started="", model=self._service.hub.model)
        hub, settings = self._service.hub, SessionSettings(patient=True)
        return MeetingSession(start, source, hub.worded(), (), settings, speakers=hub.speakers())

    async def _whole(self, request: Request, wanted: "_Wanted") -> Response:
        async with self._places:
            try:
                session = self._session(wanted)
            except InputError as error:
                raise _RefusedError(400, wanted.explained(error), "invalid_audio") from error
            running = asyncio.create_task(session.run(), name="a file")
            try:
                while not running.done():
                    await asyncio.wait({running}, timeout=1.0)
                    if await request.is_disconnected():
                        raise _RefusedError(499, "the client is gone", "gone")
                log = running.result()
            except InputError as error:
                raise _RefusedError(400, wanted.explained(error), "invalid_audio") from error
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
        body, kind = await asyncio.to_thread(openai.answer, log, wanted.form, wanted.granularities)
        return Response(body, media_type=kind)

    async def _streamed(self, wanted: "_Wanted") -> AsyncIterator[str]:
        """Give the server-sent events of a file, which counts as long as that lasts."""
        with wanted.file, self._counted():
            async with self._places:
                try:
                    session = self._session(wanted)
                except InputError as error:
                    yield _event({"type": "error", **openai.error(wanted.explained(error), "invalid_audio")})
                    return
                running = asyncio.create_task(session.run(), name="a file")
                number = 0
                try:
                    async for event in session.subscribe():
                        if isinstance(event, DurableEvent):
                            number += isinstance(event, Final) and bool(event.turn.text)
                            diarized = wanted.form == "diarized_json"
                            for said in openai.streamed(event, number, session.meeting, diarized=diarized):
                                yield _event(said)
                    with suppress(InputError):  # the end of the file is damaged; what was good was told
                        await running
                    yield _event(openai.stream_end(session.meeting))
                finally:
                    running.cancel()
                    await asyncio.gather(running, return_exceptions=True)


def _event(message: Any) -> str:
    return f"data: {json.dumps(message, ensure_ascii=False)}\n\n"


class _Wanted:
    """What a request asks for; `file` is there once it is stored."""

    def __init__(self, upload: UploadFile, form: FormData) -> None:
        self._upload = upload
        self.name = Path(upload.filename or "file").name[:100]
        self.model = _text(form, "model")
        self.form = _text(form, "response_format") or "json"
        self.stream = _text(form, "stream").lower() in ("true", "1")
        keys = ("timestamp_granularities[]", "timestamp_granularities")
        self.granularities = [str(value) for key in keys for value in form.getlist(key)]
        self.file: IO[bytes]

    @classmethod
    def of(cls, form: FormData) -> "_Wanted":
        """Return what a form asks for."""
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise _RefusedError(
                400, "`file` is missing; send the audio as multipart/form-data", "missing_file"
            )
        return cls(upload, form)

    @property
    def path(self) -> str:
        """Return where the file lies."""
        return self.file.name

    def explained(self, error: InputError) -> str:
        """Return what is wrong with the file, by the name that its sender knows."""
        return str(error).replace(self.path, self.name)

    async def store(self) -> None:
        """Put the file where it can be opened by its name; it is gone when `file` is closed."""
        self.file = tempfile.NamedTemporaryFile(prefix="meetscribe-")  # noqa: SIM115 - closed by who reads it
        while data := await self._upload.read(_COPIED):
            await asyncio.to_thread(self.file.write, data)
        self.file.flush()


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _limited(request: Request, limit: int) -> Any:
    """Return the request's `receive`, which refuses a body that is too large."""
    left = limit

    async def receive() -> Message:
        nonlocal left
        message = await request.receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, f"the file is larger than {limit >> 20} MiB; send it in parts")
        return message

    return receive
