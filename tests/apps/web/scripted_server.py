"""A server that belongs to the test: it speaks `docs/protocol.md` as far as the browser client needs it.

What it was told to keep outlives `kill`, as files would. Not covered: audio (`tone_server.py`), limits.
"""

import asyncio
import io
import json
import mimetypes
import threading
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import numpy as np
import soundfile
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response

from meetscribe import events as ev
from meetscribe.apps.web import STATIC
from meetscribe.formats import wire
from meetscribe.meeting import fold


@dataclass
class Meeting:
    """A meeting's log, and who listens."""

    id: str
    title: str = ""
    log: list = field(default_factory=list)
    listeners: set = field(default_factory=set)
    commands: list = field(default_factory=list)
    has_sound: bool = False
    is_separated: bool = False

    @property
    def is_over(self):
        return any(isinstance(event, ev.End) for event in self.log)

    def entry(self):
        """The meeting in the list of `/api/sessions`."""
        meeting = fold(self.log)
        return {
            "id": self.id,
            "title": self.title,
            "started": "2026-11-25T09:30:00+00:00",
            "state": "stopped" if self.is_over else "listening",
            "running": not self.is_over,
            "duration": meeting.duration / 16_000,
            "seq": len(self.log),
            "listeners": len(self.listeners),
            "inputs": 1,
        }


