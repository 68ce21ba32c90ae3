"""Running many recordings under a control: several at once, in several processes, and none that was run before.

What was run is kept (`record.py`) under a digest of the model and of the code that hears with it, so that a change of
either runs everything again, and an interrupted round goes on where it was.
Not covered: figures (`figures.py`).
"""

import hashlib
import multiprocessing
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import soundfile

import meetscribe
from meetscribe.errors import InputError
from meetscribe.evaluation import controls, run
from meetscribe.evaluation.material import load_audio
from meetscribe.evaluation.record import Record
from meetscribe.timeline import SAMPLE_RATE

ALONE = 300.0
"""Seconds from which a recording runs alone, so that its times and its memory are its own."""

_HEARING = ("streaming", "nn", "lm", "engine", "checkpoint.py", "evaluation/oracle.py")


@dataclass(frozen=True)
class Task:
    """A recording to run, or its samples from `start` to `end`."""

    name: str
    audio: Path
    start: int = 0
    end: int | None = None


@dataclass(frozen=True)
class Round:
    """How to run: which model, where runs are kept, how many recordings share an engine, in how many processes."""

    model: Path
    kept: Path
    together: int = 8
    jobs: int = 1

    def record(self, control: str) -> Record:
        """Return where the runs of a control are kept; pocketsphinx is the same whatever the model."""
        if control == controls.POCKETSPHINX:
            return Record(self.kept / control)
        return Record(self.kept / f"{self.model.name}-{digest(self.model)}" / control)

    def run(self, tasks: Sequence[Task], control: str, tell: Callable[[str], None]) -> list[run.Run]:
        """Return the runs of the tasks, in order; those that are not kept yet are run now.

        Raises:
            MeetscribeError: the model or a recording cannot be used.
        """
        record = self.record(control)
        names = {_kept_name(task): task for task in tasks}
        waiting = [(name, names[name]) for name in record.missing(list(names))]
        batches = list(_batches(waiting, self.together))
        for number, _ in enumerate(self._run_all(batches, control, record.folder), 1):
            tell(f"{control}: {number} of {len(batches)} batches of recordings")
        found = [record.read(_kept_name(task)) for task in tasks]
        return [done for done in found if done is not None]

    def _run_all(
        self, batches: Sequence[list[tuple[str, Task]]], control: str, folder: Path
    ) -> Iterator[None]:
        if self.jobs <= 1:
            yield from (run_batch(batch, control, self.model, folder) for batch in batches)
            return
        with ProcessPoolExecutor(self.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
            futures = [pool.submit(run_batch, batch, control, self.model, folder) for batch in batches]
            yield from (future.result() for future in futures)


@cache
def digest(model: Path) -> str:
    """Return a short digest of a model's files and of the code that hears with it."""
    package = Path(meetscribe.__file__).parent
    code = [path for part in _HEARING for path in sorted((package / part).rglob("*.py")) or [package / part]]
    found = hashlib.sha256()
    for path in (*sorted(path for path in model.iterdir() if path.suffix != ".md"), *code):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:12]


def run_batch(batch: list[tuple[str, Task]], control: str, model: Path, folder: Path) -> None:
    """Run recordings together and keep their runs under their names in a folder."""
    record, recordings = Record(folder), []
    for _, task in batch:
        recordings.append(load_audio(task.audio)[task.start : task.end])
    if control == controls.POCKETSPHINX:
        runs = [controls.Pocketsphinx().run(audio, time.process_time) for audio in recordings]
    elif control == controls.ORACLE:
        pipelines = [_with_oracle(model)(task.audio) for _, task in batch]
        runs = [run.transcribe(pipe, audio) for pipe, audio in zip(pipelines, recordings, strict=True)]
    elif len(recordings) == 1:
        runs = [run.transcribe(_loaded(model, control), recordings[0])]
    else:
        runs = run.transcribe_together(_loaded(model, control), recordings)
    for (name, _), done in zip(batch, runs, strict=True):
        record.write(name, done)


@cache
def _loaded(model: Path, control: str) -> controls.Loaded:
    """Return a model, loaded once in each process and used once, so that what is made at first use is made."""
    loaded = controls.load(model, control)
    run.warm_up(loaded)
    return loaded


@cache
def _with_oracle(model: Path) -> Callable[[Path], controls.Loaded]:
    return controls.load_oracle(model)


@cache
def _sum_of(audio: Path) -> int:
    try:
        return zlib.crc32(audio.read_bytes())
    except OSError as error:
        raise InputError(f"{audio} cannot be read: {error}") from error


def _kept_name(task: Task) -> str:
    part = f"@{task.start}-{task.end}" if task.end is not None else ""
    return f"{task.name}{part}~{_sum_of(task.audio):08x}"


def _length(task: Task) -> float:
    if task.end is not None:
        return (task.end - task.start) / SAMPLE_RATE
    return soundfile.info(task.audio).duration


def _batches(waiting: Sequence[tuple[str, Task]], together: int) -> Iterator[list[tuple[str, Task]]]:
    """Group tasks of similar lengths; long ones stay alone."""
    lengths = {name: _length(task) for name, task in waiting}
    ordered = sorted(waiting, key=lambda named: lengths[named[0]])
    yield from ([named] for named in ordered if lengths[named[0]] >= ALONE)
    short = [named for named in ordered if lengths[named[0]] < ALONE]
    yield from (short[i : i + together] for i in range(0, len(short), together))
