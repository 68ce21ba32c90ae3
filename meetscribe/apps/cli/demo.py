"""`meetscribe demo`: the recording that comes with the package, transcribed as if it were live."""

import asyncio
import math
import sys
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from meetscribe.apps.cli.console import reporting, say
from meetscribe.apps.config import load_settings
from meetscribe.apps.hearing import PATIENT
from meetscribe.apps.recogniser import load_recogniser
from meetscribe.errors import MissingError, UsageError
from meetscribe.events import DurableEvent, Session
from meetscribe.meeting import fold
from meetscribe.models import find
from meetscribe.session.ports import AudioSource, EventSink
from meetscribe.session.session import MeetingSession
from meetscribe.sinks.lines import LineSink, TenthsSink
from meetscribe.sinks.screen import ScreenSink
from meetscribe.sources.file import FileSource
from meetscribe.sources.paced import PacedSource
from meetscribe.timeline import clock


def demo(
    context: typer.Context,
    speed: Annotated[
        str | None,
        typer.Option(help="How many times as fast as recorded, or `max`; on a terminal 1, elsewhere max."),
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="See `meetscribe models`.")] = None,
) -> None:
    """Transcribe the bundled recording as if it were live."""
    with reporting(context.obj.verbose):
        settings = load_settings(context.obj.config, {"data_dir": context.obj.data_dir, "model": model})
        chosen = find(settings.model, settings.own_models)
        console = Console()
        pace = speed_of(speed or ("1" if console.is_terminal else "max"))
        say(f"three synthetic voices who talk over each other, heard by {chosen.name!r} on this machine")
        say("loading the model (the first start compiles the search and takes longer)")
        with as_file(files("meetscribe") / "demo" / "recording.flac") as path:
            log = asyncio.run(_run(path, chosen.path, pace, console))
        meeting = fold(log)
        say(f"{len(meeting.turns)} turns in {clock(meeting.duration)}; now try: meetscribe transcribe FILE")


def speed_of(text: str) -> float:
    """Return the speed that was asked for; `max` is infinite."""
    try:
        speed = math.inf if text == "max" else float(text)
    except ValueError:
        speed = math.nan
    if not speed > 0:
        raise UsageError(f"--speed {text}: give a positive number, or max")
    return speed


async def _run(path: Path, model: Path, speed: float, console: Console) -> list[DurableEvent]:
    """Transcribe the recording onto the screen, or in lines where there is none."""
    if not path.is_file():
        raise MissingError("the bundled recording is missing; install meetscribe again")
    recogniser = load_recogniser(model)
    source: AudioSource = FileSource(path)
    if speed < math.inf:
        source = PacedSource(source, speed)
    start = Session(
        session="demo",
        title="demo",
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        sources=(path.name,),
        model=recogniser.name,
    )
    sinks: list[EventSink]
    sinks = [ScreenSink(console)] if console.is_terminal else [LineSink(sys.stdout), TenthsSink(sys.stderr)]
    return await MeetingSession(start, source, recogniser.recognition(), sinks, PATIENT).run()