class ScriptedServer:
    """Runs in a thread of its own; `publish` and `kill` are called from the test's."""

    def __init__(self):
        self.meetings, self.requests, self.token = {}, [], None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="scripted server", daemon=True)
        self._thread.start()
        self._server, self.port = None, 0
        self.start()

    def start(self):
        """Listen, on the same port as before where there was one."""
        self._call(self._start())

    def kill(self):
        """Be gone at once: connections break, audio that was not acknowledged is lost."""
        self._call(self._kill())

    def close(self):
        """End the thread."""
        self.kill()
        self._call(self._cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def meeting(self, name, title="", **more):
        """Make a meeting with its first event."""
        self.meetings[name] = Meeting(name, title, **more)
        self.publish(name, ev.Session(title=title, started="2026-11-25T09:30:00+00:00", model="tiny"))
        return self.meetings[name]

    def publish(self, name, *events):
        """Number events and send them to all who listen."""
        self._call(self._publish(self.meetings[name], events))

    def end(self, name):
        """End a meeting and close its connections."""

        async def end():
            meeting = self.meetings[name]
            at = fold(meeting.log).duration
            await self._publish(meeting, [ev.End(reason="somebody ended it", duration=at, at=at)])
            for connection in list(meeting.listeners):
                await connection.close(1000, "ended")

        self._call(end())

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)

    async def _start(self):
        self._server = await serve(self._serve, "127.0.0.1", self.port, process_request=self._request)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def _kill(self):
        if self._server is None:
            return
        for connection in list(self._server.connections):
            connection.transport.abort()
        self._server.close(close_connections=False)
        await self._server.wait_closed()
        self._server = None

    async def _cancel_all(self):
        """End what still runs: connections in the middle of their handshake."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    # HTTP

    def _request(self, connection, request):
        url = urlsplit(request.path)
        if url.path.startswith("/ws/"):
            known = url.path[4:] in self.meetings
            return (
                None
                if known
                else _json(404, {"error": {"code": "not_found", "message": "There is no such meeting."}})
            )
        self.requests.append(request.path)
        if url.path.startswith("/api/"):
            if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
                return _json(401, {"error": {"code": "token", "message": "The token is missing or wrong."}})
            return self._api(url.path.removeprefix("/api/sessions").strip("/"), parse_qs(url.query))
        path = (STATIC / (url.path.strip("/") or "index.html")).resolve()
        if not path.is_relative_to(STATIC) or not path.is_file():
            return _answer(404, "text/plain", b"not found")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return _answer(200, kind, path.read_bytes())

    def _api(self, path, query):
        if not path:
            return _json(
                200, {"version": 1, "sessions": [meeting.entry() for meeting in self.meetings.values()]}
            )
        name, _, what = path.partition("/")
        if name not in self.meetings:
            return _json(404, {"error": {"code": "not_found", "message": "There is no such meeting."}})
        meeting = self.meetings[name]
        if what == "audio":
            return _answer(200, "audio/wav", _silence(float(query["end"][0]) - float(query["start"][0])))
        if what == "export":
            return _answer(200, "text/vtt", b"WEBVTT\n")
        sound = {"channels": 1, "separated": meeting.is_separated} if meeting.has_sound else None
        return _json(200, meeting.entry() | {"audio": sound})

    # WebSocket

    async def _serve(self, connection):
        hello = json.loads(await connection.recv())
        assert hello["type"] == "hello"
        if self.token and hello.get("token") != self.token:
            await connection.close(1008, "The token is missing or wrong.")
            return
        name = connection.request.path[4:]
        meeting = self.meetings[name]
        answer = {"type": "hello", "version": 1, "session": name, "seq": len(meeting.log), "snapshot": None}
        answer["live"] = not meeting.is_over
        try:
            await self._tell(connection, meeting, hello["after_seq"], answer)
        except ConnectionClosed:
            pass
        finally:
            meeting.listeners.discard(connection)

    async def _tell(self, connection, meeting, after, answer):
        await connection.send(json.dumps(answer))
        names = fold(meeting.log).speakers
        for event in meeting.log[after:]:
            await connection.send(wire.dumps(event, names))
        if meeting.is_over:
            await connection.close(1000, "ended")
            return
        meeting.listeners.add(connection)
        async for message in connection:
            command = json.loads(message)
            meeting.commands.append(command)
            event = _effect(command, meeting)
            if isinstance(event, str):
                error = {"type": "error", "id": command["id"], "code": "bad_field", "message": event}
                await connection.send(json.dumps(error))
                continue
            await connection.send(
                json.dumps({"type": "ack", "id": command["id"], "seq": len(meeting.log) + 1})
            )
            await self._publish(meeting, [event])

    async def _publish(self, meeting, events):
        names = fold(meeting.log).speakers
        for event in events:
            numbered = ev.numbered(event, meeting.id, len(meeting.log))
            if isinstance(numbered, ev.DurableEvent):
                meeting.log.append(numbered)
            text = wire.dumps(numbered, names)
            for connection in list(meeting.listeners):
                try:
                    await connection.send(text)
                except ConnectionClosed:
                    meeting.listeners.discard(connection)


def _effect(command, meeting):
    """The event that a command makes; a text says what is wrong with it."""
    at = fold(meeting.log).duration
    match command["name"]:
        case "rename" if "turn" in command:
            change = ev.Change("s9", speaker=command["speaker"], turns=(command["turn"],))
            return ev.SpeakerUpdate(changes=(change,), by="person")
        case "rename" if command["speaker"] == "nobody":
            return "Nobody can be called so."
        case "rename":
            return ev.SpeakerUpdate(
                changes=(ev.Change(command["speaker_id"], speaker=command["speaker"]),), by="person"
            )
        case "merge":
            return ev.SpeakerUpdate(
                changes=(ev.Change(command["speaker_id"], into=command["into"]),), by="person"
            )
        case "correct":
            return ev.Correction(turn=command["turn"], text=command["text"])
        case "bookmark":
            return ev.Bookmark(note=command["note"], at=at)
        case "pause":
            return ev.Status(state="paused", at=at)
        case "resume":
            return ev.Status(state="listening", at=at)
        case "off_record":
            return ev.OffRecord(start=max(at - 16_000 * command["seconds"], 0), end=at, at=at)
    return f"{command['name']} is no command"


def _silence(seconds):
    out = io.BytesIO()
    soundfile.write(out, np.zeros(round(16_000 * seconds), np.float32), 16_000, format="WAV")
    return out.getvalue()


def _json(status, value):
    return _answer(status, "application/json", json.dumps(value).encode())


def _answer(status, kind, body):
    headers = Headers({"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"})
    headers["Cache-Control"] = "no-cache"
    headers["Content-Security-Policy"] = (
        "default-src 'self'; connect-src 'self' ws: wss:; media-src 'self' blob:; img-src 'self' data:"
    )
    return Response(status, "", headers, body)
