"""How much faster two processes are than one: the whole of `meetscribe transcribe FOLDER -j N`, on an idle machine.

    python benchmarks/jobs.py                          # en-small, eight recordings of two minutes, -j 1 and -j 2
    python benchmarks/jobs.py --tiny --recordings 4 --minutes 0.5

The demonstration recording is repeated until it is long enough. Each number of jobs transcribes the folder anew, in
turns, so that what else the machine does hits all of them; every process has one thread. Prints one line of JSON: the
seconds of each run by the clock (loading the model counts), seconds of audio per second, how many times as fast as the
first number of jobs the others are (medians), and the load before, which on an idle machine is near 0.
Not covered: a cluster.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

import meetscribe
from meetscribe import models
from meetscribe.timeline import SAMPLE_RATE

DEMO = Path(meetscribe.__file__).parent / "demo" / "recording.flac"


def write(folder: Path, recordings: int, minutes: float) -> None:
    """Write recordings, each another part of the demonstration recording first."""
    once, rate = soundfile.read(DEMO, dtype="float32")
    assert rate == SAMPLE_RATE
    length = round(minutes * 60 * SAMPLE_RATE)
    folder.mkdir()
    for number in range(recordings):
        moved = np.roll(once, -number * len(once) // recordings)
        sound = np.resize(moved, length)
        soundfile.write(folder / f"{number}.wav", sound, SAMPLE_RATE, subtype="PCM_16")


def run(model: Path, folder: Path, jobs: int) -> float:
    """Transcribe a folder; return the seconds that it took."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "meetscribe.apps.cli.main", "--data-dir", f"{place}/data"]
        command += ["transcribe", str(folder), "--model", model.name, "-o", f"{place}/out", "-j", str(jobs)]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "MEETSCRIBE_MODELS_DIR": str(model.parent)}
        began = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        took = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr)
    return took


def measure(model: Path, options: argparse.Namespace) -> dict[str, object]:
    """Return the figures of a model."""
    load = os.getloadavg()[0]
    times: dict[int, list[float]] = {jobs: [] for jobs in options.jobs}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "year"
        write(folder, options.recordings, options.minutes)
        for _ in range(options.rounds):
            for jobs in options.jobs:
                times[jobs].append(run(model, folder, jobs))
    middle = {jobs: statistics.median(taken) for jobs, taken in times.items()}
    audio, first = options.recordings * options.minutes * 60, middle[options.jobs[0]]
    return {
        "model": model.name,
        "recordings": options.recordings,
        "minutes": options.minutes,
        "seconds": {jobs: [round(one, 1) for one in taken] for jobs, taken in times.items()},
        "audio_seconds_per_second": {jobs: round(audio / one, 2) for jobs, one in middle.items()},
        "times_as_fast": {jobs: round(first / one, 2) for jobs, one in middle.items()},
        "processors": len(os.sched_getaffinity(0)),
        "load": round(load, 2),
    }


def main() -> None:
    """Run the command line; one JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", help="a name or a directory")
    parser.add_argument(
        "--tiny", action="store_true", help="the tiny seeded model, which understands nothing"
    )
    parser.add_argument("--recordings", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=2.0, help="of each recording")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "tiny"
        if options.tiny:
            from meetscribe.testing import write_tiny_model  # noqa: PLC0415  late: it loads torch

            write_tiny_model(model)
        else:
            model = models.find(options.model).path
        print(json.dumps(measure(model, options)))


if __name__ == "__main__":
    main()
