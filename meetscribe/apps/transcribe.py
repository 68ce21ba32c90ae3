"""One recording, or several files of one meeting, become a transcript; and where transcripts are written.

Channels are what their layout says (`sources/layouts.py`): mixed or one beam into one stream, or a stream for each,
whose turns belong to that channel's person. Output files appear whole or not at all.
Not covered: many recordings (`batch.py`), the command line (`cli/transcribe.py`).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from meetscribe.apps.files import write_whole
from meetscribe.apps.hearing import as_laid
from meetscribe.apps.recogniser import Recogniser
from meetscribe.errors import InputError, UsageError
from meetscribe.events import DurableEvent, Event, Progress, Session
from meetscribe.formats.registry import Format
from meetscribe.session.session import MeetingSession
from meetscribe.sources.file import check_unchanged, version_of
from meetscribe.sources.layouts import Laid, Layout, open_recording


@dataclass(frozen=True)
class Task:
    """One meeting to transcribe: its files, what its transcript is called, and what its channels are."""

    files: tuple[Path, ...]
    name: str
    layout: Layout = "auto"

    @property
    def shown(self) -> str:
        """Return the task as people see it."""
        return str(self.files[0]) if len(self.files) == 1 else f"{self.name} ({len(self.files)} files)"


def task_of(path: Path, layout: Layout = "auto") -> Task:
    """Return the task of one file, whose transcript is called as the file is."""
    return Task((path,), path.stem, layout)


@dataclass(frozen=True)
class Transcript:
    """What came of a task: its log (None: nothing could be used) and what was wrong with it."""

    task: Task
    log: tuple[DurableEvent, ...] | None
    error: str | None = None


Report = Callable[[Task, Progress], None]


class _ProgressSink:
    """Tells how far a recording is."""

    def __init__(self, task: Task, report: Report) -> None:
        self._task, self._report = task, report

    async def emit(self, event: Event) -> None:
        """Report progress, and nothing else."""
        if isinstance(event, Progress):
            self._report(self._task, event)

    async def close(self) -> None:
        """Nothing is open."""


def transcribe(task: Task, recogniser: Callable[[], Recogniser], report: Report | None = None) -> Transcript:
    """Transcribe one meeting; errors of its files come back in the transcript.

    Raises:
        MissingError, CheckpointError: the recogniser cannot be loaded.
    """
    try:
        versions = [version_of(path) for path in task.files if path.exists()]
        laid = open_recording(task.files, task.layout, together=len(task.files) > 1)
        started = min(path.stat().st_mtime for path in task.files)
    except (InputError, OSError) as error:
        return Transcript(task, None, str(error))
    session = _session(task, laid, started, recogniser())
    if report is not None:
        session.sinks = [_ProgressSink(task, report)]
    try:
        asyncio.run(session.run())
        for path, version in zip(task.files, versions, strict=True):
            check_unchanged(path, version)  # the last words come long after the last sample was read
    except InputError as error:
        return Transcript(task, tuple(session.log) if session.heard else None, str(error))
    return Transcript(task, tuple(session.log))


def _session(task: Task, laid: Laid, started: float, loaded: Recogniser) -> MeetingSession:
    """Return the meeting of a recording: with a stream for each channel where each is somebody's."""
    title = Path(task.name).name
    start = Session(
        session=title,
        title=title,
        started=datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        sources=tuple(path.name for path in task.files),
        model=loaded.name,
    )
    hearing = as_laid(laid, loaded)
    return MeetingSession(
        start, laid.source, hearing.recognition, settings=hearing.settings, speakers=loaded.speakers
    )


@dataclass(frozen=True)
class Outputs:
    """Where transcripts go: files in `directory` in every format, or stdout (None) in one."""

    formats: tuple[Format, ...]
    directory: Path | None

    def check(self, tasks: Sequence[Task]) -> None:
        """Refuse what would write two transcripts to one place.

        Raises:
            UsageError: stdout cannot hold it, or two recordings would have the same file.
        """
        if self.directory is None:
            if len(tasks) > 1 or len(self.formats) > 1:
                raise UsageError("several transcripts need a place each; give --output-dir DIR")
            for known in self.formats:
                if known.encode_bytes is not None:
                    raise UsageError(f"{known.name} is no text for a terminal; give --output-dir DIR")
            return
        if self.directory.exists() and not self.directory.is_dir():
            raise UsageError(f"{self.directory}: this is no directory; give another --output-dir")
        names: dict[str, Task] = {}
        for task in tasks:
            other = names.setdefault(task.name, task)
            if other is not task:
                file = self.files(task)[0]
                raise UsageError(
                    f"{other.shown} and {task.shown} would both be written to {file}; rename one of them"
                )

    def files(self, task: Task) -> list[Path]:
        """Return the files that a meeting's transcript is written to."""
        if self.directory is None:
            return []
        return [self.directory / f"{task.name}{known.extension}" for known in self.formats]

    def write(self, transcript: Transcript) -> None:
        """Write a transcript's files, none where there is no directory.

        Raises:
            InputError: a file cannot be written.
        """
        if self.directory is None:
            return
        for file, known in zip(self.files(transcript.task), self.formats, strict=True):
            write_whole(file, known.data(transcript.log or ()))
