"""`meetscribe convert IN OUT`: a transcript from one format to another."""

from pathlib import Path
from typing import Annotated

import typer

from meetscribe.apps.cli.console import reporting
from meetscribe.apps.files import read_transcripts, write_whole
from meetscribe.errors import UsageError
from meetscribe.formats.registry import Format, by_name, by_path, with_srt_overlap


def convert(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="IN", help="A transcript that can be read.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Where it goes.")],
    source_format: Annotated[
        str | None, typer.Option("--from", metavar="FORMAT", help="What IN is, where its name does not tell.")
    ] = None,
    target_format: Annotated[
        str | None, typer.Option("--to", metavar="FORMAT", help="What OUT is to be.")
    ] = None,
    session: Annotated[
        str | None, typer.Option(metavar="ID", help="Which meeting, where IN holds several.")
    ] = None,
    srt_overlap: Annotated[
        str, typer.Option(metavar="merge|stack", help="Two people at once in SRT: one cue, or two.")
    ] = "stack",
) -> None:
    """Convert a transcript; docs/formats.md says what each format cannot hold."""
    with reporting(context.obj.verbose):
        wanted = by_name(target_format) if target_format else by_path(target.name)
        wanted = with_srt_overlap(wanted, srt_overlap)
        logs = read_transcripts(source, by_name(source_format) if source_format else None)
        if session is not None:
            logs = {name: log for name, log in logs.items() if name == session}
            if not logs:
                raise UsageError(
                    f"{source}: there is no meeting {session!r} in it; leave --session out to see all"
                )
        write_whole(target, _data(wanted, source, logs))


def _data(wanted: Format, source: Path, logs: dict) -> bytes:
    """Return the file of one meeting, or of several where the format has room for them."""
    if len(logs) == 1:
        return wanted.data(next(iter(logs.values())))
    if wanted.join is None:
        raise UsageError(
            f"{source} holds {len(logs)} meetings, and {wanted.name} has room for one: choose with --session "
            f"({', '.join(logs)})"
        )
    return wanted.join([wanted.encode(log) for log in logs.values()]).encode()
