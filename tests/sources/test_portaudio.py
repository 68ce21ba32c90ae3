import builtins
import sys

import numpy as np
import pytest
from sources.capture_fakes import ScriptedPortAudio, take

from meetscribe.errors import MissingError
from meetscribe.sources import portaudio
from meetscribe.sources.portaudio import PortAudioStream, list_devices


@pytest.fixture
def module(monkeypatch):
    """Put a scripted PortAudio with two microphones in the place of sounddevice."""
    scripted = ScriptedPortAudio("built-in", "headset")
    monkeypatch.setitem(sys.modules, "sounddevice", scripted)
    monkeypatch.setattr(portaudio, "_open_streams", 0)
    return scripted


def test_only_what_can_be_recorded_is_listed(module):
    """Devices without inputs are left out; names, channels, rate and the default are PortAudio's."""
    first, second = list_devices()
    assert (first.name, first.channels, first.rate, first.default) == ("built-in", 2, 48_000, True)
    assert (second.description, second.default) == ("headset, ALSA", False)


def test_the_callback_only_copies(module):
    """Memory that PortAudio uses again after the callback changes nothing that was captured."""
    stream = PortAudioStream(list_devices()[0])
    sound = np.arange(20, dtype=np.float32).reshape(10, 2)
    take(module.streams[0], sound)
    take(module.streams[0], sound)
    (piece,) = stream.read()
    np.testing.assert_array_equal(piece.samples, np.concatenate([sound, sound]))


def test_overflows_of_portaudio_are_counted(module):
    """What PortAudio itself could not take is an overrun."""
    stream = PortAudioStream(list_devices()[0])
    take(module.streams[0], np.zeros((10, 2), np.float32), overflow=True)
    assert stream._ring.overruns == 1


def test_a_stream_that_is_not_active_has_a_problem(module):
    """When a device goes PortAudio only says that the stream is not active."""
    stream = PortAudioStream(list_devices()[0])
    assert stream.problem() is None
    module.streams[0].active = False
    assert stream.problem() == "the device stopped"
    stream.close()
    stream.close()


def test_a_device_is_found_again_by_its_name(module):
    """After devices changed their numbers the one of the same name is opened, and PortAudio has looked again."""
    wanted = list_devices()[1]
    module.names.reverse()
    starts = module.starts
    stream = PortAudioStream(wanted)
    assert module.starts == starts + 1
    assert module.streams[0].device == 0
    assert (module.streams[0].channels, module.streams[0].samplerate) == (2, 48_000)
    PortAudioStream(list_devices()[1])  # looking again would end the first
    assert module.starts == starts + 1
    stream.close()


@pytest.mark.parametrize("busy", [True, False])
def test_a_device_that_cannot_be_opened_is_named(module, busy):
    """A device that another program has, or that is gone, is said by its name, with what to do."""
    wanted = list_devices()[1]
    module.busy = busy
    if not busy:
        module.names.remove("headset")
    with pytest.raises(MissingError, match=r"headset: it cannot be recorded .*; close the program"):
        PortAudioStream(wanted)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError("PortAudio library not found"), "apt-get install libportaudio2"),
        (ImportError(), "pip install"),
    ],
)
def test_without_portaudio_the_install_command_is_said(monkeypatch, error, sentence):
    """A missing library or module is one sentence with the command that brings it."""
    importing = builtins.__import__

    def fails(name, *arguments, **options):
        if name == "sounddevice":
            raise error
        return importing(name, *arguments, **options)

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(builtins, "__import__", fails)
    with pytest.raises(MissingError, match=sentence) as raised:
        list_devices()
    assert raised.value.exit_code == 3
