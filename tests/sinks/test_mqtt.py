import asyncio
import contextlib
import json
import os
import shutil
import socket

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from serving import QUIET, asynchronous

from meetscribe import events as ev
from meetscribe.apps.serve import schema
from meetscribe.apps.serve.bridge import MqttBridge
from meetscribe.errors import UsageError
from meetscribe.session.commands import Ack
from meetscribe.session.log import MemoryLog
from meetscribe.sinks.mqtt import Broker, Watermarks, broker, sensors

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
needs_mosquitto = pytest.mark.skipif(
    MOSQUITTO is None and not os.environ.get("CI"),
    reason="mosquitto is not installed (apt install mosquitto)",
)
VALIDATOR = Draft202012Validator(schema.json_schema())


class Mosquitto:
    """Debian's broker with persistence, on a port of its own."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.configuration, self.process = folder / "mosquitto.conf", None
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "persistence true"]
        lines += [
            f"persistence_location {folder}/",
            f"user {os.environ.get('USER', 'root')}",
            "max_queued_messages 0",
        ]
        self.configuration.write_text("\n".join(lines) + "\n")

    async def start(self):
        nothing = asyncio.subprocess.DEVNULL
        assert MOSQUITTO is not None, "CI installs mosquitto"
        command = [MOSQUITTO, "-c", str(self.configuration)]
        self.process = await asyncio.create_subprocess_exec(*command, stdout=nothing, stderr=nothing)
        for _ in range(200):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            await asyncio.sleep(0.05)

    async def stop(self):
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


class Meeting:
    """A log that grows, and the sink that publishes it."""

    def __init__(self, bridge, commanded=None):
        self.log, self.seq = MemoryLog(), 0
        self.sink = bridge.sink("m", self.log, commanded)

    async def add(self, event):
        event = ev.numbered(event, "m", self.seq)
        if isinstance(event, ev.DurableEvent):
            self.seq = event.seq
            self.log.append(event)
        await self.sink.emit(event)


def final(number):
    turn = ev.Turn(id=f"t{number}", slot=0, start=0, end=16_000, text=f"turn {number}", speaker_id="s1")
    return ev.Final(turn=turn, at=16_000)


async def subscribed(port, seen, topics="meetscribe/#"):
    """A durable subscriber, QoS 1, that comes back as often as it has to."""
    while True:
        with contextlib.suppress(aiomqtt.MqttError):
            options = {"identifier": "watcher", "clean_session": False}
            async with aiomqtt.Client("127.0.0.1", port, **options) as client:
                await client.subscribe(topics, qos=1)
                async for message in client.messages:
                    if not message.topic.matches("+/+/command"):
                        seen.append((str(message.topic), json.loads(message.payload), message.retain))
        await asyncio.sleep(0.1)


def connected(sink):
    assert sink._client is not None
    return sink._client


async def until(condition):
    while not condition():
        await asyncio.sleep(0.02)


@pytest.mark.broker
@needs_mosquitto
def test_a_restarted_broker_loses_no_event(tmp_path):
    """Every (session, seq) reaches a durable subscriber although the broker was away; every message fits the schema."""

    @asynchronous
    async def scenario():
        server, seen = Mosquitto(tmp_path), []
        await server.start()
        watching = asyncio.create_task(subscribed(server.port, seen))
        await asyncio.sleep(0.3)
        bridge = MqttBridge(Broker("127.0.0.1", server.port), tmp_path / "marks.json", QUIET)
        meeting = Meeting(bridge)
        await meeting.add(ev.Session(title="m", started="2026-11-25T10:00:00+00:00"))
        await meeting.add(ev.Status(state="listening"))
        for number in range(20):
            await meeting.add(final(number))
        await until(lambda: any(topic.endswith("/final") for topic, *_ in seen))
        await server.stop()
        for number in range(20, 60):
            await meeting.add(final(number))
        await asyncio.sleep(0.3)
        await server.start()
        for number in range(60, 70):
            await meeting.add(final(number))
        await meeting.add(ev.End(reason="end", duration=16_000))
        await until(
            lambda: any(topic.endswith("/event") and said["type"] == "end" for topic, said, _ in seen)
        )
        await bridge.close()
        retained = []
        late = asyncio.create_task(retained_messages(server.port, retained))
        await until(lambda: retained)
        for task in (watching, late):
            task.cancel()
        await asyncio.gather(watching, late, return_exceptions=True)
        await server.stop()
        durable = [said for topic, said, _ in seen if topic.endswith(("/final", "/event"))]
        assert sorted({said["seq"] for said in durable}) == list(range(1, meeting.seq + 1))
        for _, said, _ in seen:
            VALIDATOR.validate(said)
        assert [topic for topic, *_ in retained] == ["meetscribe/m/status"]
        assert retained[0][1]["state"] == "stopped"
        assert Watermarks(tmp_path / "marks.json").unfinished == []

    scenario()


async def retained_messages(port, seen):
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("#", qos=1)
        async for message in client.messages:
            seen.append((str(message.topic), json.loads(message.payload)))


@pytest.mark.broker
@needs_mosquitto
def test_commands_are_carried_out_and_the_last_will_says_offline(tmp_path):
    """A command's answer is published; a server that is gone without a word is said to be offline."""

    @asynchronous
    async def scenario():
        server, seen, ordered = Mosquitto(tmp_path), [], []
        await server.start()

        async def commanded(command):
            ordered.append(command.name)
            return Ack(command.id, 7)

        bridge = MqttBridge(
            Broker("127.0.0.1", server.port, discovery="homeassistant"), tmp_path / "m.json", QUIET
        )
        meeting = Meeting(bridge, commanded)
        await meeting.add(ev.Session(title="m", started=""))
        await meeting.add(final(1))
        watching = asyncio.create_task(subscribed(server.port, seen, "#"))
        await until(lambda: any("homeassistant" in topic for topic, *_ in seen))
        async with aiomqtt.Client("127.0.0.1", server.port) as client:
            for payload in ('{"id": "c1", "name": "bookmark"}', "nonsense"):
                await client.publish("meetscribe/m/command", payload, qos=1)
            await until(lambda: sum(topic.endswith("/answer") for topic, *_ in seen) == 2)
        answers = [said for topic, said, _ in seen if topic.endswith("/answer")]
        assert answers[0] == {"type": "ack", "id": "c1", "seq": 7}
        assert answers[1]["code"] == "bad_json"
        assert ordered == ["bookmark"]
        connected(meeting.sink)._client.socket().shutdown(
            socket.SHUT_RDWR
        )  # as if the machine had lost its power
        await until(lambda: any(said.get("state") == "offline" for _, said, _ in seen))
        await bridge.close()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await server.stop()

    scenario()


