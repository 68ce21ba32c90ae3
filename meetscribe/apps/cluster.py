"""Many recordings on a Ray cluster (extra `ray`): `--engine ray`.

Recordings, models and this package have to be on every machine under the same paths. The cluster is that of
RAY_ADDRESS, or one on this machine. A worker that dies takes nothing with it: what it was at is transcribed elsewhere.
Not covered: moving recordings to where the workers are.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from meetscribe.apps.batch import died, transcribe_here
from meetscribe.apps.recogniser import Loader
from meetscribe.apps.transcribe import Task, Transcript
from meetscribe.errors import MissingError

_RETRIES = 2  # of a recording whose worker died


def _ray() -> Any:
    """Return Ray's package.

    Raises:
        MissingError: it is not installed.
    """
    try:
        import ray  # noqa: PLC0415  late: it is an optional extra  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise MissingError(
            "Ray is not installed, which --engine ray needs: pip install 'meetscribe[ray]'"
        ) from error
    return ray


def on_cluster(tasks: Sequence[Task], load: Loader, model: Path) -> Iterator[Transcript]:
    """Transcribe meetings on a cluster; transcripts come as they are ready.

    Raises:
        MissingError: Ray is not installed, or the cluster that RAY_ADDRESS names does not answer.
    """
    ray = _ray()
    started = not ray.is_initialized()
    if started:
        _connect(ray)
    work = ray.remote(num_cpus=1, max_retries=_RETRIES)(transcribe_here)
    try:
        running = {work.remote(_absolute(task), load, model.resolve()): task for task in tasks}
        while running:
            (ready,), _ = ray.wait(list(running), num_returns=1)
            task = running.pop(ready)
            yield _result(ray, ready, task)
    finally:
        if started:
            ray.shutdown()


def _connect(ray: Any) -> None:
    try:
        ray.init(address=os.environ.get("RAY_ADDRESS"), log_to_driver=False, include_dashboard=False)
    except (ConnectionError, RuntimeError, OSError) as error:
        raise MissingError(
            f"the Ray cluster does not answer ({error}); check RAY_ADDRESS, or unset it"
        ) from error


def _absolute(task: Task) -> Task:
    """Return a task whose files are found from any folder."""
    return Task(tuple(path.absolute() for path in task.files), task.name, task.layout)


def _result(ray: Any, ready: Any, task: Task) -> Transcript:
    """Return what came of a task, under the paths that it was given with."""
    try:
        transcript = ray.get(ready)
    except ray.exceptions.WorkerCrashedError:
        return Transcript(task, None, died(task))
    return Transcript(task, transcript.log, transcript.error)
