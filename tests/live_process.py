"""A live meeting as a process of its own, which is killed, and what is left of it."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from meetscribe.store.store import Store

PROGRAM = Path(__file__).parent / "live_program.py"
WORDS = [str(pitch) for pitch in range(200, 800, 20)]


class Live:
    """A running `meetscribe live --json`."""

    def __init__(self, home: Path, *arguments: str, before: tuple[str, ...] = ()) -> None:
        paths = os.pathsep.join(path for path in sys.path if path)
        environment = {**os.environ, "PYTHONPATH": paths, "MEETSCRIBE_MODELS_DIR": str(home / "models")}
        command = [
            *before,
            sys.executable,
            str(PROGRAM),
            "live",
            "--json",
            "--data-dir",
            str(home / "data"),
            *arguments,
        ]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment
        )
        self.events: list[dict] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.said = ""
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._hear)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _hear(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line

    def take(self, seconds: float = 60.0) -> dict | None:
        """Return the next event, None after the last one."""
        line = self._lines.get(timeout=seconds)
        if line is None or not line.endswith("\n"):
            return None
        self.events.append(json.loads(line))
        return self.events[-1]

    def until(self, condition) -> dict:
        """Return the first event that meets a condition."""
        while (event := self.take()) is not None:
            if condition(event):
                return event
        pytest.fail(f"it ended before that: {self.said}")

    def ask(self, **command: object) -> None:
        """Send a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"type": "command", **command}) + "\n")
        self.process.stdin.flush()

    def rest(self) -> list[dict]:
        """Return all events, when it has ended."""
        while self.take() is not None:
            pass
        self.close()
        return self.events

    def close(self) -> int:
        """Wait for its end and return its exit code."""
        code = self.process.wait(60)
        for thread in self._threads:
            thread.join(10)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        return code

    def worker(self) -> int | None:
        """Return the process id of the engine, None where there is none (any more)."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                line = (entry / "cmdline").read_bytes()
                status = (entry / "status").read_text()
            except OSError:
                continue
            if b"spawn_main" in line and re.search(rf"PPid:\s+{self.process.pid}\n", status):
                return int(entry.name)
        return None

    def kill(self) -> None:
        """Kill the whole of it: the engine goes by itself."""
        self.process.send_signal(signal.SIGKILL)


def words(log) -> list[str]:
    """The words of the finals in a log, by their time."""
    turns = [event.turn for event in log if type(event).__name__ == "Final"]
    return [turn.text for turn in sorted(turns, key=lambda turn: turn.start)]


def log_of(home: Path, meeting: str):
    """The log of a meeting in the store."""
    with Store(home / "data") as store:
        return store.log(meeting)
