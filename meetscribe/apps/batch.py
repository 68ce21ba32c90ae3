"""Many recordings: one after another, or several at once in processes of their own; and what is done already.

A recording that fails does not stop the others, and neither does a process that dies: what it was at is tried once
more.
What is done is known by a digest of the recording's content and of all options that its transcript depends on.
Not covered: a cluster (`cluster.py`), the command line (`cli/transcribe.py`).
"""

import hashlib
import json
import multiprocessing
import os
import pickle
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from multiprocessing.connection import wait as wait_for_any
from pathlib import Path
from typing import Any

from meetscribe import __version__
from meetscribe.apps.files import write_whole
from meetscribe.apps.recogniser import Loader, Recogniser
from meetscribe.apps.transcribe import Outputs, Report, Task, Transcript, task_of, transcribe
from meetscribe.errors import UsageError
from meetscribe.events import Progress
from meetscribe.sources.layouts import Layout

MEDIA = frozenset([
    "aac", "ac3", "aif", "aiff", "amr", "ape", "au", "avi", "caf", "dsf", "flac", "flv", "gsm", "m4a",
    "m4v", "mka", "mkv", "mov", "mp2", "mp3", "mp4", "mpeg", "mpg", "mts", "oga", "ogg", "opus", "tta",
    "ts", "voc", "w64", "wav", "webm", "wma", "wv", "3gp",
])  # fmt: skip
"""Extensions of what is taken from a folder."""

_ATTEMPTS = 2  # of a recording whose process died


def tasks_of(paths: Iterable[Path], layout: Layout, together: bool) -> list[Task]:
    """Return the meetings that paths name: files, and folders with all recordings below them.

    Args:
        paths: files and folders.
        layout: what their channels are.
        together: all files are of one meeting, and so are those of each folder.

    Raises:
        UsageError: a folder has no recordings.
    """
    alone: list[Task] = []
    files: list[Path] = []
    for path in dict.fromkeys(paths):
        if not path.is_dir():
            files.append(path)
            alone.append(task_of(path, layout))
        elif together:
            alone.append(Task(tuple(_recordings(path, deep=False)), path.resolve().name, layout))
        else:
            alone += _named_below(path, layout)
    if not together:
        return alone
    meetings = [task for task in alone if task.files[0] not in files]
    joined = [Task(tuple(files), _common_name(files), layout)] if files else []
    return [*joined, *meetings]


def _recordings(folder: Path, *, deep: bool) -> list[Path]:
    found = sorted(folder.rglob("*") if deep else folder.iterdir())
    chosen = [
        path for path in found if path.suffix[1:].lower() in MEDIA and path.is_file() and path.name[0] != "."
    ]
    if not chosen:
        raise UsageError(
            f"{folder}: this directory has no audio or video files; give recordings, or their folder"
        )
    return chosen


def _named_below(folder: Path, layout: Layout) -> list[Task]:
    """Return a task for each recording of a folder, called by its path there; by its extension too where need be."""
    recordings = _recordings(folder, deep=True)
    places = [path.relative_to(folder) for path in recordings]
    stems = [str(place.with_suffix("")) for place in places]
    names = [
        stem if stems.count(stem) == 1 else str(place) for stem, place in zip(stems, places, strict=True)
    ]
    return [Task((path,), name, layout) for path, name in zip(recordings, names, strict=True)]


def _common_name(files: Sequence[Path]) -> str:
    """Return what a meeting of several files is called: what their names begin with, else their folder's name."""
    columns = zip(*(path.stem for path in files), strict=False)
    shared = takewhile(lambda letters: len(set(letters)) == 1, columns)
    common = "".join(letters[0] for letters in shared).strip(" -_.")
    return common or files[0].resolve().parent.name or files[0].stem


def in_turn(tasks: Iterable[Task], load: Loader, model: Path, report: Report | None) -> Iterator[Transcript]:
    """Transcribe one meeting after another; the model is loaded when the first good one is met."""
    loaded: list[Recogniser] = []

    def recogniser() -> Recogniser:
        if not loaded:
            loaded.append(load(model))
        return loaded[0]

    for task in tasks:
        yield transcribe(task, recogniser, report)


_of_this_process: dict[str, Any] = {}


def begin_process(progress: Any) -> None:
    """Prepare a worker process: where it tells how far it is, and that it ends with who started it."""
    _of_this_process["progress"] = progress
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), name="parent", daemon=True).start()


def _end_after(sentinel: int) -> None:
    """End this process when its parent was killed: what it is at would go nowhere."""
    wait_for_any([sentinel])
    os._exit(1)


def transcribe_here(task: Task, load: Loader, model: Path, report: Report | None = None) -> Transcript:
    """Transcribe a meeting in a worker process, which keeps its model from one to the next."""
    key = f"{load.__module__} {getattr(load, '__qualname__', load)} {model}"

    def recogniser() -> Recogniser:
        if key not in _of_this_process:
            _of_this_process[key] = load(model)
        return _of_this_process[key]

    return transcribe(task, recogniser, report)


