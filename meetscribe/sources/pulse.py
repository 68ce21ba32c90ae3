"""Capturing through PulseAudio, or PipeWire in its place, by the server's own clients `pactl` and `parec`.

PortAudio sees only `pulse` and `default` here; this sees every source by its stable name, monitors of loudspeakers
included. The server moves a stream without asking to another source when its own goes away: `parec --verbose` says so
on stderr before it gives a sample of the other source, and what comes after that is not read (`docs/decisions/0017`).
Not covered: servers on other machines, and capturing one program's sound.
"""

import json
import os
import re
import selectors
import shutil
import subprocess
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from meetscribe.errors import MissingError
from meetscribe.sources.capturing import LATENCY_MS, RING_SECONDS, AudioInput
from meetscribe.sources.ring import Piece, Ring, Stamp

PROGRAMS = ("pactl", "parec")
INSTALL = "install pulseaudio-utils (Debian, Ubuntu, Fedora) or libpulse (Arch)"
_TIMEOUT = 5.0  # seconds that a server may take to answer
_CONNECTED = re.compile(r"Connected to device (.+) \(index: \d+, suspended: \w+\)")
_MOVED = re.compile(r"Stream moved to device (.+) \(\d+, ")
_FAILED = re.compile(r"(?:Stream error|Connection failure|Stream .*failed|.*\(\) failed): (.+)")
_READ = 1 << 16  # bytes read at once
_LEAVE = 2.0  # seconds that parec may take to end


@dataclass(frozen=True)
class Server:
    """A sound server that answers."""

    name: str  # as it calls itself
    default_source: str
    default_sink: str


def find_server() -> Server | None:
    """Return the sound server of this user; None where none answers or its programs are missing."""
    if any(shutil.which(program) is None for program in PROGRAMS):
        return None
    try:
        lines = _pactl("info").splitlines()
    except MissingError:
        return None
    said = dict(line.split(": ", 1) for line in lines if ": " in line)
    return Server(
        said.get("Server Name", "PulseAudio"), said.get("Default Source", ""), said.get("Default Sink", "")
    )


def list_sources(server: Server) -> list[AudioInput]:
    """Return every source of the server, in its order.

    Raises:
        MissingError: the server does not answer any more.
    """
    try:
        sources = json.loads(_pactl("-f", "json", "list", "sources"))
        return [_source(source, server) for source in sources]
    except (ValueError, KeyError, TypeError):  # an old pactl, or a device whose description is no UTF-8
        rows = [line.split("\t") for line in _pactl("list", "short", "sources").splitlines()]
        return [_short_source(row, server) for row in rows if len(row) >= 4]


def _pactl(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["pactl", *arguments], capture_output=True, check=True, timeout=_TIMEOUT, env=_environment()
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingError(
            "the sound server does not answer; start it (systemctl --user start pulseaudio)"
        ) from error
    return done.stdout.decode("utf-8", "replace")


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}  # what its programs say is read


def _source(source: dict[str, Any], server: Server) -> AudioInput:
    channels, rate = _specification(source["sample_specification"])
    monitor = source.get("monitor_source") or None
    return AudioInput(
        name=source["name"],
        description=source.get("description") or source["name"],
        backend="pulse",
        channels=channels,
        rate=rate,
        channel_map=source.get("channel_map", ""),
        monitor_of=None if monitor == "n/a" else monitor,
        default=source["name"] == server.default_source,
    )


def _short_source(row: list[str], server: Server) -> AudioInput:
    name, (channels, rate) = row[1], _specification(row[3])
    monitor = name.removesuffix(".monitor") if name.endswith(".monitor") else None
    default = name == server.default_source
    return AudioInput(name, name, "pulse", channels, rate, monitor_of=monitor, default=default)


def _specification(text: str) -> tuple[int, int]:
    """Return channels and rate of `s16le 2ch 44100Hz`."""
    found = re.search(r"(\d+)ch (\d+)Hz", text)
    return (int(found[1]), int(found[2])) if found else (1, 48_000)


