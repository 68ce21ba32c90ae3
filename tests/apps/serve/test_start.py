import asyncio
import datetime
import io
import json
import signal
import socket
import ssl

import pytest
import stored_meetings as made
import structlog
import websockets
from killable import Killable
from serving import AUDIO, QUIET, Client, asynchronous, serving

from meetscribe import events as ev
from meetscribe.apps.config import load_settings
from meetscribe.apps.serve import start
from meetscribe.apps.serve.access import check_address, check_origins
from meetscribe.apps.serve.admission import Admission
from meetscribe.apps.serve.server import Tls, check_tls, listen, shown_address
from meetscribe.errors import MissingError, UsageError
from meetscribe.store.store import Store


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "meeting.example.org"])
def test_other_machines_need_a_token(host):
    """An address that others reach is refused without a token, and the sentence says what to do."""
    with pytest.raises(UsageError, match="--token, or set MEETSCRIBE_TOKEN"):
        check_address(host, None)
    check_address(host, "a-token-that-is-long-enough")


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("localhost", "127.0.0.1"), ("127.0.0.2", "127.0.0.2")],
)
def test_this_machine_needs_none(host, shown):
    """Loopback addresses need no token: a socket is open there, and its address can be put into a browser."""
    check_address(host, None)
    (one,) = listen(host, [0])
    with one, socket.create_connection(one.getsockname()[:2], timeout=5):
        assert shown_address(one) == f"{shown}:{one.getsockname()[1]}"


@pytest.mark.parametrize("token", ["short", "with a space in it", "naïve-token-value"])
def test_a_token_has_to_be_one(token):
    """What can be guessed, or cannot be said in a header, is no token."""
    with pytest.raises(UsageError):
        check_address("127.0.0.1", token)


def test_a_port_in_use_is_said():
    """Exit code 3, with what can be done."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(MissingError, match="is in use"):
            listen("127.0.0.1", [taken.getsockname()[1]])


def test_tls_needs_both_files(tmp_path):
    """A certificate without its key, or a file that is not there, is said before anything is opened."""
    with pytest.raises(UsageError, match="both"):
        check_tls(tmp_path / "cert.pem", None)
    with pytest.raises(UsageError, match="cannot be read"):
        check_tls(tmp_path / "cert.pem", tmp_path / "key.pem")
    tls = certificate(tmp_path)
    assert check_tls(tls.certificate, tls.key) == tls
    with pytest.raises(UsageError, match="cannot be used together"):
        check_tls(tls.key, tls.certificate)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://Friend.example/", "https://friend.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://friend.example:443", "https://friend.example"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
    ],
)
def test_origins_are_kept_as_browsers_write_them(given, kept):
    """In small letters, without the usual port and without a slash at the end."""
    assert check_origins([given]) == (kept,)


@pytest.mark.parametrize(
    "given", ["*", "friend.example", "null", "https://friend.example/page", "http://a:b", "https://u@host"]
)
def test_what_can_be_no_origin_is_refused(given):
    """It would never match; the sentence says how an origin looks."""
    with pytest.raises(UsageError, match=r"as https://example\.org"):
        check_origins([given])


@pytest.mark.parametrize("removes", [True, False])
def test_echo_stays_where_settings_say_so(monkeypatch, removes):
    """What is heard with `echo_removal = false` is the microphone as it is."""
    asked = []
    monkeypatch.setattr(start, "open_inputs", lambda *given: asked.append(given))
    start.Heard(inputs=("desk",), system_audio=True, remove_echo=removes).open()
    assert asked == [(("desk",), True, removes)]


@pytest.mark.parametrize(
    ("factor", "running", "more", "lag", "admitted"),
    [
        (None, 0, 1, 0, True),
        (None, 1, 1, 0, False),
        (0.1, 7, 1, 0, True),
        (0.1, 8, 1, 0, False),
        (2.0, 0, 1, 0, True),
        (2.0, 1, 1, 0, False),
        (0.01, 3, 1, 11 * 16_000, False),
    ],
)
def test_admission_follows_the_measured_speed(factor, running, more, lag, admitted):
    """One meeting may always run; others as far as the measured speed carries them, and none while one is behind."""
    assert (Admission(factor).refusal(running, more, lag) is None) == admitted


def test_past_meetings_are_not_read_for_every_client(tmp_path):
    """What people put right is listened for half a minute later; a list that got unusable changes nothing."""
    listed, now = tmp_path / "names.txt", [0.0]
    listed.write_text("Anna\n")
    (tmp_path / "config.toml").write_text("")
    settings = load_settings(tmp_path / "config.toml", {"data_dir": tmp_path, "hotwords": listed})
    wording = start.CurrentWording(settings, QUIET, lambda: now[0])
    assert wording().learned == ()
    with Store(tmp_path) as store:
        heard = ev.Final(turn=made.turn("t1", 0, 2, "this is data today", "s1"))
        made.record(store, heard, ev.Correction(turn="t1", text="this is Nagy today"))
    assert wording().learned == ()
    now[0] += 30
    assert wording().learned == ("Nagy",)
    listed.unlink()
    now[0] += 30
    assert (wording().hotwords, wording().learned) == (("Anna",), ("Nagy",))


def certificate(folder):
    """A certificate of its own making for localhost."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    pem = serialization.Encoding.PEM
    nothing = serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, nothing)
    )
    return Tls(folder / "cert.pem", folder / "key.pem")


