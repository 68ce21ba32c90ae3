"""`meetscribe mcp`: past meetings for language models, on stdin and stdout."""

from typing import Annotated

import typer

from meetscribe.apps.cli.console import reporting
from meetscribe.apps.config import load_settings
from meetscribe.errors import MissingError


def mcp(
    context: typer.Context,
    allow_changes: Annotated[
        bool, typer.Option("--allow-changes", help="Let it name speakers and correct turns.")
    ] = False,
) -> None:
    """Let a language model of your choice list, search and read past meetings (Model Context Protocol)."""
    with reporting(context.obj.verbose):
        settings = load_settings(context.obj.config, {"data_dir": context.obj.data_dir})
        try:
            from meetscribe.apps.mcp import server
        except ModuleNotFoundError as error:
            raise MissingError("the MCP library is not installed; pip install 'meetscribe[mcp]'") from error
        from meetscribe.store.store import Store

        with Store(settings.data_dir) as store:
            server(store, changes=allow_changes).run("stdio")