class PulseStream:
    """`parec` on one source, read by a thread into a ring.

    Args:
        source: what is recorded.

    Raises:
        MissingError: parec is not here.
    """

    def __init__(self, source: AudioInput) -> None:
        self.rate = source.rate
        self._source = source
        self._ring = Ring(RING_SECONDS * source.rate, source.channels)
        self._problem: str | None = None
        self._said = ""  # the last thing that went wrong, as parec said it
        try:
            self._process = subprocess.Popen(
                _command(source),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=_environment(),
                start_new_session=True,  # an interrupt at the keyboard is for us: we end it, after the last word
            )
        except OSError as error:
            raise MissingError(f"parec cannot be started ({error.strerror}); {INSTALL}") from error
        self._thread = threading.Thread(target=self._run, name=f"capture {source.name}", daemon=True)
        self._thread.start()

    def read(self) -> list[Piece]:
        """Return what has come since the last call."""
        return self._ring.read()

    def stamp(self) -> Stamp | None:
        """Say when the last sample came, None before the first."""
        return self._ring.stamp

    def problem(self) -> str | None:
        """Say why nothing more will come, None while all is well."""
        return self._problem

    def close(self) -> None:
        """End parec."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(_LEAVE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(_LEAVE)

    def _run(self) -> None:
        """Copy sound into the ring until something is wrong; the thread's whole work."""
        process, rest, heard = self._process, b"", b""
        assert process.stdout is not None
        assert process.stderr is not None
        with process.stdout as sound, process.stderr as talk, selectors.DefaultSelector() as waiting:
            os.set_blocking(talk.fileno(), False)
            waiting.register(sound, selectors.EVENT_READ)
            waiting.register(talk, selectors.EVENT_READ)
            while self._problem is None:
                ready = [key.fileobj for key, _ in waiting.select()]
                data = os.read(sound.fileno(), _READ) if sound in ready else None
                # only now, so that a move that parec told before it gave this data is known
                heard = self._listen(heard + (_read_all(talk.fileno())))
                if self._problem is None and data:
                    rest = self._store(rest + data)
                elif data == b"":
                    self._problem = self._problem or self._said or "the sound server ended the recording"
        self._process.terminate()

    def _store(self, data: bytes) -> bytes:
        """Put whole frames into the ring; return the bytes of one that is not whole yet."""
        size = 4 * self._source.channels
        whole = len(data) // size * size
        self._ring.write(np.frombuffer(data[:whole], "<f4").reshape(-1, self._source.channels))
        return data[whole:]

    def _listen(self, talk: bytes) -> bytes:
        """Understand whole lines of what parec says; return the beginning of the next one."""
        *lines, rest = re.split(rb"[\r\n]", talk)
        for line in lines:
            text = line.decode("utf-8", "replace").replace("\x1b[K", "").strip()
            if (moved := _MOVED.match(text)) and moved[1] != self._source.name:
                self._problem = f"the sound server moved the recording to {moved[1]}"
            elif (connected := _CONNECTED.match(text)) and connected[1] != self._source.name:
                self._problem = f"the sound server gave {connected[1]} instead"
            elif failed := _FAILED.match(text):
                self._said = f"the sound server ended the recording ({failed[1].lower()})"
        return rest


def _read_all(descriptor: int) -> bytes:
    """Return what is there to read without waiting."""
    read = b""
    try:
        while more := os.read(descriptor, _READ):
            read += more
    except BlockingIOError:
        pass
    return read


def _command(source: AudioInput) -> list[str]:
    options = [
        "--verbose",  # says when the stream is moved
        "--raw",
        "--format=float32le",
        f"--device={source.name}",
        f"--rate={source.rate}",
        f"--channels={source.channels}",
        f"--latency-msec={LATENCY_MS}",
        "--client-name=meetscribe",
        "--stream-name=meeting",
        "--property=node.dont-reconnect=true",  # PipeWire: end rather than move
    ]
    if source.channel_map:
        options.append(f"--channel-map={source.channel_map}")
    return ["parec", *options]