def transcribe_and_tell(number: int, task: Task, load: Loader, model: Path) -> Transcript:
    """Transcribe meeting `number` in a process of a pool, and tell who started it how far it is."""
    progress: Any = _of_this_process["progress"]

    def tell(_: Task, event: Progress) -> None:
        # One write of far less than PIPE_BUF bytes: it is never mixed with another's, and needs no lock, which a
        # process that is killed would keep.
        progress.send_bytes(pickle.dumps((number, event)))

    return transcribe_here(task, load, model, tell)


def at_once(
    tasks: Sequence[Task], load: Loader, model: Path, jobs: int, report: Report | None = None
) -> Iterator[Transcript]:
    """Transcribe several meetings at once in `jobs` processes; transcripts come as they are ready."""
    context = multiprocessing.get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    hearing = threading.Thread(target=_hear, args=(reader, tasks, report), name="progress", daemon=True)
    hearing.start()
    waiting = [(number, 1) for number in reversed(range(len(tasks)))]
    try:
        while waiting:
            size = min(jobs, len(waiting))
            with ProcessPoolExecutor(
                size, mp_context=context, initializer=begin_process, initargs=(writer,)
            ) as pool:
                yield from _work(pool, tasks, waiting, (load, model), size)
    finally:
        writer.close()  # the pipe ends with the last process that has it
        hearing.join(5)


def _hear(reader: Any, tasks: Sequence[Task], report: Report | None) -> None:
    """Hand on what worker processes tell until the last one has ended."""
    with reader, suppress(EOFError, OSError):
        while True:
            number, event = pickle.loads(reader.recv_bytes())
            if report is not None:
                report(tasks[number], event)


def _work(
    pool: ProcessPoolExecutor,
    tasks: Sequence[Task],
    waiting: list[tuple[int, int]],
    recogniser: tuple[Loader, Path],
    jobs: int,
) -> Iterator[Transcript]:
    """Keep a pool busy until nothing waits or it breaks; what it was at then waits again, or has failed."""
    running: dict[Future[Transcript], tuple[int, int]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                number, attempt = waiting.pop()
                running[pool.submit(transcribe_and_tell, number, tasks[number], *recogniser)] = (
                    number,
                    attempt,
                )
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                del running[future]
                yield result
    except BrokenProcessPool:
        for future, (number, attempt) in running.items():
            if future.done() and future.exception() is None:
                yield future.result()
            elif attempt < _ATTEMPTS:
                waiting.append((number, attempt + 1))
            else:
                yield Transcript(tasks[number], None, died(tasks[number]))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def died(task: Task) -> str:
    """Return the sentence about a task whose process died again and again."""
    return f"{task.shown}: the process that transcribed it died twice; free some memory, or give a smaller --jobs"


@dataclass(frozen=True)
class Done:
    """Remembers what is done, in a folder; `options` is all that a transcript depends on beside the recording."""

    folder: Path
    options: str

    def has(self, task: Task, outputs: Outputs) -> bool:
        """Say whether a task's files are there, made of the recording as it is now with the same options."""
        files = outputs.files(task)
        if not files or not all(file.is_file() for file in files):
            return False
        try:
            known = json.loads(self._record(task, outputs).read_text(encoding="utf-8"))
            return known.get("digest") == self._digest(task)
        except (OSError, ValueError, AttributeError):
            return False

    def note(self, task: Task, outputs: Outputs) -> None:
        """Remember that a task's files were written.

        Raises:
            InputError: it cannot be written down.
        """
        if outputs.directory is None:
            return
        try:
            digest = self._digest(task)
        except OSError:  # the recording is gone already: it will be missed when it is wanted again
            return
        record = {"files": [str(path) for path in task.files], "digest": digest}
        write_whole(self._record(task, outputs), (json.dumps(record) + "\n").encode())

    def _record(self, task: Task, outputs: Outputs) -> Path:
        place = f"{outputs.directory.resolve() if outputs.directory else ''}\n{task.name}"
        return self.folder / f"{hashlib.sha256(place.encode()).hexdigest()[:32]}.json"

    def _digest(self, task: Task) -> str:
        whole = hashlib.sha256(f"{__version__}\n{self.options}\n{task.layout}\n".encode())
        for path in task.files:
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        return whole.hexdigest()


def options_digest(model: Path, parts: Iterable[object]) -> str:
    """Return what a transcript depends on beside its recording: the model's files and other parts, as text."""
    files = sorted(path for path in model.rglob("*") if path.is_file())
    sizes = [f"{path.relative_to(model)} {path.stat().st_size}" for path in files]
    described = hashlib.sha256((model / "model.json").read_bytes()).hexdigest() if files else ""
    return "\n".join([described, *sizes, *map(str, parts)])
