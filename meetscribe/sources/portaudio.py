"""Capturing through PortAudio, where no sound server answers: ALSA, JACK, and other systems.

sounddevice is imported late, because it needs the library PortAudio and raises OSError without it.
Not covered: monitors of loudspeakers, which PortAudio does not know.
"""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meetscribe.errors import MissingError
from meetscribe.sources.capturing import RING_SECONDS, AudioInput
from meetscribe.sources.ring import Piece, Ring, Stamp

INSTALL = "apt-get install libportaudio2 (Debian, Ubuntu), dnf install portaudio, brew install portaudio"
MOST_CHANNELS = 32  # ALSA's plugins claim to have more

_open_streams = 0
_guard = threading.Lock()


def load() -> Any:
    """Return the module sounddevice.

    Raises:
        MissingError: it, or PortAudio, is not installed.
    """
    try:
        import sounddevice  # noqa: PLC0415 - it raises without PortAudio, which most commands do not need
    except ImportError as error:
        raise MissingError("sounddevice is not installed; pip install sounddevice") from error
    except OSError as error:
        raise MissingError(f"PortAudio is not installed; {INSTALL}") from error
    return sounddevice


def list_devices() -> list[AudioInput]:
    """Return the devices of PortAudio that can be recorded.

    Raises:
        MissingError: PortAudio is missing or does not start.
    """
    sounddevice = load()
    try:
        devices, apis = sounddevice.query_devices(), sounddevice.query_hostapis()
        default = sounddevice.default.device[0]
    except sounddevice.PortAudioError as error:
        raise MissingError(f"PortAudio does not start ({error}); look at `meetscribe doctor`") from error
    return [
        AudioInput(
            name=device["name"],
            description=f"{device['name']}, {apis[device['hostapi']]['name']}",
            backend="portaudio",
            channels=min(device["max_input_channels"], MOST_CHANNELS),
            rate=round(device["default_samplerate"]),
            default=index == default,
        )
        for index, device in enumerate(devices)
        if device["max_input_channels"] > 0
    ]


class PortAudioStream:
    """A device of PortAudio; its callback copies into a ring and does nothing else.

    Args:
        device: what is recorded, found again by its name.

    Raises:
        MissingError: it is not there, or cannot be opened.
    """

    def __init__(self, device: AudioInput) -> None:
        sounddevice = load()
        self.rate = device.rate
        self._ring = Ring(RING_SECONDS * device.rate, device.channels)
        self._stream: Any = None
        with _guard:
            _look_again(sounddevice)
            try:
                self._stream = sounddevice.InputStream(
                    device=_index(sounddevice, device),
                    channels=device.channels,
                    samplerate=device.rate,
                    dtype="float32",
                    callback=self._take,
                )
                self._stream.start()
            except (sounddevice.PortAudioError, ValueError) as error:
                self._discard()
                raise MissingError(
                    f"{device.name}: it cannot be recorded ({error}); close the program that uses it"
                ) from error
            _count(+1)

    def _take(self, samples: NDArray[np.float32], frames: int, time: Any, status: Any) -> None:
        """Copy what has come; PortAudio's thread, which must not wait."""
        if status.input_overflow:
            self._ring.overruns += 1
        self._ring.write(samples)

    def read(self) -> list[Piece]:
        """Return what has come since the last call."""
        return self._ring.read()

    def stamp(self) -> Stamp | None:
        """Say when the last sample came, None before the first."""
        return self._ring.stamp

    def problem(self) -> str | None:
        """Say why nothing more will come, None while all is well."""
        if self._stream is not None and self._stream.active:
            return None
        return "the device stopped"

    def close(self) -> None:
        """Close the device."""
        with _guard:
            if self._stream is not None:
                self._discard()
                _count(-1)

    def _discard(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(ignore_errors=True)


def _count(change: int) -> None:
    global _open_streams  # noqa: PLW0603 - PortAudio is one per process too
    _open_streams += change


def _look_again(sounddevice: Any) -> None:
    """Let PortAudio see devices that came since it started; that would end streams, so only while there are none."""
    if _open_streams == 0:
        sounddevice._terminate()
        sounddevice._initialize()


def _index(sounddevice: Any, device: AudioInput) -> int:
    for index, known in enumerate(sounddevice.query_devices()):
        if known["name"] == device.name and known["max_input_channels"] > 0:
            return index
    raise ValueError("it is not there")
