"""Runs on disk: what a pipeline said of a recording, so that figures can be computed again without running it.

One file of JSON lines per recording: a head with the times taken, then all events, partials too.
Not covered: telling when a run is out of date; whoever keeps runs names the folder after all that they depend on.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from meetscribe.errors import FormatError
from meetscribe.evaluation.run import Run
from meetscribe.formats import wire


@dataclass(frozen=True)
class Record:
    """A folder of runs by name."""

    folder: Path

    def _path(self, name: str) -> Path:
        return self.folder / (name.replace("/", "+") + ".jsonl")

    def read(self, name: str) -> Run | None:
        """Return the run of a recording, None where there is none that can be read."""
        try:
            lines = self._path(name).read_text(encoding="utf-8").split("\n")
            head = json.loads(lines[0])
            events = tuple(wire.loads(line) for line in lines[1:] if line)
            return Run(events, head["heard"], head["spent"], head["worked"], tuple(head["memory"]))
        except (OSError, ValueError, KeyError, TypeError, FormatError):
            return None

    def write(self, name: str, run: Run) -> None:
        """Keep a run; a file is there wholly or not at all."""
        head = {"heard": run.heard, "spent": run.spent, "worked": run.worked, "memory": run.memory}
        lines = [json.dumps(head), *(wire.dumps(event) for event in run.events)]
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        partial.replace(path)

    def missing(self, names: Sequence[str]) -> list[str]:
        """Return the names without a readable run."""
        return [name for name in names if self.read(name) is None]
