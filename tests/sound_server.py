"""A PulseAudio of the test's own, with null sinks: what is played into one can be recorded from its monitor.

Without PulseAudio tests are skipped with a sentence; in continuous integration, which installs it, they fail.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

PROGRAMS = ("pulseaudio", "pactl", "parec", "paplay")
_PATIENCE = 20.0


def require_sound_server():
    """Skip the test where PulseAudio's programs are missing, unless `.ci/run` should have installed them."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"{', '.join(missing)} not found; apt-get install pulseaudio pulseaudio-utils")
    assert not missing


class SoundServer:
    """A PulseAudio whose files lie in `home`; `environment` makes programs find it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None
        self._modules: dict[str, str] = {}
        self.environment = {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "PULSE_RUNTIME_PATH": str(home / "pulse"),
            "PULSE_SERVER": f"unix:{home}/pulse/native",
        }
        self.players: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        command = ["pulseaudio", "-n", "--daemonize=no", "--system=false", "--exit-idle-time=-1"]
        command += ["--use-pid-file=no", "--realtime=no", "--high-priority=no", "--disable-shm=yes"]
        command += ["--load=module-native-protocol-unix auth-anonymous=1"]
        self.process = subprocess.Popen(
            command, env={**os.environ, **self.environment}, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + _PATIENCE
        while subprocess.run(["pactl", "info"], check=False, capture_output=True, env=self._all()).returncode:
            assert time.monotonic() < end, "PulseAudio did not start"
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill the server as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def add_sink(self, name: str) -> None:
        """Add a null sink."""
        module = self.control("load-module", "module-null-sink", f"sink_name={name}", "rate=48000")
        self._modules[name] = module.strip()

    def remove_sink(self, name: str) -> None:
        """Take a null sink away, as when a loudspeaker is unplugged."""
        self.control("unload-module", self._modules.pop(name))

    def control(self, *words: str) -> str:
        """Call pactl and return what it says."""
        done = subprocess.run(["pactl", *words], capture_output=True, text=True, check=True, env=self._all())
        return done.stdout

    def play(self, sink: str, samples: np.ndarray, rate: int = 16_000) -> subprocess.Popen[bytes]:
        """Begin to play samples into a sink."""
        path = self.home / f"{sink}-{len(self.players)}.wav"
        soundfile.write(path, samples, rate, subtype="PCM_16")
        command = ["paplay", f"--device={sink}", str(path)]
        self.players.append(subprocess.Popen(command, env=self._all(), stderr=subprocess.DEVNULL))
        return self.players[-1]

    def _all(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


@contextmanager
def running_sound_server() -> Iterator[SoundServer]:
    """Start a server without sinks, and end it with everything that played."""
    require_sound_server()
    home = Path(tempfile.mkdtemp(prefix="meetscribe-"))  # short: it will hold a socket
    server = SoundServer(home)
    try:
        server.start()
        yield server
    finally:
        for player in server.players:
            player.kill()
            player.wait()
        if server.process is not None:
            server.kill()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def meeting_sink_and_another() -> Iterator[SoundServer]:
    """Start a server with a sink `meeting`, that a meeting is played into, and `other`, that is in use otherwise."""
    with running_sound_server() as running:
        running.add_sink("meeting")
        running.add_sink("other")
        running.control("set-default-sink", "other")
        yield running
