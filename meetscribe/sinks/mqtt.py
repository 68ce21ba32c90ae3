"""A meeting's events to an MQTT broker: every durable one at least once, in order, whatever happens on either side.

The meeting's log is the buffer: what the broker has confirmed is remembered as a number (`Watermarks`), and after a
break, or a restart of broker or server, publishing goes on behind it. What is only shown (partials) is sent while there
is a connection, and dropped and counted otherwise. Each meeting has a connection of its own, as a connection has one
last will.
Not covered: reading the log's events back from a broker.
"""

import asyncio
import json
import os
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import aiomqtt

from meetscribe.errors import UsageError
from meetscribe.events import DurableEvent, End, Event, Final, Partial, Status
from meetscribe.formats import wire
from meetscribe.meeting import Meeting, apply, fold
from meetscribe.session import commands

PORT, TLS_PORT = 1883, 8883
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # seconds between two attempts to connect
_MOST_SHOWN = 255  # characters that Home Assistant takes as a state
_KEEPALIVE = 20


@dataclass(frozen=True)
class Broker:
    """Where a broker is, and how topics begin."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    tls: bool = False
    base: str = "meetscribe"
    discovery: str | None = None  # Home Assistant's prefix, where it is to find the sensors

    def topic(self, *parts: str) -> str:
        """Return a topic below the base."""
        return "/".join((self.base, *parts))


def broker(url: str, base: str, discovery: str | None) -> Broker:
    """Return what `mqtt://user:password@host:1883` says; `mqtts` for TLS.

    Raises:
        UsageError: it is no such address.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _no_address() from None  # what is wrong may be part of a password
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path not in ("", "/"):
        raise _no_address()
    if not base or base.startswith(("/", "$")) or base.endswith("/") or any(one in base for one in "+#\0"):
        raise UsageError(f"--mqtt-base {base}: topics cannot begin so; give a word, as meetscribe")
    tls = parts.scheme == "mqtts"
    user, password = (None if one is None else unquote(one) for one in (parts.username, parts.password))
    return Broker(parts.hostname, port or (TLS_PORT if tls else PORT), user, password, tls, base, discovery)


def _no_address() -> UsageError:
    return UsageError(
        f"--mqtt: this is no address of a broker; give mqtt://user@host:{PORT}, or mqtts:// for TLS, with %2F, %3A and "
        "%40 for /, : and @ in a password"
    )


class Watermarks:
    """Up to which event the broker has confirmed each meeting that is not published to its end; None: in no file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._marks: dict[str, int] = {}
        if path is not None and path.exists():
            try:
                self._marks = {str(key): int(value) for key, value in json.loads(path.read_text()).items()}
            except (OSError, ValueError, AttributeError):
                self._marks = {}

    @property
    def unfinished(self) -> list[str]:
        """Return the meetings that have something left to publish."""
        return list(self._marks)

    def get(self, meeting: str) -> int:
        """Return the number of the last event that was confirmed."""
        return self._marks.get(meeting, 0)

    def set(self, meeting: str, seq: int) -> None:
        """Remember that events up to this one are confirmed."""
        self._marks[meeting] = seq
        self._write()

    def finish(self, meeting: str) -> None:
        """Remember that all of a meeting is confirmed."""
        self._marks.pop(meeting, None)
        self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(self._marks))
        os.replace(part, self._path)


Since = Callable[[int], Sequence[DurableEvent]]
"""Gives the events of a meeting's log with a higher number."""

Commanded = Callable[[commands.Command], Awaitable[commands.Ack]]
"""Carries out a command on the meeting."""


