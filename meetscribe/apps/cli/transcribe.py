"""`meetscribe transcribe FILE…`: recordings to transcripts, with a progress bar where somebody looks."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from meetscribe import events as ev
from meetscribe.apps.cli.console import logger, reporting, say
from meetscribe.apps.config import Settings, load_settings
from meetscribe.apps.recogniser import load_recogniser
from meetscribe.apps.transcribe import (
    Outputs,
    Report,
    Transcript,
    transcribe_at_once,
    transcribe_in_turn,
)
from meetscribe.errors import InputError
from meetscribe.formats.registry import FORMATS, by_name, with_srt_overlap
from meetscribe.models import find
from meetscribe.timeline import SAMPLE_RATE

_FORMATS = ", ".join(known.name for known in FORMATS)


def transcribe(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Audio or video files.")],
    model: Annotated[str | None, typer.Option(metavar="NAME", help="See `meetscribe models`.")] = None,
    format: Annotated[
        list[str] | None, typer.Option("--format", "-f", help=f"One of {_FORMATS}; repeatable.")
    ] = None,
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", "-o", help="One file per recording and format, here.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", metavar="N", help="Recordings at once, a process each.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Skip recordings whose files exist.")] = False,
    srt_overlap: Annotated[
        str | None,
        typer.Option(
            metavar="merge|stack", help="Two people at once in SRT: one cue, or two that share time."
        ),
    ] = None,
) -> None:
    """Transcribe recordings; one file without --output-dir goes to stdout."""
    with reporting(context.obj.verbose):
        flags = {"data_dir": context.obj.data_dir, "model": model, "output_dir": output_dir, "jobs": jobs}
        flags["srt_overlap"] = srt_overlap
        settings = load_settings(context.obj.config, {**flags, "format": format})
        failed = _Run(settings, context.obj.verbose).transcribe(files, resume)
        if failed:
            raise typer.Exit(InputError.exit_code)


class _Run:
    """One call of the command."""

    def __init__(self, settings: Settings, verbose: bool) -> None:
        self._settings = settings
        self._log = logger(verbose)
        self._outputs = Outputs(
            tuple(with_srt_overlap(by_name(name), settings.srt_overlap) for name in settings.format),
            settings.output_dir,
        )

    def transcribe(self, files: Sequence[Path], resume: bool) -> int:
        """Transcribe files and return how many failed."""
        files = list(dict.fromkeys(files))
        self._outputs.check(files)
        model = find(self._settings.model, self._settings.own_models)
        self._log.info("model found", name=model.name, path=str(model.path))
        left = [path for path in files if not (resume and self._is_done(path))]
        for path in files:
            if path not in left:
                say(f"{path}: already transcribed, skipped")
        began, failed, to_stdout = time.monotonic(), 0, ""  # stdout waits until no bar is on the screen
        with _progress_bar(left) as report:
            if self._settings.jobs > 1 and len(left) > 1:
                done = transcribe_at_once(left, load_recogniser, model.path, self._settings.jobs)
            else:
                done = transcribe_in_turn(left, load_recogniser, model.path, report)
            for transcript in done:
                report(transcript.path, _finished(transcript))
                failed += not self._hand_over(transcript)
                if self._outputs.directory is None and transcript.log is not None:
                    to_stdout = self._outputs.formats[0].encode(transcript.log)
        sys.stdout.write(to_stdout)
        self._log.info("done", files=len(left), failed=failed, seconds=round(time.monotonic() - began, 2))
        return failed

    def _is_done(self, path: Path) -> bool:
        files = self._outputs.files(path)
        return bool(files) and all(file.is_file() for file in files)

    def _hand_over(self, transcript: Transcript) -> bool:
        """Write a transcript and say what was wrong; return whether all was right."""
        right = transcript.error is None
        if transcript.log is not None:
            if not any(isinstance(event, ev.Final) for event in transcript.log):
                say(f"{transcript.path}: no speech was found")
            try:
                self._outputs.write(transcript)
            except InputError as error:
                say(str(error))
                right = False
        if transcript.error is not None:
            say(transcript.error)
        return right


def _finished(transcript: Transcript) -> ev.Progress:
    """Return the progress of a recording that is done."""
    durations = [event.duration for event in transcript.log or () if isinstance(event, ev.End)]
    done = max(durations, default=0)
    return ev.Progress(done=done, total=done)


@contextmanager
def _progress_bar(files: Sequence[Path]) -> Iterator[Report]:
    """Show a bar per recording on stderr while somebody can see it, and give the function that moves it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda path, progress: None
        return
    columns: list[Any] = [TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()]
    columns.append(TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        tasks: dict[Path, TaskID] = {}
        loading = bar.add_task("loading the model", total=None)

        def report(path: Path, progress: ev.Progress) -> None:
            bar.update(loading, visible=False)
            if path not in tasks:
                number = f"{len(tasks) + 1}/{len(files)} " if len(files) > 1 else ""
                tasks[path] = bar.add_task(f"{number}{path.name}", total=None)
            total = None if progress.total is None else max(progress.total, progress.done) / SAMPLE_RATE
            bar.update(tasks[path], completed=progress.done / SAMPLE_RATE, total=total)

        yield report
