"""The native WebSocket: does what a `Connection` says, with a real socket and a real meeting.

A task reads, another sends what happens, a third acknowledges audio. The meeting waits for none of them.
Not covered: what messages mean (`connection.py`), and who may come (`access.py`; `app.py` asks it).
"""

import asyncio
import json
import time
from collections.abc import Coroutine, Sequence
from contextlib import closing, suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from meetscribe.apps.serve import messages
from meetscribe.apps.serve.connection import (
    HELLO_WITHIN,
    Close,
    Connection,
    EndAudio,
    Hear,
    Join,
    Run,
    Send,
)
from meetscribe.apps.serve.hub import FullError, Hub, LiveMeeting
from meetscribe.apps.serve.inputs import AudioInput, InputRefusedError
from meetscribe.apps.serve.messages import Hello
from meetscribe.apps.serve.metrics import Metrics
from meetscribe.apps.serve.outlet import Outlet
from meetscribe.events import DurableEvent, End, Event
from meetscribe.formats import json_document, wire
from meetscribe.formats.wire import VERSION, Json
from meetscribe.meeting import Meeting, fold
from meetscribe.session.commands import Command, CommandError, ack_json, error_json
from meetscribe.session.fanout import TooSlow
from meetscribe.sources.websocket import ClientAudioError
from meetscribe.timeline import SAMPLE_RATE

NEW = "new"
"""The name under which a client's audio starts a meeting."""

_ACK_EVERY = 0.5  # seconds between two looks at what is safe
_SAFE_WITHIN = 3.0  # seconds that the end of a meeting waits for its recording to reach the disk
_LINGER = 0.5  # seconds in which commands for a meeting of the past may come
_MOST_BEHIND = 60 * SAMPLE_RATE  # samples not transcribed yet: more audio waits in its socket


