"""What a meeting needs, looked at before it begins: each thing with what was found and what helps.

Measuring how fast this machine is runs the model on the bundled recording, as a meeting would.
Not covered: servers and brokers, which say by themselves what is wrong.
"""

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from meetscribe.apps.config import Settings
from meetscribe.apps.recogniser import Loader
from meetscribe.errors import MeetscribeError, MissingError
from meetscribe.models import find
from meetscribe.sources import portaudio, pulse
from meetscribe.sources.file import FileSource
from meetscribe.sources.inputs import Inputs, look, open_stream
from meetscribe.sources.level import Level, measure
from meetscribe.timeline import SAMPLE_RATE

Verdict = Literal["fine", "warning", "missing"]

BYTES_PER_HOUR = SAMPLE_RATE * 2 * 3600  # of one channel, until a segment is compressed
LITTLE_SPACE, SOME_SPACE = 1, 10  # hours of one channel
HEARD, SPEECH = 10, 2  # seconds of the recording that are measured, and that warm up
KEEPS_UP, BARELY = 0.5, 0.9  # seconds by the clock for a second of audio
SILENT_ROOM = -80.0  # dBFS; every working microphone is louder
SCREEN = (80, 24)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `remedy` says what helps where it is not fine."""

    name: str
    verdict: Verdict
    finding: str
    remedy: str = ""


@dataclass(frozen=True)
class Speed:
    """Seconds by the clock, and of the processor, for a second of audio of one channel."""

    by_clock: float
    of_processor: float


def check_sound(found: Inputs | MissingError) -> list[Check]:
    """Look at PortAudio, the sound server, and system sound."""
    checks = []
    server = None if isinstance(found, MissingError) else found.server
    try:
        portaudio.load()
        checks.append(Check("PortAudio", "fine", "installed"))
    except MissingError as error:
        needed: Verdict = "warning" if server is not None else "missing"
        checks.append(Check("PortAudio", needed, "not installed", str(error)))
    if server is None:
        checks.append(
            Check(
                "sound server", "warning", "none answers",
                f"system sound needs PulseAudio or PipeWire; start it, and {pulse.INSTALL}",
            )
        )  # fmt: skip
        return checks
    checks.append(Check("sound server", "fine", server.name))
    assert not isinstance(found, MissingError)
    try:
        checks.append(Check("system sound", "fine", found.system_audio().label))
    except MissingError as error:
        checks.append(Check("system sound", "warning", "none", str(error)))
    return checks


def check_inputs(found: Inputs | MissingError, heard: Callable[[Inputs], Sequence[Level]]) -> list[Check]:
    """Look at every input and how loud it is."""
    if isinstance(found, MissingError):
        return [Check("inputs", "missing", "none", str(found))]
    if not found.known:
        return [Check("inputs", "missing", "none", "plug in a microphone, or allow this program to use it")]
    checks = [_input(level) for level in heard(found)]
    if all(one.monitor_of for one in found.known):
        checks.append(
            Check("microphone", "warning", "none, only what loudspeakers play", "plug in a microphone")
        )
    return checks


def _input(level: Level) -> Check:
    name = f"input {level.input.name}"
    if level.dbfs is None:
        remedy = "close the program that uses it, or plug it in again"
        return Check(name, "warning", level.trouble or "no sound", remedy)
    loud = f"{level.dbfs:.0f} dBFS"
    if level.dbfs < SILENT_ROOM and level.input.monitor_of is None:
        return Check(name, "warning", f"silent ({loud})", "unmute it, in the system's settings and on itself")
    return Check(name, "fine", "nothing is played" if level.dbfs < SILENT_ROOM else loud)


def check_space(directory: Path) -> Check:
    """Look at how many hours can be recorded."""
    there = next(parent for parent in (directory, *directory.absolute().parents) if parent.exists())
    hours = shutil.disk_usage(there).free / BYTES_PER_HOUR
    finding = f"{hours:.0f} hours of one channel fit into {directory}"
    remedy = "make space, or choose another place with --data-dir"
    if hours < LITTLE_SPACE:
        return Check("disk space", "missing", finding, remedy)
    return Check("disk space", "warning" if hours < SOME_SPACE else "fine", finding, remedy)


def check_model(settings: Settings, load: Loader) -> tuple[list[Check], Speed | None]:
    """Look for the model, and measure how fast it runs here now."""
    try:
        model = find(settings.model, settings.own_models)
        speed = measure_speed(load, model.path)
    except MeetscribeError as error:
        return [Check("model", "missing", "not usable", str(error))], None
    return [Check("model", "fine", model.name), judge(speed)], speed


def judge(speed: Speed) -> Check:
    """Say whether this machine keeps up."""
    factor = speed.by_clock
    finding = f"{factor:.2f} s for a second of audio, {2 * factor:.2f} s with two channels"
    remedy = "close other programs; what is late is shown as lag, recorded all the same, and caught up with"
    if factor < KEEPS_UP:
        return Check("speed", "fine", f"keeps up: {finding}")
    if factor < BARELY:
        return Check("speed", "warning", f"keeps up with one channel: {finding}", remedy)
    return Check("speed", "warning", f"does not keep up: {finding}", remedy)


def measure_speed(load: Loader, model: Path) -> Speed:
    """Transcribe the beginning of the bundled recording.

    Raises:
        MeetscribeError: the model is damaged, or the recording is missing.
    """
    recogniser, sound = load(model), _bundled(HEARD)

    def hear(samples: NDArray[np.float32]) -> None:
        transcriber = recogniser.new_transcriber()
        for at in range(0, len(samples), SAMPLE_RATE // 10):
            transcriber.receive_audio(samples[at : at + SAMPLE_RATE // 10])
            while requests := transcriber.requests():
                for result in recogniser.engine.run(requests):
                    transcriber.receive_result(result)
            transcriber.events()

    hear(sound[: SPEECH * SAMPLE_RATE])  # compiles and fills caches, as the first seconds of a meeting do
    clock, processor = time.perf_counter(), time.process_time()
    hear(sound)
    seconds = len(sound) / SAMPLE_RATE
    return Speed((time.perf_counter() - clock) / seconds, (time.process_time() - processor) / seconds)


def _bundled(seconds: int) -> NDArray[np.float32]:
    with as_file(files("meetscribe") / "demo" / "recording.flac") as path:
        blocks = [block.samples[:, 0] for block in FileSource(path).read()]
    return np.concatenate(blocks)[: seconds * SAMPLE_RATE]


def check_terminal() -> Check:
    """Look at whether the screen can be drawn."""
    if not sys.stdout.isatty():
        return Check("terminal", "fine", "none here: `meetscribe live --headless` needs none")
    size = shutil.get_terminal_size()
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    if encoding != "utf8":
        return Check(
            "terminal",
            "warning",
            f"its encoding is {encoding}",
            "set LANG to one with UTF-8, such as C.UTF-8",
        )
    finding = f"{size.columns} columns, {size.lines} lines"
    if size.columns < SCREEN[0] or size.lines < SCREEN[1]:
        remedy = f"make the window at least {SCREEN[0]} by {SCREEN[1]}"
        return Check("terminal", "warning", finding, remedy)
    return Check("terminal", "fine", finding)


def examine(settings: Settings, load: Loader) -> tuple[list[Check], Speed | None]:
    """Look at everything; the speed is None where it could not be measured."""
    found: Inputs | MissingError
    try:
        found = look()
    except MissingError as error:
        found = error
    checks = check_sound(found)
    checks += check_inputs(found, lambda inputs: measure(inputs.known, open_stream))
    checks.append(check_space(settings.data_dir))
    models, speed = check_model(settings, load)
    return [*checks, *models, check_terminal()], speed
