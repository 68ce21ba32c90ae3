"""`meetscribe models`: what `--model` can be."""

import json
from typing import Annotated, Any

import typer

from meetscribe.apps.cli.console import reporting
from meetscribe.apps.config import load_settings
from meetscribe.errors import CheckpointError
from meetscribe.models import InstalledModel, find, installed


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
            print(f"{mark} {row['name']}  {row['size'] / 1e6:.1f} MB  {row['description']}")


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
        "size": model.size,
        "path": str(model.path),
    }
