"""How far recordings are: bars where somebody looks, else a line for each of several when it is done."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from meetscribe import events as ev
from meetscribe.apps.cli.console import say
from meetscribe.apps.transcribe import Task, Transcript
from meetscribe.timeline import SAMPLE_RATE, clock


class Lines:
    """A line for each recording of several when it is done."""

    def __init__(self, total: int, *, several: bool) -> None:
        self._total, self._several, self._count = total, several, 0
        self._began = time.monotonic()

    def report(self, task: Task, progress: ev.Progress) -> None:
        """Nothing: only ends are told."""

    def finish(self, transcript: Transcript, complaint: str | None) -> None:
        """Tell that a recording is done."""
        self._count += 1
        if self._several:
            say(f"[{self._count}/{self._total}] {transcript.task.shown}: {outcome(transcript, complaint)}")


class Bars:
    """A bar for each recording under way, and one for all of several."""

    def __init__(self, bar: Progress, total: int, *, several: bool) -> None:
        self._bar, self._total, self._tasks = bar, total, dict[Task, TaskID]()
        self._loading = bar.add_task("loading the model", total=None)
        self._all = bar.add_task(f"all {total} recordings", total=total) if several else None

    def report(self, task: Task, progress: ev.Progress) -> None:
        """Move a recording's bar."""
        self._bar.update(self._loading, visible=False)
        if task not in self._tasks:
            number = f"{len(self._tasks) + 1}/{self._total} " if self._total > 1 else ""
            self._tasks[task] = self._bar.add_task(f"{number}{task.shown}", total=None)
        total = None if progress.total is None else max(progress.total, progress.done) / SAMPLE_RATE
        self._bar.update(self._tasks[task], completed=progress.done / SAMPLE_RATE, total=total)

    def finish(self, transcript: Transcript, complaint: str | None) -> None:
        """Take a recording's bar away; of several say how it went."""
        self._bar.update(self._loading, visible=False)
        self.report(transcript.task, ev.Progress(done=_duration(transcript), total=_duration(transcript)))
        if self._all is None:
            return
        self._bar.update(self._tasks[transcript.task], visible=False)
        self._bar.advance(self._all)
        line = f"meetscribe: {transcript.task.shown}: {outcome(transcript, complaint)}"
        self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)


def outcome(transcript: Transcript, complaint: str | None) -> str:
    """Return how a recording went, in a few words."""
    turns = sum(isinstance(event, ev.Final) for event in transcript.log or ())
    if complaint is None:
        return f"{turns} turns in {clock(_duration(transcript))}"
    return "failed" if transcript.log is None else f"failed after {clock(_duration(transcript))}"


def _duration(transcript: Transcript) -> int:
    return max((event.duration for event in transcript.log or () if isinstance(event, ev.End)), default=0)


@contextmanager
def progress_of(tasks: Sequence[Task], *, several: bool) -> Iterator[Lines | Bars]:
    """Show on stderr how far recordings are, and give what is told of them to."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines(len(tasks), several=several)
        return
    columns: list[Any] = [TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn()]
    columns.append(TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        yield Bars(bar, len(tasks), several=several)
