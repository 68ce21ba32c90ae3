"""Scripted streams, inputs and a PortAudio that exists only here."""

from concurrent.futures import Executor, Future
from types import SimpleNamespace

import numpy as np

from meetscribe.errors import MissingError
from meetscribe.sources.capturing import AudioInput
from meetscribe.sources.ring import Ring


def an_input(name="desk", **changes):
    """An input of one channel at 16 kHz."""
    given = {"description": name, "backend": "pulse", "channels": 1, "rate": 16_000, **changes}
    return AudioInput(name, **given)


class Inline(Executor):
    """Does everything at once."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class FakeStream:
    """A stream that gives what a test puts into it, at the times of the test's clock."""

    def __init__(self, clock, rate=16_000, channels=1):
        self.rate, self.channels, self.clock = rate, channels, clock
        self.ring = Ring(10 * rate, channels, clock)
        self.trouble, self.closed = None, False

    def come(self, seconds, value=0.5):
        """Let sound come now, that was captured during the last `seconds`."""
        self.ring.write(np.full((round(seconds * self.rate), self.channels), value, np.float32))

    def read(self):
        return self.ring.read()

    def stamp(self):
        return self.ring.stamp

    def problem(self):
        return self.trouble

    def close(self):
        self.closed = True


class Studio:
    """A clock, and inputs that can be unplugged; `streams` are those opened so far."""

    def __init__(self, rate=16_000, channels=1):
        self.time, self.rate, self.channels = 100.0, rate, channels
        self.plugged, self.streams = True, []
        self.found: AudioInput | None = None

    def clock(self):
        return self.time

    def find(self):
        if not self.plugged:
            raise MissingError("desk: it is not there")
        return self.found or an_input(rate=self.rate, channels=self.channels)

    def open(self, wanted):
        if not self.plugged:
            raise MissingError("desk: it is not there")
        self.streams.append(FakeStream(self.clock, wanted.rate, wanted.channels))
        return self.streams[-1]


class PortAudioError(Exception):
    """What sounddevice raises."""


class ScriptedPortAudio:
    """Stands in for the module sounddevice."""

    PortAudioError = PortAudioError

    def __init__(self, *names):
        self.names, self.starts, self.streams, self.busy = list(names), 0, [], False
        self.default = SimpleNamespace(device=[0, 0])

    def query_devices(self):
        inputs = [
            {"name": name, "hostapi": 0, "max_input_channels": 2, "default_samplerate": 48_000.0}
            for name in self.names
        ]
        return [*inputs, {"name": "loud", "hostapi": 0, "max_input_channels": 0, "default_samplerate": 8e3}]

    def query_hostapis(self):
        return [{"name": "ALSA"}]

    def _terminate(self):
        assert not any(stream.active for stream in self.streams), "it ends all streams"

    def _initialize(self):
        self.starts += 1

    def InputStream(self, **options):  # noqa: N802 - its name there
        if self.busy:
            raise PortAudioError("Device unavailable")
        stream = SimpleNamespace(active=False, **options)
        stream.start = lambda: setattr(stream, "active", True)
        stream.close = lambda ignore_errors: setattr(stream, "active", False)
        self.streams.append(stream)
        return stream


def take(stream, samples, overflow=False):
    """Call a stream's callback as PortAudio does, with memory that it uses again."""
    memory = samples.copy()
    stream.callback(memory, len(memory), None, SimpleNamespace(input_overflow=overflow))
    memory[:] = np.nan
