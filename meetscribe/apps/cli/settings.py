"""`meetscribe config`: which settings are in force, and where each comes from."""

import json
from typing import Annotated, Any

import typer

from meetscribe.apps.cli.console import reporting, say
from meetscribe.apps.config import default_config_file, explain_settings


def config(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show the settings in force, and whether flag, environment, file or default says so."""
    with reporting(context.obj.verbose):
        origins = explain_settings(context.obj.config, {"data_dir": context.obj.data_dir})
        if as_json:
            shown = {
                one.name: {"value": _plain(one.value), "source": one.source, "place": one.place}
                for one in origins
            }
            print(json.dumps(shown, ensure_ascii=False, indent=2))
            return
        for one in origins:
            value = _plain(one.value)
            text = "(not set)" if value is None else json.dumps(value, ensure_ascii=False)
            print(f"{one.name} = {text}  [{one.source}{': ' * bool(one.place)}{one.place}]")
        if context.obj.config is None and not default_config_file().exists():
            say(
                f"there is no {default_config_file()}; lines such as retention_days = 90 may be written into it"
            )


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)
