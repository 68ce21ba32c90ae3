"""Memory and speed of what is done to channels before the network: a long recording through a layout.

    python benchmarks/layout_memory.py --hours 3 --layout per-speaker

The recording has two people who talk in turn (noise), each in a channel, and lies in a temporary folder. Prints a line
of JSON: resident memory after a tenth of the recording and at its end, and seconds of audio per second of processor
time.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from meetscribe.sources.layouts import open_recording
from meetscribe.timeline import SAMPLE_RATE


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--layout", default="per-speaker")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.wav"
        _write(path, options.hours)
        began, heard, early = time.process_time(), 0, 0.0
        laid = open_recording([path], options.layout)
        for block in laid.source.read():
            heard += len(block.samples)
            if not early and heard > options.hours * 360 * SAMPLE_RATE:
                early = _memory()
        spent = time.process_time() - began
    line = {
        "layout": laid.layout,
        "hours": round(heard / SAMPLE_RATE / 3600, 3),
        "early_mb": early,
        "end_mb": _memory(),
    }
    print(json.dumps({**line, "audio_seconds_per_second": round(heard / SAMPLE_RATE / spent)}))


def _write(path: Path, hours: float) -> None:
    """Write a recording, a minute at a time."""
    rng = np.random.default_rng(1)
    minute = rng.standard_normal(60 * SAMPLE_RATE).astype(np.float32) * 0.05
    turn = (np.arange(len(minute)) // (3 * SAMPLE_RATE)) % 2
    audio = np.stack([np.where(turn == owner, minute, 0.1 * minute) for owner in (0, 1)], 1)
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 2, subtype="PCM_16") as file:
        for _ in range(round(hours * 60)):
            file.write(audio)


def _memory() -> float:
    """Return the greatest resident memory so far, in MB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


if __name__ == "__main__":
    main()