class MqttSink:
    """Publishes one meeting (an `EventSink`); `run` does the work and ends when all is published.

    Args:
        meeting: its id.
        broker: where to.
        since: reads the meeting's log.
        marks: what was confirmed.
        commanded: carries out commands; None where the meeting is over.
        log: says what happens, never what was said.
    """

    def __init__(
        self,
        meeting: str,
        broker: Broker,
        since: Since,
        marks: Watermarks,
        commanded: Commanded | None,
        log: Any,
    ) -> None:
        self._meeting, self._broker, self._since = meeting, broker, since
        self._marks, self._commanded, self._log = marks, commanded, log
        self._client: aiomqtt.Client | None = None
        self._news = asyncio.Event()
        self._partials: dict[str, Partial] = {}
        self._state = Meeting()
        self.dropped = 0
        marks.set(meeting, marks.get(meeting))

    async def emit(self, event: Event) -> None:
        """Take notice of an event; the durable ones are read from the log."""
        if isinstance(event, Partial):
            self.dropped += self._client is None or event.turn.id in self._partials
            if self._client is None:
                return
            self._partials[event.turn.id] = event
        self._news.set()

    async def close(self) -> None:
        """Take notice that no event follows; what is left is published still."""
        self._news.set()

    async def run(self) -> None:
        """Publish until the meeting has ended and the broker has confirmed everything."""
        pause = _SHORTEST_PAUSE
        while True:
            try:
                async with self._connect() as client:
                    self._log.info("broker connected", meeting=self._meeting)
                    pause = _SHORTEST_PAUSE
                    if await self._publish(client):
                        self._marks.finish(self._meeting)
                        return
            except aiomqtt.MqttError as error:
                self._log.warning("broker lost", meeting=self._meeting, error=str(error), again=pause)
            finally:
                self._client = None
                self._partials.clear()
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _topic(self, name: str) -> str:
        return self._broker.topic(self._meeting, name)

    def _connect(self) -> aiomqtt.Client:
        will = aiomqtt.Will(self._topic("status"), self._presence("offline", None), qos=1, retain=True)
        return aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.user,
            password=self._broker.password,
            will=will,
            keepalive=_KEEPALIVE,
            tls_context=ssl.create_default_context() if self._broker.tls else None,
        )

    async def _publish(self, client: aiomqtt.Client) -> bool:
        """Publish what there is and what comes, and take commands; return True at the meeting's end."""
        self._state = fold(self._since(0))
        await self._announce(client)
        listening = asyncio.create_task(self._listen(client), name="mqtt commands")
        self._client = client
        try:
            while True:
                self._news.clear()
                for event in self._since(self._marks.get(self._meeting)):
                    await self._publish_durable(client, event)
                    if isinstance(event, End):
                        return True
                while self._partials:
                    partial = self._partials.pop(next(iter(self._partials)))
                    await client.publish(self._topic("partial"), self._written(partial), qos=0)
                waiting = asyncio.create_task(self._news.wait(), name="mqtt news")
                await asyncio.wait({waiting, listening}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                if listening.done():
                    listening.result()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _publish_durable(self, client: aiomqtt.Client, event: DurableEvent) -> None:
        """Publish an event, and remember it when the broker has confirmed it."""
        self._state = apply(self._state, event)
        topic = "final" if isinstance(event, Final) else "event"
        await client.publish(self._topic(topic), self._written(event), qos=1)
        if isinstance(event, Status):
            await client.publish(self._topic("status"), self._written(event), qos=1, retain=True)
        elif isinstance(event, End):
            await client.publish(
                self._topic("status"), self._presence("stopped", event.reason), qos=1, retain=True
            )
        if self._broker.discovery is not None:
            await self._tell_home(client, event)
        self._marks.set(self._meeting, event.seq)

    async def _announce(self, client: aiomqtt.Client) -> None:
        """Take back the last will of an earlier connection, and introduce the sensors."""
        if self._state.status is not None and self._state.end is None:
            await client.publish(self._topic("status"), self._written(self._state.status), qos=1, retain=True)
        if self._broker.discovery is not None:
            for topic, configuration in sensors(self._broker).items():
                await client.publish(topic, json.dumps(configuration), qos=1, retain=True)

    async def _tell_home(self, client: aiomqtt.Client, event: DurableEvent) -> None:
        """Say what Home Assistant's sensors show."""
        if isinstance(event, Final) and event.turn.text:
            written = wire.encode(event, self._state.speakers)["turn"]
            shown = {"text": event.turn.text[:_MOST_SHOWN], "session": self._meeting, "turn": written}
            await client.publish(
                self._broker.topic("home", "turn"), json.dumps(shown, ensure_ascii=False), qos=1
            )
        elif isinstance(event, (Status, End)):
            state = event.state if isinstance(event, Status) else "stopped"
            shown = {"state": state, "session": self._meeting, "reason": event.reason}
            await client.publish(
                self._broker.topic("home", "state"), json.dumps(shown, ensure_ascii=False), qos=1
            )

    async def _listen(self, client: aiomqtt.Client) -> None:
        """Carry out commands, and publish the answers."""
        await client.subscribe(self._topic("command"), qos=1)
        async for message in client.messages:
            if message.retain:
                continue  # it was meant for somebody who was there before
            answer = await self._answer(message.payload)
            await client.publish(self._topic("answer"), json.dumps(answer, ensure_ascii=False), qos=1)

    async def _answer(self, payload: Any) -> wire.Json:
        try:
            value = json.loads(payload)
        except (ValueError, TypeError, RecursionError):
            return commands.error_json(commands.CommandError("bad_json", "a command is a JSON object"))
        try:
            command = commands.parse(value)
            if self._commanded is None:
                raise commands.CommandError("ended", "the meeting has ended", command.id)
            return commands.ack_json(await self._commanded(command))
        except commands.CommandError as error:
            return commands.error_json(error)

    def _written(self, event: Event) -> str:
        return wire.dumps(event, self._state.speakers)

    def _presence(self, state: str, reason: str | None) -> str:
        """Return what the status topic says when no status event does."""
        about = {"type": "status", "version": wire.VERSION, "session": self._meeting}
        return json.dumps(about | {"state": state, "reason": reason}, ensure_ascii=False)


def sensors(broker: Broker) -> dict[str, wire.Json]:
    """Return Home Assistant's discovery topics, and what they say: two sensors of one device."""
    name = broker.base.replace("/", "_")
    device = {"identifiers": [name], "name": "meetscribe", "manufacturer": "meetscribe"}
    about = {
        "turn": {"name": "Last turn", "value_template": "{{ value_json.text }}", "icon": "mdi:account-voice"},
        "state": {"name": "Meeting", "value_template": "{{ value_json.state }}", "icon": "mdi:microphone"},
    }
    made = {}
    for key, shown in about.items():
        topic = broker.topic("home", key)
        told = {"unique_id": f"{name}_{key}", "state_topic": topic, "json_attributes_topic": topic}
        made[f"{broker.discovery}/sensor/{name}/{key}/config"] = {**shown, **told, "device": device}
    return made
