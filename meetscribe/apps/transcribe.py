"""Recordings become transcripts: one after another, or several at once in processes of their own.

A recording that fails does not stop the others. Output files appear whole or not at all.
Not covered: the command line (`cli/transcribe.py`).
"""

import asyncio
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from meetscribe.apps.files import write_whole
from meetscribe.apps.recogniser import Loader, Recogniser
from meetscribe.errors import InputError, UsageError
from meetscribe.events import DurableEvent, Event, Progress, Session
from meetscribe.formats.registry import Format
from meetscribe.session.session import MeetingSession, SessionSettings
from meetscribe.sources.file import FileSource

PATIENT = SessionSettings(patient=True, quiet=True)

Report = Callable[[Path, Progress], None]


@dataclass(frozen=True)
class Transcript:
    """What came of one recording: its log (None: nothing could be used) and what was wrong with it."""

    path: Path
    log: tuple[DurableEvent, ...] | None
    error: str | None = None


class _ProgressSink:
    """Tells how far a recording is."""

    def __init__(self, path: Path, report: Report) -> None:
        self._path, self._report = path, report

    async def emit(self, event: Event) -> None:
        """Report progress, and nothing else."""
        if isinstance(event, Progress):
            self._report(self._path, event)

    async def close(self) -> None:
        """Nothing is open."""


def transcribe_file(path: Path, recogniser: Callable[[], Recogniser], report: Report | None) -> Transcript:
    """Transcribe one recording; errors of the file come back in the transcript.

    Raises:
        MissingError, CheckpointError: the recogniser cannot be loaded.
    """
    try:
        source = FileSource(path)
    except InputError as error:
        return Transcript(path, None, str(error))
    loaded = recogniser()
    started = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    start = Session(
        session=path.stem, title=path.stem, started=started, sources=(path.name,), model=loaded.name
    )
    sinks = [] if report is None else [_ProgressSink(path, report)]
    session = MeetingSession(start, source, loaded.recognition(), sinks, PATIENT)
    try:
        asyncio.run(session.run())
    except InputError as error:
        return Transcript(path, tuple(session.log) if session.heard else None, str(error))
    return Transcript(path, tuple(session.log))


def transcribe_in_turn(
    paths: Iterable[Path], load: Loader, model: Path, report: Report | None
) -> Iterator[Transcript]:
    """Transcribe one recording after another; the model is loaded when the first good one is met."""
    loaded: list[Recogniser] = []

    def recogniser() -> Recogniser:
        if not loaded:
            loaded.append(load(model))
        return loaded[0]

    for path in paths:
        yield transcribe_file(path, recogniser, report)


_of_this_process: list[Recogniser] = []


def _in_a_process(path: Path, load: Loader, model: Path) -> Transcript:
    """Transcribe one recording in a worker process, which keeps its model."""

    def recogniser() -> Recogniser:
        if not _of_this_process:
            _of_this_process.append(load(model))
        return _of_this_process[0]

    return transcribe_file(path, recogniser, None)


def transcribe_at_once(paths: Sequence[Path], load: Loader, model: Path, jobs: int) -> Iterator[Transcript]:
    """Transcribe several recordings at once in `jobs` processes; transcripts come as they are ready."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(paths)), mp_context=context) as pool:
        futures = [pool.submit(_in_a_process, path, load, model) for path in paths]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class Outputs:
    """Where transcripts go: files in `directory` in every format, or stdout (None) in one."""

    formats: tuple[Format, ...]
    directory: Path | None

    def check(self, paths: Sequence[Path]) -> None:
        """Refuse what would write two transcripts to one place.

        Raises:
            UsageError: stdout cannot hold it, or two recordings would have the same file.
        """
        if self.directory is None:
            if len(paths) > 1 or len(self.formats) > 1:
                raise UsageError("several transcripts need a place each; give --output-dir DIR")
            if self.formats[0].encode_bytes is not None:
                raise UsageError(f"{self.formats[0].name} is no text for a terminal; give --output-dir DIR")
            return
        if self.directory.exists() and not self.directory.is_dir():
            raise UsageError(f"{self.directory}: this is no directory; give another --output-dir")
        stems: dict[str, Path] = {}
        for path in paths:
            other = stems.setdefault(path.stem, path)
            if other is not path:
                file = self.files(path)[0]
                raise UsageError(f"{other} and {path} would both be written to {file}; rename one of them")

    def files(self, path: Path) -> list[Path]:
        """Return the files that a recording's transcript is written to."""
        if self.directory is None:
            return []
        return [self.directory / f"{path.stem}{known.extension}" for known in self.formats]

    def write(self, transcript: Transcript) -> None:
        """Write a transcript's files, none where there is no directory.

        Raises:
            InputError: a file cannot be written.
        """
        if self.directory is None:
            return
        for file, known in zip(self.files(transcript.path), self.formats, strict=True):
            write_whole(file, known.data(transcript.log or ()))
