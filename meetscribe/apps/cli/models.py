"""`meetscribe models`: what `--model` can be."""

import json
from typing import Annotated, Any

import typer

from meetscribe.apps.cli.console import reporting
from meetscribe.apps.config import load_settings
from meetscribe.errors import CheckpointError
from meetscribe.models import InstalledModel, find, installed
from meetscribe.timeline import SAMPLE_RATE


def models(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False,
) -> None:
    """List the models that are installed."""
    with reporting(context.obj.verbose):
        settings = load_settings(context.obj.config, {"data_dir": context.obj.data_dir})
        known = installed(settings.own_models)
        default = find(None, settings.own_models).name if known else None
        rows = [_row(model, default) for model in known]
        if as_json:
            print(json.dumps(rows, ensure_ascii=False, indent=2))
            return
        for row in rows:
            mark = "*" if row["default"] else " "
            wait = "" if row["lookahead_ms"] is None else f"  look-ahead {row['lookahead_ms']} ms"
            print(f"{mark} {row['name']}  {row['size'] / 1e6:.1f} MB{wait}  {row['description']}")


def _row(model: InstalledModel, default: str | None) -> dict[str, Any]:
    try:
        configuration = model.configuration()
    except CheckpointError as error:
        configuration = {"description": str(error)}
    return {
        "name": model.name,
        "default": model.name == default,
        "bundled": model.bundled,
        "version": configuration.get("version"),
        "description": configuration.get("description", ""),
        "lookahead_ms": _milliseconds(configuration.get("lookahead")),
        "size": model.size,
        "path": str(model.path),
    }


def _milliseconds(samples: object) -> int | None:
    """Return samples as milliseconds; None where a model does not say."""
    return round(1000 * samples / SAMPLE_RATE) if isinstance(samples, int) else None
