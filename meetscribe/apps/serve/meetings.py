"""`/api/sessions`: the meetings of a server as JSON, their transcripts in any format, their recordings.

Not covered: how voices that overlap are heard apart (`voices.py`).
"""

import asyncio
import io
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from meetscribe.apps.serve.archive import Recording, UnknownMeetingError, summary
from meetscribe.apps.serve.hub import Hub
from meetscribe.apps.serve.voices import BusyError, FailedError, Separation
from meetscribe.errors import InputError, UsageError
from meetscribe.events import DurableEvent
from meetscribe.formats.registry import by_name
from meetscribe.formats.wire import VERSION
from meetscribe.meeting import Meeting, fold
from meetscribe.timeline import SAMPLE_RATE, Interval, to_samples

LONGEST_CLIP = 120  # seconds

_TYPES = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".html": "text/html",
    ".vtt": "text/vtt",
    ".md": "text/markdown",
    ".csv": "text/csv",
}


class RequestError(InputError):
    """A request that cannot be answered, with its HTTP status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def session_routes(hub: Hub, separation: Separation) -> list[BaseRoute]:
    """Return the routes of `/api/sessions`."""
    sessions = Sessions(hub, separation)
    return [
        Route("/api/sessions", _answering(sessions.list)),
        Route("/api/sessions/{id}", _answering(sessions.one)),
        Route("/api/sessions/{id}/audio", _answering(sessions.audio)),
        Route("/api/sessions/{id}/export", _answering(sessions.export)),
    ]


Endpoint = Callable[[Request], Awaitable[Response]]


def _answering(endpoint: Endpoint) -> Endpoint:
    """Turn errors into answers."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RequestError as error:
            return _error(error.status, error.code, str(error))
        except UnknownMeetingError as error:
            return _error(404, "unknown_meeting", str(error))

    return answered


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)


class Sessions:
    """The endpoints."""

    def __init__(self, hub: Hub, separation: Separation) -> None:
        self._hub, self._separation = hub, separation

    async def list(self, request: Request) -> Response:
        """Answer with the meetings that go on, and with `past=1` those of the past."""
        sessions = [meeting.summary() for meeting in self._hub.live]
        if request.query_params.get("past") in ("1", "true"):
            live = {one["id"] for one in sessions}
            past = await asyncio.to_thread(self._hub.archive.summaries)
            sessions += [one for one in past if one["id"] not in live]
        return JSONResponse({"version": VERSION, "sessions": sessions})

    async def one(self, request: Request) -> Response:
        """Answer with one meeting, and whether there is sound to listen to."""
        name = request.path_params["id"]
        live = self._hub.find(name)
        id = live.id if live is not None else self._hub.archive.find(name)
        meeting = await self._meeting(id)
        about = live.summary() if live is not None else summary(meeting, running=False)
        recording = await asyncio.to_thread(self._hub.archive.recording, id)
        separated = await self._separator(meeting) is not None
        audio = None if recording is None else {"channels": recording.channels, "separated": separated}
        return JSONResponse(about | {"version": VERSION, "audio": audio})

    async def export(self, request: Request) -> Response:
        """Answer with a transcript, as a download."""
        log = await self._log(request.path_params["id"])
        try:
            chosen = by_name(request.query_params.get("format", "text"))
        except UsageError as error:
            raise RequestError(400, "format", str(error)) from error
        body = await asyncio.to_thread(chosen.data, log)
        name = re.sub(r"[^A-Za-z0-9._-]", "_", fold(log).id) + chosen.extension
        kind = _TYPES.get(chosen.extension[chosen.extension.rfind(".") :], "text/plain")
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(body, media_type=kind, headers=headers)

    async def audio(self, request: Request) -> Response:
        """Answer with a stretch of the recording."""
        query = request.query_params
        wanted = Interval(*_stretch(query.get("start"), query.get("end")))
        id = await self._id(request.path_params["id"])
        meeting = await self._meeting(id)
        if any(wanted.touches(hidden) for hidden in meeting.off_record):
            raise RequestError(410, "off_record", "this was off the record")
        recording = await asyncio.to_thread(self._hub.archive.recording, id)
        if recording is None:
            raise RequestError(404, "no_recording", "this meeting's sound was not kept")
        channels = _channels(query.get("channel"), recording.channels)
        if "slot" in query:
            slot, channel = _below(query["slot"], 2, "slot"), channels[0] if "channel" in query else None
            return Response(
                wav(await self._alone(meeting, recording, wanted, channel, slot)), media_type="audio/wav"
            )
        parts = [await asyncio.to_thread(recording.read, one, wanted.start, wanted.end) for one in channels]
        return Response(wav(np.mean(parts, axis=0)), media_type="audio/wav")

    async def _alone(
        self, meeting: Meeting, recording: Recording, wanted: Interval, channel: int | None, slot: int
    ) -> NDArray[np.float32]:
        """Return one slot's voice."""
        model = await self._separator(meeting)
        if model is None:
            raise RequestError(404, "not_separated", "this model does not keep voices apart; leave slot out")
        try:
            return (await self._separation.voices(model, meeting, recording, wanted, channel))[slot]
        except BusyError as error:
            raise RequestError(503, "busy", str(error)) from error
        except FailedError as error:
            raise RequestError(500, "not_separated", str(error)) from error

    async def _separator(self, meeting: Meeting) -> Path | None:
        """Return the model that transcribed a meeting, where it separates voices."""
        name = meeting.session.model if meeting.session else None
        return await asyncio.to_thread(self._separation.model, name)

    async def _id(self, name: str) -> str:
        live = self._hub.find(name)
        return live.id if live is not None else self._hub.archive.find(name)

    async def _meeting(self, id: str) -> Meeting:
        """Return a meeting as it is now; one that goes on need not be folded again."""
        live = self._hub.find(id)
        return live.session.meeting if live is not None else fold(await self._log(id))

    async def _log(self, name: str) -> Sequence[DurableEvent]:
        live = self._hub.find(name)
        return live.session.log if live is not None else await asyncio.to_thread(self._hub.past, name)


def _stretch(start: str | None, end: str | None) -> tuple[int, int]:
    try:
        first, last = float(start or ""), float(end or "")
    except ValueError as error:
        raise RequestError(
            400, "bad_field", "start and end are seconds from the start of the meeting"
        ) from error
    if not 0 <= first < last <= first + LONGEST_CLIP:
        raise RequestError(400, "bad_field", f"start comes before end, by at most {LONGEST_CLIP} s")
    return to_samples(first), to_samples(last)


def _channels(wanted: str | None, there: int) -> Sequence[int]:
    if wanted is None:
        return range(there)
    return [_below(wanted, there, "channel")]


def _below(wanted: str, limit: int, name: str) -> int:
    """Return a whole number below a limit."""
    if not (wanted.isascii() and wanted.isdecimal()) or int(wanted[:9]) >= limit:
        raise RequestError(400, "bad_field", f"{name} is a number below {limit}")
    return int(wanted)


def wav(samples: Any) -> bytes:
    """Return mono samples at 16 kHz as a WAV file of 16 bits."""
    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -1, 1), SAMPLE_RATE, "PCM_16", format="WAV")
    return file.getvalue()