@pytest.mark.parametrize(
    "url",
    [
        "host:1883",
        "http://host",
        "mqtt://",
        "mqtt://alice:secret@host:99999",
        "mqtt://alice:secret/@host",
        "mqtt://host/topic",
    ],
)
def test_an_address_that_is_none_is_refused(url):
    """The sentence says how an address looks, and never repeats a password."""
    with pytest.raises(UsageError, match="mqtt://user@host:1883") as refused:
        broker(url, "meetscribe", None)
    assert "secret" not in str(refused.value)


def test_an_address_has_user_password_and_tls():
    """`mqtts` means TLS and its port; what a user's name cannot hold is escaped."""
    found = broker("mqtts://al%40ice:p%3Aw@broker.local", "home/meet", None)
    assert (found.host, found.port, found.user, found.password, found.tls) == (
        "broker.local",
        8883,
        "al@ice",
        "p:w",
        True,
    )
    assert found.topic("m", "final") == "home/meet/m/final"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), max_size=8))
def test_watermarks_survive_a_restart(tmp_path_factory, steps):
    """What was confirmed is known to the next process; a damaged file only makes it publish again."""
    path = tmp_path_factory.mktemp("marks") / "marks.json"
    marks, known = Watermarks(path), {}
    for meeting, seq in steps:
        marks.set(meeting, seq)
        known[meeting] = seq
    assert {meeting: Watermarks(path).get(meeting) for meeting in known} == known
    path.write_text("{")
    assert Watermarks(path).unfinished == []


def test_sensors_hold_no_transcript():
    """What Home Assistant is told to keep are names and topics."""
    for topic, told in sensors(Broker("h", 1, discovery="homeassistant")).items():
        assert topic.startswith("homeassistant/sensor/meetscribe/")
        assert set(told) >= {"unique_id", "state_topic", "device"}
