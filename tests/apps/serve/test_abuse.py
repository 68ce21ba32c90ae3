"""What a server does with clients that mean no good, while a meeting goes on."""

import asyncio
import contextlib
import json
import signal
from pathlib import Path
from typing import cast

import pytest
import websockets
from fakes import ListSource, speech
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from killable import Killable
from serving import AUDIO, asynchronous, serving

from meetscribe import events as ev
from meetscribe.apps.serve.limits import Limits

TOKEN = "a token that is long enough"


@contextlib.asynccontextmanager
async def meeting_that_goes_on(server):
    """A meeting with a speaker and a listener who must not notice anything."""
    secret = {"token": server.service.access.token} if server.service.access.token else {}
    async with server.client(role="both", audio=AUDIO, **secret) as speaker:
        path = f"/ws/{speaker.answer['session']}"
        async with server.client(path, **secret) as listener:
            both = asyncio.gather(speaker.rest(), listener.rest())
            await speaker.speak("Ab")
            yield path
            await speaker.speak("C")
            await speaker.say(type="bye")
            said, heard = await both
    for messages in (said, heard):
        assert [message["turn"]["text"] for message in messages if message["type"] == "final"] == ["1", "3"]
        seqs = [message["seq"] for message in messages if "seq" in message]
        assert seqs == list(range(1, len(seqs) + 1))


