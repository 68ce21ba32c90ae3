"""`meetscribe`: the commands, and the flags that all of them share.

Flags may be written with hyphens or underscores, and the shared ones before or after the command.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from meetscribe import __version__
from meetscribe.apps.cli import console
from meetscribe.apps.cli.convert import convert
from meetscribe.apps.cli.demo import demo
from meetscribe.apps.cli.devices import devices
from meetscribe.apps.cli.doctor import doctor
from meetscribe.apps.cli.edit import edit
from meetscribe.apps.cli.evaluate import evaluate
from meetscribe.apps.cli.live import live
from meetscribe.apps.cli.mcp import mcp
from meetscribe.apps.cli.meetings import delete, export, list_meetings, search, show
from meetscribe.apps.cli.models import models
from meetscribe.apps.cli.past import recover, redo, take_in
from meetscribe.apps.cli.people import people
from meetscribe.apps.cli.report import report
from meetscribe.apps.cli.serve import serve
from meetscribe.apps.cli.settings import config as show_config
from meetscribe.apps.cli.transcribe import transcribe

app = typer.Typer(
    name="meetscribe",
    help="Transcribe meetings on your own machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(transcribe)
app.command()(live)
app.command()(models)
app.command()(demo)
app.command()(evaluate)
app.command("list")(list_meetings)
app.command()(show)
app.command()(search)
app.command()(export)
app.command()(delete)
app.add_typer(edit, name="edit")
app.add_typer(people, name="people")
app.command("import")(take_in)
app.command()(redo)
app.command()(recover)
app.command("config")(show_config)
app.command()(convert)
app.command()(report)
app.command()(devices)
app.command()(doctor)
app.command()(serve)
app.command()(mcp)

_SHARED = {"--data-dir": True, "--config": True, "--verbose": False, "-v": False, "--version": False}


@dataclass(frozen=True)
class Shared:
    """The flags that all commands share."""

    data_dir: Path | None
    config: Path | None
    verbose: bool


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"meetscribe {__version__}")
        raise typer.Exit


@app.callback()
def shared(
    context: typer.Context,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where meetings and models are kept.", show_default=False)
    ] = None,
    config: Annotated[
        Path | None, typer.Option(envvar="MEETSCRIBE_CONFIG", help="The configuration file (TOML).")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more on stderr.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Transcribe meetings on your own machine."""
    del version  # handled by its callback
    context.obj = Shared(data_dir, config, verbose)


def normalise(arguments: list[str]) -> list[str]:
    """Return the arguments with hyphens in the names of flags and the shared flags in front."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            rest += [argument, *waiting]
            break
        name, equals, value = argument.partition("=")
        if name.startswith("--"):
            name = "--" + name[2:].replace("_", "-")
            argument = name + equals + value  # noqa: PLW2901 - the same argument, spelt properly
        if name not in _SHARED:
            rest.append(argument)
        elif _SHARED[name] and not equals:
            front += [argument, *([following] if (following := next(waiting, None)) is not None else [])]
        else:
            front.append(argument)
    return front + rest


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line and exit."""
    try:
        return app(normalise(sys.argv[1:] if arguments is None else arguments), prog_name="meetscribe")
    except KeyboardInterrupt:
        console.say("interrupted")
        sys.exit(console.INTERRUPTED)


if __name__ == "__main__":
    main()
