import json
import subprocess
import sys

import pytest
from sources.capture_fakes import ScriptedPortAudio, an_input

from meetscribe.errors import InputError, MissingError
from meetscribe.sources import inputs, pulse
from meetscribe.sources.inputs import Inputs, open_inputs

DESK = an_input("alsa_input.desk", description="Desk microphone", channels=2, rate=48_000, default=True)
ARRAY = an_input("alsa_input.array", description="Array", channels=4)
SPEAKER = an_input("alsa_output.desk.monitor", description="Monitor of Desk", monitor_of="alsa_output.desk")
SERVER = pulse.Server("pulse", "alsa_input.desk", "alsa_output.desk")


@pytest.fixture
def here(monkeypatch):
    """A sound server with three inputs."""
    found = Inputs(SERVER, (DESK, ARRAY, SPEAKER))
    monkeypatch.setattr(inputs, "look", lambda: found)
    monkeypatch.delenv("PULSE_SOURCE", raising=False)
    monkeypatch.setitem(sys.modules, "sounddevice", ScriptedPortAudio("hw:7"))
    return found


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("alsa_input.array", ARRAY),
        ("ARRAY", ARRAY),
        ("desk micro", DESK),
        ("1", ARRAY),
        ("", DESK),
        ("default", DESK),
        ("pulse", DESK),
    ],
)
def test_inputs_are_found_by_name_part_and_number(here, name, wanted):
    """A name, a part that only one has, whatever its case, the number of the list, or the default."""
    assert here.find(name) == wanted


def test_pulse_source_says_what_the_default_is(here, monkeypatch):
    """PULSE_SOURCE chooses what is recorded when no input is named, as for every program of PulseAudio."""
    monkeypatch.setenv("PULSE_SOURCE", "alsa_output.desk.monitor")
    assert here.find("default") == SPEAKER


def test_a_name_that_is_wrong_or_not_enough_lists_the_names(here):
    """What several inputs or none are called is refused, with the names that there are; exit code 2."""
    with pytest.raises(InputError, match="several") as several:
        here.find("desk")
    assert ARRAY.name not in str(several.value)
    with pytest.raises(InputError, match=ARRAY.name):
        here.find("9")


def test_where_nothing_can_be_recorded_that_is_said():
    """Without inputs, or without a loudspeaker, something is missing; exit code 3."""
    with pytest.raises(MissingError, match="plug in"):
        Inputs(None, ()).find("x")
    with pytest.raises(MissingError, match="pulseaudio-utils"):
        Inputs(None, (DESK,)).system_audio()
    with pytest.raises(MissingError, match="choose an output"):
        Inputs(SERVER, (DESK,)).system_audio()


def test_microphone_and_system_sound_are_two_channels(here):
    """A stereo microphone is one channel, and what the loudspeaker plays another."""
    source = open_inputs(["desk micro"], system_audio=True)
    assert source.channels == 2
    assert source.labels == (
        "Desk microphone (alsa_input.desk)",
        "Monitor of Desk (alsa_output.desk.monitor)",
    )
    assert source.name == " + ".join(source.labels)


@pytest.mark.parametrize(
    ("name", "count", "apart"),
    [
        ("array", 4, (0, 1, 2, 3)),
        ("array#1,3", 2, (0, 2)),
        ("array#mix", 1, None),
        ("desk micro#all", 2, (0, 1)),
    ],
)
def test_more_than_two_channels_are_kept_apart(here, name, count, apart):
    """A device of more than two channels gives each by itself; `#` chooses, keeps two apart, or mixes."""
    source = open_inputs([name], system_audio=False)
    assert source.channels == count
    assert source.lines[0].channels.apart == apart


@pytest.mark.parametrize("name", ["array#5", "array#0", "array#1,1"])
def test_channels_that_do_not_exist_are_refused(here, name):
    """Chosen channels are different ones that the device has."""
    with pytest.raises(InputError, match="channels 1 to 4"):
        open_inputs([name], system_audio=False)


def test_nothing_is_recorded_twice(here):
    """One input named twice, or the loudspeaker as input and as system sound, is refused."""
    with pytest.raises(InputError, match="twice"):
        open_inputs(["array", "1"], system_audio=False)
    with pytest.raises(InputError, match="twice"):
        open_inputs(["monitor"], system_audio=True)


def test_a_device_beside_the_sound_server_is_found_by_its_whole_name(here):
    """What the sound server does not know is taken from PortAudio, if that has exactly this name."""
    assert open_inputs(["hw:7"], system_audio=False).lines[0].input.backend == "portaudio"
    with pytest.raises(InputError):
        open_inputs(["hw"], system_audio=False)


def test_what_pactl_says_is_read_in_both_its_forms(monkeypatch):
    """Sources come from pactl's JSON, or, where an old one has none, from its short list."""
    source = {
        "name": "null.monitor",
        "description": "Monitor of Null",
        "sample_specification": "s16le 2ch 44100Hz",
        "channel_map": "front-left,front-right",
        "monitor_source": "null",
    }
    said = {"json": json.dumps([source]), "short": "0\tnull.monitor\tmodule\ts16le 2ch 44100Hz\tIDLE\n"}
    monkeypatch.setattr(pulse, "_pactl", lambda *words: said["short" if "short" in words else "json"])
    server = pulse.Server("x", "null.monitor", "null")
    (full,) = pulse.list_sources(server)
    said["json"] = "[{bad"
    (short,) = pulse.list_sources(server)
    for found in (full, short):
        assert (found.name, found.channels, found.rate) == ("null.monitor", 2, 44_100)
        assert (found.monitor_of, found.default) == ("null", True)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (b"Connected to device desk (index: 0, suspended: no).\x1b[K\n", None),
        (b"Connected to device other (index: 1, suspended: no).\x1b[K\n", "gave other instead"),
        (
            b"Time: 0.1 sec; Latency: 5 usec. \rStream moved to device x.monitor (4, not suspended).\n",
            "moved",
        ),
        (b"Stream moved to device desk (4, not suspended).\n", None),
    ],
)
def test_what_parec_says_tells_of_other_sources(said, problem):
    """A recording that is connected or moved to another source than the one asked for has a problem."""
    stream = object.__new__(pulse.PulseStream)
    stream._source, stream._problem = an_input("desk"), None
    assert stream._listen(said + b"rest") == b"rest"
    assert (stream.problem() or "") == "" if problem is None else problem in str(stream.problem())


def test_capture_needs_no_torch():
    """Capturing must not depend on what thinks: importing it imports no torch."""
    code = "import sys, meetscribe.sources.inputs; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
