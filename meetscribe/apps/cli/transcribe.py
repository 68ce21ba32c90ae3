"""`meetscribe transcribe FILE…`: recordings and folders of them to transcripts."""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from meetscribe import events as ev
from meetscribe.apps.batch import Done, at_once, in_turn, options_digest, tasks_of
from meetscribe.apps.cli.console import logger, reporting, say
from meetscribe.apps.cli.progress import progress_of
from meetscribe.apps.cli.wording import Hotwords, Numerals, NumSpeakers, Punctuation
from meetscribe.apps.config import Settings, load_settings
from meetscribe.apps.recogniser import WordedLoader, load_recogniser, load_thorough
from meetscribe.apps.speakers import people_of, speaker_settings
from meetscribe.apps.transcribe import Outputs, Report, Task, Transcript
from meetscribe.apps.wording import wording_of
from meetscribe.errors import InputError, UsageError
from meetscribe.formats.registry import FORMATS, by_name, with_srt_overlap
from meetscribe.models import find
from meetscribe.session.speakers import SpeakerSettings
from meetscribe.sources.layouts import LAYOUTS

_FORMATS = ", ".join(known.name for known in FORMATS)


def transcribe(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Audio or video files, or folders.")],
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
    resume: Annotated[
        bool, typer.Option("--resume", help="Skip what these options have transcribed already.")
    ] = False,
    layout: Annotated[
        str | None,
        typer.Option(metavar="|".join(LAYOUTS), help="What the channels are; auto finds out."),
    ] = None,
    together: Annotated[
        bool, typer.Option("--together", help="All files (and those of each folder) are one meeting.")
    ] = False,
    quality: Annotated[
        str | None, typer.Option(metavar="normal|best", help="best: whole turns and more words are weighed.")
    ] = None,
    num_speakers: NumSpeakers = None,
    engine: Annotated[
        str | None, typer.Option(metavar="local|ray", help="Where recordings are transcribed.")
    ] = None,
    srt_overlap: Annotated[
        str | None,
        typer.Option(metavar="merge|stack", help="Two people at once in SRT: one cue, or two."),
    ] = None,
    hotwords: Hotwords = None,
    numerals: Numerals = None,
    punctuation: Punctuation = None,
) -> None:
    """Transcribe recordings, and all those in folders; one file without --output-dir goes to stdout."""
    with reporting(context.obj.verbose):
        flags = {"data_dir": context.obj.data_dir, "model": model, "output_dir": output_dir, "jobs": jobs}
        flags |= {"srt_overlap": srt_overlap, "layout": layout, "quality": quality, "engine": engine}
        flags |= {
            "num_speakers": num_speakers,
            "hotwords": hotwords,
            "numerals": numerals,
            "punctuation": punctuation,
        }
        settings = load_settings(context.obj.config, {**flags, "format": format})
        if _Run(settings, context.obj.verbose).transcribe(files, resume=resume, together=together):
            raise typer.Exit(InputError.exit_code)


class _Run:
    """One call of the command."""

    def __init__(self, settings: Settings, verbose: bool) -> None:
        self._settings, self._wording = settings, wording_of(settings)
        self._log = logger(verbose)
        formats = [with_srt_overlap(by_name(name), settings.srt_overlap) for name in settings.format]
        self._outputs = Outputs(tuple(formats), settings.output_dir)
        self._failures: list[str] = []
        self._right = 0

    def transcribe(self, paths: Sequence[Path], *, resume: bool, together: bool) -> int:
        """Transcribe files and return how many failed."""
        began, tasks = time.monotonic(), self._tasks(paths, together)
        self._outputs.check(tasks)
        model = find(self._settings.model, self._settings.own_models)
        self._log.info("model found", name=model.name, path=str(model.path))
        speakers = speaker_settings(model.path, people_of(self._settings), self._settings.num_speakers)
        done = self._memory(model.path, speakers)
        left = [task for task in tasks if not (resume and done.has(task, self._outputs))]
        several = len(tasks) + len(self._failures) > 1
        for task in tasks:
            if task not in left:
                say(f"{task.shown}: already transcribed, skipped")
        to_stdout = ""  # stdout waits until no bar is on the screen
        with progress_of(left, several=several) as progress:
            for transcript in self._transcripts(left, model.path, speakers, progress.report):
                complaint = self._hand_over(transcript, done)
                progress.finish(transcript, complaint)
                if self._outputs.directory is None and transcript.log is not None:
                    to_stdout = self._outputs.formats[0].encode(transcript.log)
        sys.stdout.write(to_stdout)
        if several:
            counts = f"{self._right} done, {len(tasks) - len(left)} skipped, {len(self._failures)} failed"
            say(f"{counts} in {time.monotonic() - began:.1f} s")
        for failure in self._failures:
            say(failure)
        self._log.info("done", files=len(left), failed=len(self._failures))
        return len(self._failures)

    def _tasks(self, paths: Sequence[Path], together: bool) -> list[Task]:
        """Return what is to be done; a folder without recordings is a failure like that of a file."""
        if together:
            return tasks_of(paths, self._settings.layout, together=True)
        tasks: list[Task] = []
        for path in dict.fromkeys(paths):
            try:
                tasks += tasks_of([path], self._settings.layout, together=False)
            except UsageError as error:
                self._failures.append(str(error))
        return tasks

    def _memory(self, model: Path, speakers: SpeakerSettings) -> Done:
        settings = self._settings
        parts = (settings.quality, settings.srt_overlap, self._wording, *settings.format, speakers.remembered)
        parts += () if settings.num_speakers is None else (settings.num_speakers,)
        options = options_digest(model, parts)
        return Done(settings.data_dir / "transcribed", options)

    def _transcripts(
        self, tasks: Sequence[Task], model: Path, speakers: SpeakerSettings, report: Report
    ) -> Iterator[Transcript]:
        best = self._settings.quality == "best"
        load = WordedLoader(load_thorough if best else load_recogniser, self._wording, speakers)
        jobs = min(self._settings.jobs, len(tasks))
        if self._settings.engine == "ray" and tasks:
            from meetscribe.apps.cluster import on_cluster

            return on_cluster(tasks, load, model)
        if jobs > 1:
            return at_once(tasks, load, model, jobs, report)
        return in_turn(tasks, load, model, report)

    def _hand_over(self, transcript: Transcript, done: Done) -> str | None:
        """Write a transcript; return what was wrong, None where all was right."""
        complaint = transcript.error
        if transcript.log is not None:
            if not any(isinstance(event, ev.Final) for event in transcript.log):
                say(f"{transcript.task.shown}: no speech was found")
            try:
                self._outputs.write(transcript)
                if complaint is None:
                    done.note(transcript.task, self._outputs)
            except InputError as error:
                complaint = str(error)
        if complaint is None:
            self._right += 1
        else:
            self._failures.append(complaint)
        return complaint