class NativeClient:
    """One client of a meeting.

    Args:
        websocket: accepted already.
        hub: knows the meetings.
        connection: what the client may do.
        outlet: says things to the client.
        metrics: counts.
    """

    def __init__(
        self, websocket: WebSocket, hub: Hub, connection: Connection, outlet: Outlet, metrics: Metrics
    ) -> None:
        self._websocket, self._hub, self._connection = websocket, hub, connection
        self._outlet, self._metrics = outlet, metrics
        self._meeting: LiveMeeting | None = None
        self._past: str | None = None
        self._missing: str | None = None
        self._input: AudioInput | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def serve(self, meeting: LiveMeeting | None, past: str | None, missing: str | None = None) -> None:
        """Serve the client until its socket is closed: in a running meeting, a past one, or (neither) a new one.

        `missing` says that there is no such meeting, to who shows the token.
        """
        self._meeting, self._past, self._missing = meeting, past, missing
        self._start(self._read())
        try:
            await self._outlet.closed.wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._leave()

    def going(self) -> None:
        """Take notice that the server goes; who is told of the end of a meeting is not disturbed."""
        if self._meeting is None or self._meeting.session.meeting.end is None:
            self._outlet.shed(messages.GOING_AWAY, "the server is going")

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(self._guarded(work), name="native client"))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something; a fault closes the socket, and is raised."""
        try:
            await work
        except BaseException:
            self._outlet.shed(messages.INTERNAL, "a fault of the server")
            raise

    # -- from the client

    async def _read(self) -> None:
        clock = asyncio.get_running_loop()
        timer = clock.call_later(HELLO_WITHIN, self._time_out)
        try:
            while not self._connection.closed:
                message = await self._websocket.receive()
                if message["type"] == "websocket.disconnect":
                    break
                if message.get("text") is not None:
                    self._connection.receive_text(message["text"], clock.time())
                else:
                    self._connection.receive_bytes(message.get("bytes") or b"")
                while actions := self._connection.actions():
                    for action in actions:
                        await self._act(action)
        except WebSocketDisconnect:
            pass
        finally:
            timer.cancel()
            self._outlet.closed.set()

    def _time_out(self) -> None:
        self._connection.receive_timeout()
        for action in self._connection.actions():
            if isinstance(action, Close):
                self._outlet.shed(action.code, action.reason)

    async def _act(self, action: Any) -> None:
        """Do what the connection says."""
        match action:
            case Send(message):
                await self._outlet.send_json(message)
            case Close(code, reason):
                await self._outlet.close(code, reason)
            case Join(hello) if self._missing is not None:
                self._connection.refuse(messages.POLICY, self._missing)
            case Join(hello) if self._past is not None:
                await self._join_past(hello, self._past)
            case Join(hello):
                self._join(hello)
            case Run(command):
                await self._outlet.send_json(await self._run(command))
            case Hear(audio, position):
                await self._hear(audio, position)
            case EndAudio():
                if self._meeting is not None and self._meeting.inputs is not None and self._input is not None:
                    self._meeting.inputs.end(self._input)

    def _join(self, hello: Hello) -> None:
        """Let the client in, and begin to send."""
        try:
            if self._meeting is None:
                if hello.audio is None:
                    raise InputRefusedError("a new meeting needs audio: role audio or both")
                self._meeting = self._hub.begin_for(hello)
            if hello.audio is not None:
                self._input = self._join_audio(self._meeting, hello.audio)
            self._begin(self._meeting, hello)
        except FullError as error:
            self._connection.refuse(messages.TRY_LATER, str(error))
        except InputRefusedError as error:
            self._connection.refuse(messages.POLICY, str(error))

    def _join_audio(self, meeting: LiveMeeting, format: messages.AudioFormat) -> AudioInput:
        if meeting.inputs is None:
            raise InputRefusedError("this meeting hears a source of the server's own; join it as a listener")

        def replaced() -> None:
            self._input = None
            self._outlet.shed(messages.POLICY, "another connection has taken this stream over")

        return meeting.inputs.join(format, replaced)

    def _begin(self, meeting: LiveMeeting, hello: Hello) -> None:
        now = meeting.session.meeting
        answer = welcome(meeting.id, hello, now, live=True)
        if self._input is not None:
            stream, position = self._input.name, self._input.safe(meeting.recorded)
            answer["audio"] = {"stream": stream, "position": position, "channel": 0}
            self._start(self._acknowledge(meeting, self._input, hello))
        meeting.listeners += 1
        self._connection.joined(hello, answer)
        self._start(self._tell(meeting, hello, now.seq if hello.after_seq is None else hello.after_seq))

    async def _run(self, command: Command) -> Json:
        """Carry out a command, and return the answer."""
        try:
            if self._meeting is not None and self._meeting.session.meeting.end is None:
                return ack_json(await self._meeting.session.command(command))
            name = self._past if self._meeting is None else self._meeting.id
            return ack_json(await asyncio.to_thread(self._hub.archive.command, name or "", command))
        except CommandError as error:
            return error_json(error, command.id)

    async def _hear(self, audio: bytes, position: int | None) -> None:
        """Take a frame; while the meeting is far behind, none is read from the socket."""
        meeting, input = self._meeting, self._input
        if meeting is None or meeting.inputs is None or input is None or input.lane.over:
            return
        try:
            before = input.stream.expected
            meeting.inputs.hear(input, audio, position)
            missing = max((position or 0) - before, 0)
            self._metrics.missing.inc(missing / input.format.sample_rate)
            self._metrics.audio.inc((input.stream.expected - before - missing) / input.format.sample_rate)
        except ClientAudioError as error:
            self._connection.complain("bad_audio", str(error))
        await meeting.inputs.source.room()
        while meeting.session.behind > _MOST_BEHIND and not self._outlet.closed.is_set():
            await asyncio.sleep(0.1)

    def _leave(self) -> None:
        """Take the client out of its meeting."""
        if self._meeting is None or not self._connection.joined_in:
            return
        self._meeting.listeners -= 1
        if self._input is not None and self._meeting.inputs is not None:
            self._meeting.inputs.leave(self._input)

    # -- to the client

    async def _tell(self, meeting: LiveMeeting, hello: Hello, after: int) -> None:
        """Send what was missed and what happens, until the meeting ends or the client is too slow."""
        try:
            with closing(meeting.session.subscribe(after)) as events:
                try:
                    async for event in events:
                        if isinstance(event, End):
                            await self._last_ack(meeting)
                        if hello.role != "audio":
                            await self._deliver(meeting, event)
                finally:  # also of those who were too slow to the end
                    self._metrics.skipped.inc(events.skipped)
        except TooSlow as error:
            self._outlet.shed(messages.TRY_LATER, str(error))
            return
        if meeting.session.meeting.end is None:
            await self._outlet.close(messages.INTERNAL, "the meeting broke off; it can be recovered")
            return
        code = messages.NORMAL if meeting.ending is None else messages.GOING_AWAY
        await self._outlet.close(code, meeting.ending or "the meeting has ended")

    async def _deliver(self, meeting: LiveMeeting, event: Event) -> None:
        text, made = meeting.text(event)
        await self._outlet.send(text)
        self._metrics.sent.inc()
        self._metrics.delivery.observe(time.monotonic() - made)

    async def _join_past(self, hello: Hello, name: str) -> None:
        """Let the client into a meeting of the past, and begin to send it; a long one is read beside the others."""
        if hello.audio is not None:
            self._connection.refuse(messages.POLICY, "this meeting has ended; begin another one")
            return
        answer, texts = await asyncio.to_thread(lambda: _replayed(hello, self._hub.past(name)))
        if not self._connection.closed:
            self._connection.joined(hello, answer)
            self._start(self._send_past(texts))

    async def _send_past(self, texts: Sequence[str]) -> None:
        for text in texts:
            await self._outlet.send(text)
        await asyncio.sleep(_LINGER)
        await self._outlet.close(messages.NORMAL, "the meeting has ended")

    async def _acknowledge(self, meeting: LiveMeeting, input: AudioInput, hello: Hello) -> None:
        """Say what of the audio is safe, whenever that has grown; let an `audio` client go when all was heard."""
        said = -1
        while not input.lane.over or not input.is_heard(meeting.recorded):
            said = await self._ack(meeting, input, said)
            await asyncio.sleep(_ACK_EVERY if not input.lane.over else _ACK_EVERY / 5)
        if meeting.session.meeting.end is None:
            await self._ack(meeting, input, -1)
        if hello.role == "audio":
            while meeting.session.behind:
                await asyncio.sleep(_ACK_EVERY / 5)
            if meeting.inputs is not None and meeting.inputs.active:  # otherwise the meeting's end closes it
                await self._outlet.close(messages.NORMAL, "all was heard")

    async def _last_ack(self, meeting: LiveMeeting) -> None:
        """Say that all of this client's audio is safe, as soon as it is, before the meeting's end is told."""
        if self._input is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_SAFE_WITHIN):
                while not self._input.is_heard(meeting.recorded):
                    await asyncio.sleep(_ACK_EVERY / 10)
        await self._ack(meeting, self._input, -1)

    async def _ack(self, meeting: LiveMeeting, input: AudioInput, said: int) -> int:
        position = input.safe(meeting.recorded)
        if position > said and input.name is not None:
            await self._outlet.send_json(messages.audio_ack_json(meeting.id, input.name, position))
            return position
        return said


def _replayed(hello: Hello, log: Sequence[DurableEvent]) -> tuple[Json, list[str]]:
    """Return the answer to the hello of who listens to a meeting of the past, and its events as they are sent."""
    meeting = fold(log)
    after = meeting.seq if hello.after_seq is None else hello.after_seq
    answer = welcome(meeting.id, hello, meeting, live=False)
    names = meeting.speakers
    return answer, [wire.dumps(event, names) for event in log if event.seq > after]


def welcome(session: str, hello: Hello, meeting: Meeting, *, live: bool) -> Json:
    """Return the answer to a hello; with a snapshot where the past was not asked for."""
    snapshot: dict[str, Any] | None = None
    if hello.after_seq is None:
        snapshot = json.loads(json_document.encode(meeting)) | {"speakers": meeting.speakers}
    about = {"session": session, "seq": meeting.seq, "role": hello.role, "live": live}
    return {"type": "hello", "version": VERSION, **about, "snapshot": snapshot, "audio": None}