def test_tls_keeps_what_is_said_between_two(tmp_path):
    """With certificate and key clients connect by wss."""

    @asynchronous
    async def scenario():
        tls = certificate(tmp_path)
        trusted = ssl.create_default_context(cafile=str(tls.certificate))
        async with serving(tls=tls) as server:
            url = f"wss://localhost:{server.port}/ws/new"
            async with websockets.connect(url, ssl=trusted, host="127.0.0.1") as connection:
                client = Client(connection)
                await client.say(type="hello", version=1, role="audio", after_seq=0, audio=AUDIO)
                assert (await client.hear())["type"] == "hello"

    scenario()


def test_sigterm_finishes_the_last_turn(tmp_path):
    """On SIGTERM what was said is finished and the end sent; sockets close with 1001, and the process ends well."""

    @asynchronous
    async def scenario():
        server = Killable(tmp_path)
        await server.start()
        async with server.client("/ws/new", role="both", audio=AUDIO) as speaker:
            await speaker.speak("Ab")
            await speaker.hear("final")
            await speaker.speak("C")
            half = speaker.socket.send(b"\xff\x3f\x01\xc0" * 4000)  # half a loud second, not finished
            await half
            await asyncio.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            last = await speaker.rest()
        assert speaker.socket.close_code == 1001
        assert [message["type"] for message in last if "seq" in message][-1] == "end"
        finals = [message["turn"]["text"] for message in last if message["type"] == "final"]
        assert finals == ["3", "4"]
        await server.process.wait()
        assert server.process.returncode == 0

    scenario()


@asynchronous
async def test_a_model_that_cannot_be_loaded_ends_the_server():
    """What goes on beside the sockets may fail: then they are closed, and the error is the command's."""

    async def failing():
        await asyncio.sleep(0.1)
        raise MissingError("the model is damaged")

    async with serving(beside=asyncio.create_task(failing())) as server:
        with pytest.raises(MissingError, match="damaged"):
            await asyncio.wait_for(server.task, 10)


@asynchronous
async def test_logs_hold_no_text():
    """What a server logs names meetings and codes, in JSON, and nothing that was said or typed."""
    out = io.StringIO()
    log = structlog.wrap_logger(structlog.PrintLogger(out), processors=[structlog.processors.JSONRenderer()])
    async with serving(log=log) as server, server.client(role="both", audio=AUDIO, title="x") as speaker:
        await speaker.speak("Ab")
        final = await speaker.hear("final")
        await speaker.say(type="command", id="c", name="correct", turn=final["turn"]["id"], text="SECRET")
        await speaker.hear("correction")
        await speaker.say(type="bye")
        await speaker.rest()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {line["event"] for line in lines} == {"meeting begins", "meeting ends", "the server goes"}
    assert "SECRET" not in out.getvalue()


@asynchronous
async def test_nothing_else_is_printed(capfd):
    """Refused handshakes and texts that are none are lines of the log too, and not the words of a library."""
    out = io.StringIO()
    log = structlog.wrap_logger(structlog.PrintLogger(out), processors=[structlog.processors.JSONRenderer()])
    async with serving(log=log) as server:
        with pytest.raises(websockets.InvalidStatus):
            await server.connect("/ws/none")
        async with server.connect() as client:
            await client.send(b"\xffSECRET", text=True)
            await client.wait_closed()
            assert client.close_code == 1007
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] == [
        "handshake refused",
        "the library of the sockets complains",
        "the server goes",
    ]
    assert lines[1]["error"] == "UnicodeDecodeError"
    assert "SECRET" not in out.getvalue()
    assert capfd.readouterr().err == ""


@asynchronous
async def test_two_clients_speak_in_one_meeting():
    """Who joins with audio is heard too; who goes away holds the meeting up until they come back, and loses nothing."""
    one, two = (
        AUDIO | {"stream": "stream-0001", "name": "one"},
        AUDIO | {"stream": "stream-0002", "name": "two"},
    )
    async with serving() as server, server.client(role="both", audio=one) as first:
        path = f"/ws/{first.answer['session']}"
        async with server.client(path, role="audio", audio=two) as second:
            await first.stream("Abbbb")
            await second.stream("bb")
            await first.hear("final")
        await first.hear("status")
        async with server.client(path, role="audio", audio=two) as second:
            position = second.answer["audio"]["position"]
            await second.stream("bbCb", position)
            await second.say(type="bye")
            await first.say(type="bye")
            assert await second.closed() == 1000
            messages = await first.rest()
    assert [message["turn"]["text"] for message in messages if message["type"] == "final"] == ["3"]
    assert messages[-1]["duration"] == 5.0
