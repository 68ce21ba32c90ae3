"""`meetscribe devices`: what can be recorded here, and how loud each is just now."""

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from meetscribe.apps.cli.console import reporting, say
from meetscribe.errors import MissingError
from meetscribe.sources.capturing import AudioInput
from meetscribe.sources.inputs import Inputs, look, open_stream
from meetscribe.sources.level import SILENT, Level, Meter, measure

_WIDTH = 20  # characters of a meter
_LOW, _HIGH = -60.0, 0.0  # dBFS at its ends
_LIVE = 5.0  # seconds for which the meters of a terminal move
_TICK = 0.1


def devices(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False,
    seconds: Annotated[
        float | None, typer.Option(help="How long the meters move on a terminal.", show_default=False)
    ] = None,
) -> None:
    """List what can be recorded, with a level meter for each.

    `--input` takes a number, a name, or a part of a name that only one input has.
    """
    with reporting(context.obj.verbose):
        found = look()
        if not found.known:
            raise MissingError(
                "nothing can be recorded here; plug in a microphone, `meetscribe doctor` says more"
            )
        system = _system(found)
        if as_json:
            levels = measure(found.known, open_stream)
            rows = [_row(number, level, system) for number, level in enumerate(levels)]
            print(json.dumps(rows, ensure_ascii=False, indent=2))
            return
        console = Console()
        if console.is_terminal:
            _move(console, found.known, system, _LIVE if seconds is None else seconds)
        else:
            for row in _rows(measure(found.known, open_stream), system):
                print("  ".join(row).rstrip())
        say("`meetscribe live --input N` records one, --system-audio what the loudspeaker in use plays")


def _system(found: Inputs) -> str:
    """Return the name of what --system-audio records, empty where there is none."""
    try:
        return found.system_audio().name
    except MissingError:
        return ""


def _row(number: int, level: Level, system: str) -> dict[str, Any]:
    one = level.input
    return {
        "number": number,
        "name": one.name,
        "description": one.description,
        "backend": one.backend,
        "channels": one.channels,
        "sample_rate": one.rate,
        "monitor_of": one.monitor_of,
        "default": one.default,
        "system_audio": one.name == system,
        "level_dbfs": None if level.dbfs is None else round(level.dbfs, 1),
        "trouble": level.trouble,
    }


def bar(level: float | None) -> str:
    """Return a level as a bar; empty at and below -60 dBFS."""
    if level is None:
        return " " * _WIDTH
    filled = round(_WIDTH * min(max((level - _LOW) / (_HIGH - _LOW), 0.0), 1.0))
    return "█" * filled + "·" * (_WIDTH - filled)


def _rows(levels: Sequence[Level], system: str) -> list[tuple[str, ...]]:
    return [
        (
            f"{'*' if level.input.default else ' '}{number}",
            bar(level.dbfs),
            _loudness(level),
            level.input.name,
            _about(level.input, system),
        )
        for number, level in enumerate(levels)
    ]


def _table(levels: Sequence[Level], system: str) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for row in _rows(levels, system):
        table.add_row(*row)
    return table


def _loudness(level: Level) -> str:
    if level.dbfs is None:
        return level.trouble or "no sound"
    return "silent" if level.dbfs <= SILENT else f"{level.dbfs:.0f} dBFS"


def _about(one: AudioInput, system: str) -> str:
    channels = "1 channel" if one.channels == 1 else f"{one.channels} channels"
    parts = [one.description, channels, f"{one.rate / 1000:g} kHz"]
    if one.name == system:
        parts.append("system audio")
    return ", ".join(parts)


def _move(console: Console, inputs: Sequence[AudioInput], system: str, seconds: float) -> None:
    """Let the meters move for some seconds, or until a key interrupts."""
    with ExitStack() as stack:
        meters = [stack.enter_context(closing(Meter(one, open_stream))) for one in inputs]
        shown: list[float | None] = [None for _ in meters]
        live = stack.enter_context(Live(console=console, auto_refresh=False))
        end = time.monotonic() + seconds
        while True:
            for place, meter in enumerate(meters):
                level = meter.level()
                shown[place] = shown[place] if level is None else level
            rows = [
                Level(meter.input, level, meter.trouble) for meter, level in zip(meters, shown, strict=True)
            ]
            live.update(_table(rows, system), refresh=True)
            if time.monotonic() >= end:
                return
            time.sleep(_TICK)