async def raw(server, data, patience=5.0):
    """Send bytes to the port, and return what comes until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.read(), patience)
    except ConnectionResetError:
        return b"hung up"
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@asynchronous
async def test_bytes_that_are_no_request():
    """Random bytes, endless headers and half-open sockets are answered or hung up, and the meeting goes on."""
    async with serving(limits=Limits(request_within=0.3, grace=5.0)) as server, meeting_that_goes_on(server):
        assert (await raw(server, bytes(range(256)) * 40)).startswith(b"HTTP/1.1 400")
        assert (await raw(server, b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000)).startswith(
            (b"HTTP/1.1 400", b"hung up")
        )
        assert await raw(server, b"") == b""
        assert await raw(server, b"GET /ws/new HTTP/1.1\r\nHost: localh") == b""


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=8))
def test_bytes_that_are_no_frames(junk):
    """After a good handshake any bytes end in a close of that client alone."""

    @asynchronous
    async def scenario():
        async with serving() as server, meeting_that_goes_on(server) as path:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(handshake(path))
            assert b"101" in await reader.readline()
            for bytes_ in junk:
                writer.write(bytes_)
            writer.write(b"\xff" * 20)
            with contextlib.suppress(OSError):
                writer.write_eof()
                await asyncio.wait_for(reader.read(), 5)
            writer.close()

    scenario()


@asynchronous
async def test_a_giant_frame_that_is_still_being_sent():
    """Its client learns why it was closed although it did not stop to send: the socket is not reset."""
    async with serving() as server, meeting_that_goes_on(server) as path:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(handshake(path))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x82\xff" + (1 << 30).to_bytes(8, "big") + bytes(4) + bytes(8 << 20))
        await writer.drain()
        told = await asyncio.wait_for(reader.read(), 10)
        assert told[2:4] == (1009).to_bytes(2, "big")
        writer.close()


@asynchronous
async def test_a_thousand_sockets():
    """Sockets and clients above the bounds are refused with 503; when they are gone there is room again."""
    limits = Limits(clients=20, connections=60, request_within=20.0, grace=5.0)
    async with serving(limits=limits) as server, meeting_that_goes_on(server) as path:
        idle = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(30)]
        clients = [await server.connect(path) for _ in range(18)]
        with pytest.raises(websockets.InvalidStatus) as refused:
            await server.connect(path)
        assert refused.value.response.status_code == 503
        answers = await asyncio.gather(*(raw(server, b"") for _ in range(1000 - 48)), return_exceptions=True)
        refusals = [answer for answer in answers if isinstance(answer, bytes) and b" 503 " in answer]
        assert len(refusals) > 800
        for client in clients:
            await client.close()
        for _, writer in idle:
            writer.close()
        while server.service.clients > 2:
            await asyncio.sleep(0.02)
        async with server.client(path) as late:
            assert late.answer["live"]


@asynchronous
async def test_a_client_that_never_reads():
    """It is closed with 1013 when its time is over, and learns that when it reads at last; the meeting did not wait."""
    async with (
        serving(limits=Limits(send_within=0.5, grace=5.0)) as server,
        meeting_that_goes_on(server) as path,
    ):
        lazy = await server.connect(path, max_queue=1)
        await lazy.send(json.dumps({"type": "hello", "version": 1, "role": "listen", "after_seq": 0}))
        (live,) = server.hub.live
        while live.listeners < 3:
            await asyncio.sleep(0.02)
        lazy.transport.pause_reading()
        for number in range(60):
            live.session.publish(ev.Bookmark(note=str(number) * 100_000))
            live.session.publish(ev.Lag(behind=number))
            await asyncio.sleep(0)
        while live.listeners > 2:
            await asyncio.sleep(0.02)
        figures = server.service.metrics.registry
        assert (figures.get_sample_value("meetscribe_events_skipped_total") or 0) > 0
        lazy.transport.resume_reading()
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await asyncio.wait_for(lazy.recv(), 10)
        assert lazy.close_code == 1013


@asynchronous
async def test_tokens_and_origins():
    """Missing and wrong tokens and foreign origins are refused as documented, and learn nothing."""
    hello = {"type": "hello", "version": 1, "role": "listen", "after_seq": 0}
    async with serving(token=TOKEN) as server, meeting_that_goes_on(server) as path:
        for headers, status in (
            ({"Authorization": "Bearer wrong"}, 401),
            ({"Origin": "https://evil.example"}, 403),
        ):
            with pytest.raises(websockets.InvalidStatus) as refused:
                await server.connect(path, additional_headers=headers)
            assert refused.value.response.status_code == status
        for token in ({}, {"token": "wrong"}, {"token": ""}):
            for name in (
                path,
                path[:8],
                "/ws/no-such-meeting",
            ):  # all alike: nobody learns which meetings there are
                async with server.connect(name) as client:
                    await client.send(json.dumps(hello | token))
                    with pytest.raises(websockets.ConnectionClosed):
                        await client.recv()
                    assert (client.close_code, client.close_reason) == (1008, "the token is missing or wrong")
        async with server.connect("/ws/no-such-meeting") as client:
            await client.send(json.dumps(hello | {"token": TOKEN}))
            with pytest.raises(websockets.ConnectionClosed, match="no meeting"):
                await client.recv()
            assert client.close_code == 1008
        good = {"Authorization": f"Bearer {TOKEN}"}
        async with server.connect(path, additional_headers=good) as client:
            await client.send(json.dumps(hello))
            assert json.loads(await client.recv())["type"] == "hello"
        with pytest.raises(websockets.InvalidStatus) as refused:
            await server.connect("/ws/no-such-meeting", additional_headers=good)
        assert refused.value.response.status_code == 404


@asynchronous
async def test_audio_that_cannot_be():
    """Frames of half samples, of absurd positions, and of a listener are errors; the third closes with 1002."""
    frames = {
        "half": (AUDIO, b"x"),
        "far": (AUDIO | {"stream": "stream-0001"}, (1 << 50).to_bytes(8, "little") + b"xx"),
        "short": (AUDIO | {"stream": "stream-0002"}, b"1234567"),
        "none": (None, b"xx"),
    }
    async with serving() as server, meeting_that_goes_on(server) as path:
        for audio, frame in frames.values():
            hello = {"role": "listen"} if audio is None else {"role": "audio", "audio": audio}
            async with server.client(path, **hello) as client:
                for _ in range(3):
                    await client.socket.send(frame)
                answers = [message for message in await client.rest() if message["type"] == "error"]
            assert len(answers) == 3
            assert client.socket.close_code == 1002
            inputs = server.hub.live[0].inputs
            for input in inputs._inputs[1:]:  # nobody waits for them to come back
                inputs.end(input)


@asynchronous
async def test_a_machine_that_is_full_says_so():
    """A meeting that the machine cannot carry is refused with 1013 and the reason; those that run go on."""
    async with serving() as server, meeting_that_goes_on(server):
        server.hub.admission = type(server.hub.admission)(0.5)
        async with server.connect("/ws/new") as client:
            await client.send(json.dumps({"type": "hello", "version": 1, "role": "audio", "audio": AUDIO}))
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
            assert client.close_code == 1013
            assert "0.50" in str(client.close_reason)


@asynchronous
async def test_what_the_server_was_told_to_hear_is_not_refused():
    """Several recordings, or a microphone beside meetings that go on after a restart, begin at once."""
    async with serving() as server:
        server.hub.admission = type(server.hub.admission)(None)
        titles = ["one", "two", "three"]
        sources = [ListSource([(0, speech("Ab"))]) for _ in titles]
        meetings = [server.hub.begin(*told) for told in zip(sources, titles, strict=True)]
        await asyncio.gather(*(meeting.task for meeting in meetings if meeting.task is not None))
        heard = [[turn.text for turn in meeting.session.meeting.turns] for meeting in meetings]
        assert heard == [["1"]] * 3


def resident(process):
    """The memory of a process, in MiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_memory_stays_bounded(tmp_path):
    """Clients that never read, giant frames, open sockets: a server holds little of what they would have it hold."""

    async def scenario():
        server = Killable(tmp_path)
        await server.start()
        async with server.client("/ws/new", role="both", audio=AUDIO) as speaker:
            path = f"/ws/{speaker.answer['session']}"
            before = resident(server.process)
            lazy = []
            for _ in range(40):
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
                lazy.append((reader, writer))
                writer.write(handshake(path))
                await reader.readuntil(b"\r\n\r\n")
                writer.write(masked('{"type": "hello", "version": 1, "after_seq": 0}'))
                await reader.readuntil(b'"type": "session"')
                cast("asyncio.Transport", writer.transport).pause_reading()
            half_open = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(50)]
            for _ in range(
                4
            ):  # 11 MB for each listener, 450 MB for all, of which the kernel may hold a third
                async with server.client(path, role="listen", after_seq=None) as other:
                    for number in range(95):
                        await other.say(type="command", id=str(number), name="bookmark", note="€" * 10_000)
                        await other.hear("ack")
            for _ in range(20):
                async with server.client(path) as giant:
                    await giant.socket.send(b"x" * 1_100_000)
                    assert await giant.closed() == 1009
            assert resident(server.process) - before < 100
            for _, writer in lazy + half_open:
                writer.transport.abort()
            await speaker.speak("A")
            await speaker.say(type="bye")
            finals = [message for message in await speaker.rest() if message["type"] == "final"]
        assert [final["turn"]["text"] for final in finals] == ["1"]
        await server.end(signal.SIGTERM)

    asyncio.run(asyncio.wait_for(scenario(), 120))  # what is sent and synced takes its time


def handshake(path):
    """A WebSocket's request."""
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    return f"{head}Connection: Upgrade\r\n{key}\r\n\r\n".encode()


def masked(text):
    """A short text frame of a client, masked with zeros."""
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text.encode()
