"""Finding inputs by name or number, and opening them as one source.

Where PulseAudio or PipeWire answers, its sources are the inputs, monitors of loudspeakers among them; elsewhere
PortAudio's devices are. A name that the sound server does not know is looked for among PortAudio's devices too.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from meetscribe.errors import InputError, MissingError
from meetscribe.sources import portaudio, pulse
from meetscribe.sources.capturing import AudioInput, Stream
from meetscribe.sources.echo_removal import EchoRemoval
from meetscribe.sources.line import Line
from meetscribe.sources.listening import Channels
from meetscribe.sources.microphone import LiveSource

MIXED = 2  # up to so many channels of a device are one channel of the meeting unless chosen with `#`
USUAL = ("", "default", "pulse")  # names of whatever the system records by default
_CHOICE = re.compile(r"^(?P<name>.*)#(?P<channels>all|mix|\d+(?:,\d+)*)$")


@dataclass(frozen=True)
class Inputs:
    """What can be recorded here."""

    server: pulse.Server | None
    known: tuple[AudioInput, ...]

    def find(self, name: str) -> AudioInput:
        """Return the input of a number, a name, a unique part of a name, or the default one (`USUAL`).

        Raises:
            MissingError: nothing can be recorded here.
            InputError: no input is called so, or several.
        """
        if not self.known:
            raise MissingError(
                "nothing can be recorded here; plug in a microphone, `meetscribe doctor` says more"
            )
        if name.casefold() in USUAL:
            wanted = os.environ.get("PULSE_SOURCE") if self.server is not None else None
            return self.find(wanted) if wanted else self._default()
        if name.isdecimal() and int(name) < len(self.known):
            return self.known[int(name)]
        return self._named(name)

    def system_audio(self) -> AudioInput:
        """Return what the loudspeaker in use plays.

        Raises:
            MissingError: there is no sound server, or it has no loudspeaker.
        """
        if self.server is None:
            raise MissingError(
                f"system sound needs PulseAudio or PipeWire and their programs; {pulse.INSTALL}, or start the server"
            )
        for known in self.known:
            if known.monitor_of is not None and known.monitor_of == self.server.default_sink:
                return known
        raise MissingError(
            "the sound server plays nothing that could be recorded; choose an output in its settings"
        )

    def _default(self) -> AudioInput:
        return next((known for known in self.known if known.default), self.known[0])

    def _named(self, name: str) -> AudioInput:
        same = [known for known in self.known if known.name == name]
        part = name.casefold()
        like = same or [
            known for known in self.known if part in f"{known.name}\n{known.description}".casefold()
        ]
        if len(like) == 1:
            return like[0]
        names = ", ".join(known.name for known in like or self.known)
        if like:
            raise InputError(
                f"--input {name}: several are called so ({names}); give more of the name or a number"
            )
        raise InputError(f"--input {name}: there is no such input; there are: {names}")


def look() -> Inputs:
    """Return what can be recorded here now.

    Raises:
        MissingError: there is neither a sound server nor PortAudio.
    """
    server = pulse.find_server()
    if server is not None:
        return Inputs(server, tuple(pulse.list_sources(server)))
    return Inputs(None, tuple(portaudio.list_devices()))


def open_stream(wanted: AudioInput) -> Stream:
    """Open an input by the way it was found.

    Raises:
        MissingError: it cannot be opened.
    """
    return pulse.PulseStream(wanted) if wanted.backend == "pulse" else portaudio.PortAudioStream(wanted)


def open_inputs(names: Sequence[str], system_audio: bool, remove_echo: bool = True) -> LiveSource:
    """Return a source of inputs; they are opened when its blocks are read.

    Args:
        names: `NAME`, `N`, or either with `#1,3` (these channels, from 1, each kept apart), `#all` or `#mix`; no
            names mean the default input.
        system_audio: what the loudspeaker plays, as a channel after the others.
        remove_echo: whether that is taken out of the others.

    Raises:
        MissingError: there is nothing to record here, or no system sound.
        InputError: a name is wrong, or one input is named twice.
    """
    inputs = look()
    lines = [_line(inputs, name) for name in names or [""]]
    if system_audio:
        lines.append(
            Line(inputs.system_audio(), lambda: look().system_audio(), open_stream, Channels(), follows=True)
        )
    _check_different(lines)
    microphones = sum(line.channels.count for line in lines) - 1
    return LiveSource(lines, EchoRemoval(microphones) if system_audio and remove_echo else None)


def _line(inputs: Inputs, text: str) -> Line:
    choice = _CHOICE.match(text)
    try:
        wanted = inputs.find(choice["name"] if choice else text)
    except InputError:
        wanted = _outside(text if choice is None else choice["name"])
        if wanted is None:
            raise
    channels = _channels(wanted, choice["channels"] if choice else "", text)
    return Line(wanted, lambda: _again(wanted), open_stream, channels)


def _outside(name: str) -> AudioInput | None:
    """Return PortAudio's device of exactly this name where a sound server is the usual way."""
    try:
        devices = portaudio.list_devices()
    except MissingError:
        return None
    return next((device for device in devices if device.name == name and name.casefold() not in USUAL), None)


def _again(wanted: AudioInput) -> AudioInput:
    """Return the same input as it is now.

    Raises:
        MissingError: it is not there.
    """
    if wanted.backend == "portaudio":
        return wanted  # PortAudio looks for it when it is opened
    server = pulse.find_server()
    for known in pulse.list_sources(server) if server is not None else []:
        if known.name == wanted.name:
            return known
    raise MissingError(f"{wanted.label}: it is not there")


def _channels(wanted: AudioInput, choice: str, text: str) -> Channels:
    if choice == "mix" or (not choice and wanted.channels <= MIXED):
        return Channels()
    if choice in ("", "all"):
        return Channels(tuple(range(wanted.channels)))
    chosen = tuple(int(number) - 1 for number in choice.split(","))
    if min(chosen) < 0 or max(chosen) >= wanted.channels or len(set(chosen)) < len(chosen):
        raise InputError(
            f"--input {text}: {wanted.label} has channels 1 to {wanted.channels}; choose among them"
        )
    return Channels(chosen)


def _check_different(lines: Sequence[Line]) -> None:
    """Refuse to record one thing twice."""
    names = [(line.input.backend, line.input.name) for line in lines]
    for line, name in zip(lines, names, strict=True):
        if names.count(name) > 1:
            raise InputError(
                f"{line.input.label} would be recorded twice; name each input once (see `meetscribe devices`), "
                "and a microphone beside --system-audio"
            )
