import io
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import soundfile

from .browser import chromium, turns
from .proxy import Proxy
from .speaking import SPOKEN, say_numbers
from .tones import hear, write_numbers

pytestmark = pytest.mark.browser

TESTS = Path(__file__).resolve().parents[2]
NUMBERS = [str(number) for number in range(1, SPOKEN + 1)]


class Served:
    """`meetscribe serve` with a recogniser of tones, on a port that stays the same."""

    def __init__(self, data):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._data = data
        self.start()

    def start(self):
        """Start, or start again with what is on the disk."""
        command = [
            sys.executable,
            "-c",
            f"import sys; sys.path[:0] = [{str(TESTS)!r}]; from apps.web import tone_server",
        ]
        command[-1] += "; import asyncio; asyncio.run(tone_server.main(*sys.argv[1:]))"
        self._process = subprocess.Popen([*command, str(self._data), str(self.port)], stdout=subprocess.PIPE)
        assert self._process.stdout
        assert self._process.stdout.readline() == b"ready\n"

    def kill(self):
        """Kill it, as a power cut would."""
        self._process.kill()
        self._process.communicate()

    def recording(self, session, seconds):
        """The sound that it kept: int16 at 16 kHz."""
        url = f"http://127.0.0.1:{self.port}/api/sessions/{session}/audio?start=0&end={seconds}"
        with urllib.request.urlopen(url) as answer:
            samples, _ = soundfile.read(io.BytesIO(answer.read()), dtype="int16")
        return samples


@pytest.fixture
def served(tmp_path):
    """A server that can be killed."""
    running = Served(tmp_path / "data")
    yield running
    running.kill()


@pytest.fixture
def speaking(playwright, tmp_path):
    """A browser whose microphone says numbers."""
    recording = tmp_path / "numbers.wav"
    write_numbers(recording, SPOKEN)
    with chromium(playwright, recording) as running:
        yield running


def check_complete(served, speaker, watcher):
    """Both pages show the same turns, which are all numbers in order, and so is what lies on the disk."""
    assert [text for _, text in turns(watcher)] == NUMBERS
    assert turns(speaker) == turns(watcher)
    assert len({name for name, _ in turns(watcher)}) == SPOKEN, "every turn has an id of its own"
    session = watcher.url.partition("session=")[2]
    kept = np.asarray(served.recording(session, 60))
    assert [str(number) for _, _, number in hear(kept, 16_000, is_whole=True)] == NUMBERS


def test_nothing_said_during_a_cut_of_five_seconds_is_missing(speaking, served):
    """A real server behind a proxy that is killed: pages and recording are complete and agree."""
    proxy = Proxy(served.port)
    try:
        pages = say_numbers(speaking, f"http://127.0.0.1:{proxy.port}/", proxy.kill, proxy.start)
        check_complete(served, *pages)
    finally:
        proxy.close()


def test_nothing_said_while_the_server_is_killed_and_restarted_is_missing(speaking, served):
    """The server dies without a word and starts again on its own disk: pages and recording are complete and agree."""
    pages = say_numbers(speaking, f"http://127.0.0.1:{served.port}/", served.kill, served.start)
    check_complete(served, *pages)
