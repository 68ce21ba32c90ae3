"""`meetscribe live`: a meeting as it happens, on the screen of a terminal or as lines for scripts."""

import asyncio
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from meetscribe.apps.beginning import open_for_recording
from meetscribe.apps.cli.console import logger, reporting, say
from meetscribe.apps.cli.demo import speed_of
from meetscribe.apps.cli.wording import Hotwords, Numerals, Punctuation
from meetscribe.apps.config import Settings, load_settings
from meetscribe.apps.headless import StatusSink
from meetscribe.apps.headless import run as run_headless
from meetscribe.apps.own_meeting import OwnMeeting, Plan
from meetscribe.apps.recogniser import load_recogniser
from meetscribe.apps.speakers import people_of, speaker_settings
from meetscribe.apps.wording import wording_of
from meetscribe.engine.worker import WorkerRecognition
from meetscribe.errors import UsageError
from meetscribe.models import find
from meetscribe.session.ports import AudioSource, EventSink
from meetscribe.session.session import SessionSettings
from meetscribe.sinks.hooks import Hooks, HookSink
from meetscribe.sinks.jsonl import JsonLinesSink
from meetscribe.sinks.lines import LineSink
from meetscribe.sources.file import FileSource
from meetscribe.sources.inputs import open_inputs
from meetscribe.sources.layouts import LAYOUTS, open_recording
from meetscribe.sources.paced import PacedSource

Channels = Literal["mixed", "apart"]


def live(
    context: typer.Context,
    input: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="NAME|N", help="See `meetscribe devices`; repeatable."),
    ] = None,
    system_audio: Annotated[
        bool | None, typer.Option("--system-audio", help="What the loudspeaker plays too.")
    ] = None,
    echo_removal: Annotated[
        bool | None,
        typer.Option(help="Take what the loudspeaker plays out of the microphone, with --system-audio."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="What the meeting is called.")] = None,
    from_file: Annotated[
        Path | None, typer.Option(help="Play a recording as if it were live.", show_default=False)
    ] = None,
    speed: Annotated[
        str, typer.Option(help="With --from-file: how many times as fast as recorded, or `max`.")
    ] = "1",
    headless: Annotated[
        bool, typer.Option("--headless", help="No screen; ends on SIGINT or SIGTERM.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Events on stdout as JSON lines, commands on stdin; implies --headless."),
    ] = False,
    channels: Annotated[
        str | None,
        typer.Option(metavar="mixed|apart", help="One transcript of all channels, or one of each."),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(metavar="|".join(LAYOUTS), help="With --from-file: what its channels are."),
    ] = None,
    no_record: Annotated[bool, typer.Option("--no-record", help="Keep the transcript only.")] = False,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="See `meetscribe models`.")] = None,
    hotwords: Hotwords = None,
    numerals: Numerals = None,
    punctuation: Punctuation = None,
) -> None:
    """Transcribe a meeting as it happens."""
    with reporting(context.obj.verbose):
        flags = {
            "data_dir": context.obj.data_dir,
            "model": model,
            "input": input,
            "system_audio": system_audio,
            "echo_removal": echo_removal,
            "channels": channels,
            "layout": layout,
            "record": False if no_record else None,
            "hotwords": hotwords,
            "numerals": numerals,
            "punctuation": punctuation,
        }
        settings = load_settings(context.obj.config, flags)
        _check_layout(layout, from_file, channels)
        _Live(settings, context.obj.verbose, headless or as_json, as_json).run(
            title, from_file, speed_of(speed)
        )


def _check_layout(layout: str | None, file: Path | None, channels: str | None) -> None:
    """Refuse a layout where channels are told otherwise.

    Raises:
        UsageError: inputs are recorded, or `channels` says what becomes of them.
    """
    if layout is None:
        return
    if file is None:
        raise UsageError(
            "--layout is for recordings (--from-file); inputs are kept apart with --channels apart, or mixed"
        )
    if channels is not None:
        raise UsageError("--layout and --channels both say what becomes of channels; give one of them")


class _Live:
    """One call of the command."""

    def __init__(self, settings: Settings, verbose: bool, headless: bool, as_json: bool) -> None:
        if not headless and not sys.stdout.isatty():
            raise UsageError("there is no terminal for the screen; give --headless (and --json for scripts)")
        self._settings, self._headless = settings, headless
        self._log = logger(verbose)
        self._lines: JsonLinesSink | None = JsonLinesSink(sys.stdout) if as_json else None

    def run(self, title: str | None, file: Path | None, speed: float) -> None:
        """Hold the meeting."""
        model = find(self._settings.model, self._settings.own_models)
        speakers = speaker_settings(model.path, people_of(self._settings))
        plan = replace(self._plan(title, file, speed, model.name), speakers=speakers)
        say(f"{plan.source.name}, heard by {model.name!r}")
        with open_for_recording(self._settings, say, finishes=True) as store:
            recognition = WorkerRecognition(load_recogniser, model.path).worded(
                wording_of(self._settings, store)
            )
            meeting = OwnMeeting(store, plan, recognition, self._sinks)
            self._log.info("meeting begins", id=meeting.id)
            if self._headless:
                meeting.say = say
                say(f"meeting {meeting.id!r}")
                asyncio.run(self._without_screen(meeting))
            else:
                from meetscribe.apps.live.app import run

                meeting.finishes_others = False
                run(meeting)
            say(f"meeting {meeting.id!r} is kept; `meetscribe show {meeting.id}` prints it")

    def _plan(self, title: str | None, file: Path | None, speed: float, model: str) -> Plan:
        """Return what the meeting is to be."""
        source: AudioSource
        owners: tuple[str, ...] = ()
        if file is None:
            source = open_inputs(
                self._settings.input, self._settings.system_audio, self._settings.echo_removal
            )
            usual: Channels = "apart" if source.channels > 1 else "mixed"
        else:
            source, owners = self._played(file)
            usual = "apart" if owners else "mixed"
            if speed < math.inf:
                source = PacedSource(source, speed)
        mixed = (self._settings.channels or usual) == "mixed"
        session = SessionSettings(patient=file is not None and speed == math.inf, mixed=mixed)
        name = title or (file.stem if file is not None else "meeting")
        return Plan(name, source, model, session, self._settings.record, owners=owners)

    def _played(self, file: Path) -> tuple[AudioSource, tuple[str, ...]]:
        """Return a recording as its layout has it, and whose channels they are; as it is where `channels` is set."""
        if self._settings.channels is not None:
            return FileSource(file), ()
        laid = open_recording((file,), self._settings.layout)
        return laid.source, laid.names

    async def _without_screen(self, meeting: OwnMeeting) -> None:
        await run_headless(meeting, say, self._lines)

    def _sinks(self) -> list[EventSink]:
        """Return the meeting's outputs, when it begins."""
        sinks: list[EventSink] = []
        hooks = Hooks(self._settings.on_final, self._settings.on_end)
        if hooks != Hooks():
            sinks.append(HookSink(hooks, self._log))
        if self._lines is not None:
            sinks.append(self._lines)
        elif self._headless:
            sinks += [LineSink(sys.stdout), StatusSink(say)]
        return sinks
