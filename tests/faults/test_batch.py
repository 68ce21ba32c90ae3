import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fakes import speech

PROGRAM = Path(__file__).parents[1] / "batch_program.py"
PATIENCE = 60.0


class Batch:
    """`meetscribe transcribe` as a process of its own, in a folder with a fake model."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "models" / "fake").mkdir(parents=True)
        (home / "models" / "fake" / "model.json").write_text(json.dumps({"version": 1, "default": True}))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        paths = os.pathsep.join([str(PROGRAM.parent), *(path for path in sys.path if path)])
        environment = {**os.environ, "PYTHONPATH": paths, "MEETSCRIBE_MODELS_DIR": str(self.home / "models")}
        command = [sys.executable, str(PROGRAM), "--data-dir", str(self.home / "data"), "transcribe"]
        return subprocess.Popen(
            [*command, *arguments], cwd=self.home, env=environment, stderr=subprocess.PIPE, text=True
        )

    def outputs(self) -> dict[str, tuple[int, bytes]]:
        """What was written, and when."""
        found = sorted((self.home / "out").glob("*.txt"))
        return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in found}

    @property
    def done(self) -> int:
        """How many recordings are known to be done."""
        return len(list((self.home / "data" / "transcribed").glob("*.json")))


@pytest.fixture
def batch(tmp_path):
    """A place for batches."""
    return Batch(tmp_path)


def record(path: Path, pattern: str) -> None:
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, speech(pattern), 16_000, subtype="PCM_16")


def children(process: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *children(child)]
    return found


def is_there(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def until(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked up in /proc")
def test_a_batch_that_was_killed_is_taken_up_where_it_was(batch):
    """After SIGKILL no process is left; --resume leaves what is done as it is, does the rest, and what has changed."""
    for number in range(8):
        record(batch.home / "year" / f"{number}.wav", "aBcDeFgH" + "aB" * number)
    first = batch.start("year", "-o", "out", "-j", "2")
    until(lambda: batch.done >= 3)
    workers = children(first.pid)
    first.kill()
    assert "already" not in first.communicate()[1]
    assert workers
    until(lambda: not any(map(is_there, workers)))
    before, noted = batch.outputs(), batch.done
    assert 3 <= len(before) < 8
    changed = sorted(before)[0]
    record(batch.home / "year" / changed.replace(".txt", ".wav"), "A")
    second = batch.start("year", "-o", "out", "-j", "2", "--resume")
    said = second.communicate(timeout=PATIENCE)[1]
    assert second.returncode == 0, said
    skipped = {f"{number}.txt" for number in re.findall(r"year/(\d)\.wav: already transcribed", said)}
    assert skipped <= set(before) - {changed}
    assert len(skipped) >= noted - 1  # what was written at the last moment may not have been noted
    after = batch.outputs()
    assert {name: after[name] for name in skipped} == {name: before[name] for name in skipped}
    assert after[changed][1] == b"A: 1\n"
    for number in range(8):
        if f"{number}.txt" != changed:
            words = "".join(f"A: {n}\n" for n in range(2, 9 + 2 * number, 2))
            assert after[f"{number}.txt"][1].decode() == words
    assert not list((batch.home / "out").glob("*.part")), "half a file is left"


def bad_files(folder: Path) -> list[str]:
    """Write what is no good recording, and return its names."""
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("this is no sound")
    (folder / "folder").mkdir()
    record(folder / "whole.wav", "aBcD")
    data = (folder / "whole.wav").read_bytes()
    (folder / "whole.wav").unlink()
    (folder / "header.wav").write_bytes(data[:44])
    (folder / "cut.wav").write_bytes(data[: 44 + 40_000])
    sound = speech("aB")
    sound[20_000] = np.nan
    soundfile.write(folder / "nan.wav", sound, 16_000, subtype="FLOAT")
    os.mkfifo(folder / "pipe.wav")
    return ["missing.wav", "empty.wav", "text.wav", "folder", "header.wav", "cut.wav", "nan.wav", "pipe.wav"]


def test_a_batch_with_bad_files_does_the_rest_and_names_each_once(batch):
    """What is bad, or changes while it is read, is one sentence at the end; exit code 2, the rest is done."""
    bad = bad_files(batch.home)
    for name in ("good.wav", "changing.wav", "fine.wav"):
        record(batch.home / name, "aBcD" * 6)
    running = batch.start("good.wav", *bad, "changing.wav", "fine.wav", "-o", "out", "-j", "2")
    ended = threading.Event()

    def write_on() -> None:
        while not ended.wait(0.02):
            with (batch.home / "changing.wav").open("ab") as file:
                file.write(b"\0\0")

    writing = threading.Thread(target=write_on)
    writing.start()
    said = running.communicate(timeout=PATIENCE)[1]
    ended.set()
    writing.join()
    assert running.returncode == 2, said
    lines = said.splitlines()
    summary = next(number for number, line in enumerate(lines) if "failed in" in line)
    assert "2 done, 0 skipped, 9 failed" in lines[summary]
    named = [line.removeprefix("meetscribe: ").split(":")[0] for line in lines[summary + 1 :]]
    assert sorted(named) == sorted([*bad, "changing.wav"])
    assert "it changed while it was read" in said
    words = "".join(f"A: {n}\n" for n in range(2, 25, 2)).encode()
    assert {batch.outputs()[name][1] for name in ("good.txt", "fine.txt")} == {words}
