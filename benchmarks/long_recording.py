"""Whether a recording longer than memory stays cheap: `meetscribe transcribe` on hours of audio, seen from outside.

    python benchmarks/long_recording.py --hours 3 --tiny
    python benchmarks/long_recording.py --hours 3 --model en-small

The demonstration recording is written to one file again and again until it is long enough. Then the whole command
transcribes it (reading, network, search, log, JSON out) in a process of its own with one thread, and its resident
memory is taken every few seconds, beside how far it is. Prints one line of JSON: resident memory near the beginning, in
the middle and near the end, its growth in MB per hour between a tenth of the recording and its end, the most of all,
and seconds of audio per second by the clock and of processor time.
What grows with the audio is the transcript itself, which is kept until it is written; its size is stated beside it.
Not covered: what layouts need (`layout_memory.py`).
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

import meetscribe
from meetscribe import models
from meetscribe.timeline import SAMPLE_RATE

DEMO = Path(meetscribe.__file__).parent / "demo" / "recording.flac"
_TICKS = os.sysconf("SC_CLK_TCK")
_EVERY = 5.0  # seconds between two looks


@dataclass
class Watched:
    """Resident memory of a process by how much of the recording it has read, and its processor time."""

    process: int
    size: int  # bytes of the recording
    seen: list[tuple[float, float]] = field(default_factory=list)  # share read, MB
    spent: float = 0.0  # seconds

    def look(self) -> None:
        """Take the figures of now; nothing where it has ended."""
        folder = Path(f"/proc/{self.process}")
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            status = (folder / "status").read_text()
            read = int(re.search(r"rchar: (\d+)", (folder / "io").read_text())[1])  # type: ignore[index]
        except OSError:
            return
        self.spent = (int(fields[11]) + int(fields[12])) / _TICKS
        resident = re.search(r"VmRSS:\s+(\d+)", status)
        if resident:
            self.seen.append((read / self.size, int(resident[1]) / 1024))

    def at(self, share: float) -> float:
        """Return the memory when this share of all looks was over."""
        return round(self.seen[min(round(share * len(self.seen)), len(self.seen) - 1)][1], 1)


def write(path: Path, hours: float) -> None:
    """Write the demonstration recording again and again, in constant memory."""
    once, rate = soundfile.read(DEMO, dtype="float32")
    assert rate == SAMPLE_RATE
    left = round(hours * 3600 * SAMPLE_RATE)
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, subtype="PCM_16") as file:
        while left > 0:
            file.write(once[:left])
            left -= len(once[:left])


def measure(model: Path, hours: float, folder: Path) -> dict[str, object]:
    """Transcribe so many hours with a model; return the figures."""
    audio = folder / "long.wav"
    write(audio, hours)
    command = [sys.executable, "-m", "meetscribe.apps.cli.main", "--data-dir", str(folder / "data")]
    command += ["transcribe", str(audio), "--model", model.name, "-f", "json", "-o", str(folder / "out")]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MEETSCRIBE_MODELS_DIR": str(model.parent)}
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as program:
        watched = Watched(program.pid, audio.stat().st_size)
        while program.poll() is None:
            time.sleep(_EVERY)
            watched.look()
        assert program.stderr is not None
        said = program.stderr.read()
    took = time.perf_counter() - began
    if program.returncode:
        raise SystemExit(said)
    seconds, memory = hours * 3600, np.array([memory for _, memory in watched.seen])
    return {
        "model": model.name,
        "hours": hours,
        "resident_mb": {"start": watched.at(0.1), "middle": watched.at(0.5), "end": watched.at(0.98)},
        "growth_mb_an_hour": round((watched.at(0.98) - watched.at(0.1)) / (0.88 * hours), 1),
        "most_mb": round(float(memory.max()), 1),
        "transcript_mb": round((folder / "out" / "long.json").stat().st_size / 2**20, 1),
        "audio_seconds_per_second": round(seconds / took, 1),
        "audio_seconds_per_processor_second": round(seconds / watched.spent, 1),
    }


def main() -> None:
    """Run the command line; one JSON line per model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--model", action="append", default=[], help="a name or a directory (repeatable)")
    parser.add_argument(
        "--tiny", action="store_true", help="the tiny seeded model, which understands nothing"
    )
    options = parser.parse_args()
    chosen = [models.find(name).path for name in options.model]
    with tempfile.TemporaryDirectory() as folder:
        if options.tiny or not chosen:
            from meetscribe.testing import write_tiny_model  # noqa: PLC0415  late: it loads torch

            chosen.append(Path(folder) / "models" / "tiny")
            write_tiny_model(chosen[-1])
        for model in chosen:
            print(json.dumps(measure(model, options.hours, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
