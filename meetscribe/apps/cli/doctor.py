"""`meetscribe doctor`: whether a meeting can be recorded and transcribed here, and what helps where not."""

import dataclasses
import json
from typing import Annotated

import typer

from meetscribe.apps.cli.console import reporting, say
from meetscribe.apps.config import load_settings
from meetscribe.apps.doctor import examine
from meetscribe.apps.recogniser import load_recogniser
from meetscribe.errors import MissingError

_MARKS = {"fine": "ok", "warning": "!!", "missing": "NO"}


def doctor(
    context: typer.Context,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="See `meetscribe models`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Look at what a meeting needs: inputs, disk, model, and whether this machine keeps up."""
    with reporting(context.obj.verbose):
        settings = load_settings(context.obj.config, {"data_dir": context.obj.data_dir, "model": model})
        if not as_json:
            say("looking at inputs, disk and model (measuring the speed takes some seconds)")
        checks, speed = examine(settings, load_recogniser)
        missing = [check for check in checks if check.verdict == "missing"]
        if as_json:
            measured = None if speed is None else round(speed.by_clock, 3)
            rows = [dataclasses.asdict(check) for check in checks]
            answer = {"ready": not missing, "real_time_factor": measured, "checks": rows}
            print(json.dumps(answer, ensure_ascii=False, indent=2))
        else:
            for check in checks:
                print(f"{_MARKS[check.verdict]}  {check.name}: {check.finding}")
                if check.remedy and check.verdict != "fine":
                    print(f"    {check.remedy}")
        if missing:
            raise typer.Exit(MissingError.exit_code)
