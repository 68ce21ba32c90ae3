"""How fast the whole pipeline is, and whether its memory grows: several models side by side in one run.

    python benchmarks/throughput.py --minutes 60 --tiny
    python benchmarks/throughput.py --minutes 60 --tiny --model NAME --audio meeting.flac

The audio (default: the demonstration recording) is repeated until it is long enough, and streamed as fast as it
goes through transcriber and engine, each model in a process of its own with one thread. Prints a line per ten
minutes of audio and ends with one JSON line per model: real-time factor by the clock and by processor time, and
how much resident memory grew from minute 10 to the end.
Not covered: capture, sinks, several meetings at once.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

import meetscribe
from meetscribe import models
from meetscribe.apps.recogniser import load_recogniser
from meetscribe.evaluation.material import load_audio
from meetscribe.evaluation.run import BLOCK, resident, think, warm_up
from meetscribe.timeline import SAMPLE_RATE

DEMO = Path(meetscribe.__file__).parent / "demo" / "recording.flac"
_MINUTE = 60 * SAMPLE_RATE
_SETTLED = 10  # minutes after which memory is expected not to grow


def _resident() -> float:
    now = resident()
    if now is None:
        raise RuntimeError("the system does not tell how much memory is resident: this needs Linux")
    return now


def measure(name: str, directory: Path, audio_path: Path, minutes: int) -> dict[str, object]:
    """Stream `minutes` of audio through a model; returns its figures."""
    pipeline = load_recogniser(directory)
    warm_up(pipeline)
    audio = load_audio(audio_path)
    transcriber = pipeline.new_transcriber()
    began, worked = time.perf_counter(), time.process_time()
    memory: dict[int, float] = {}
    position = events = 0
    while position < minutes * _MINUTE:
        offset = position % len(audio)
        block = audio[offset : offset + BLOCK]
        transcriber.receive_audio(block)
        think([transcriber], pipeline.engine)
        events += len(transcriber.events())
        before, position = position // _MINUTE, position + len(block)
        if position // _MINUTE > before and (position // _MINUTE) % 10 == 0:
            memory[position // _MINUTE] = _resident()
            print(f"{name}: minute {position // _MINUTE}, {_resident():.0f} MB", file=sys.stderr)
    transcriber.receive_eof()
    think([transcriber], pipeline.engine)
    events += len(transcriber.events())
    heard = position / SAMPLE_RATE
    growth = memory[max(memory)] - memory[_SETTLED] if len(memory) > 1 else None
    return {
        "model": name,
        "minutes": minutes,
        "rtf": round((time.perf_counter() - began) / heard, 4),
        "processor_rtf": round((time.process_time() - worked) / heard, 4),
        "resident_mb": round(_resident(), 1),
        "growth_mb": None if growth is None else round(growth, 1),
        "events": events,
    }


def main() -> None:
    """Run the command line; one JSON line per model."""
    parser = argparse.ArgumentParser(description="Speed and memory of the whole pipeline.")
    parser.add_argument("--model", action="append", default=[], help="a name or a directory (repeatable)")
    parser.add_argument("--tiny", action="store_true", help="the tiny seeded model too")
    parser.add_argument("--audio", type=Path, default=DEMO)
    parser.add_argument("--minutes", type=int, default=60)
    options = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        chosen = [(found.name, found.path) for found in map(models.find, options.model)]
        if options.tiny or not chosen:
            from meetscribe.testing import write_tiny_model  # noqa: PLC0415  late: it loads torch

            write_tiny_model(Path(folder) / "tiny")
            chosen.append(("tiny", Path(folder) / "tiny"))
        for name, directory in chosen:
            with spawn.Pool(1) as pool:
                arguments = (name, directory, options.audio, options.minutes)
                print(json.dumps(pool.apply(measure, arguments)), flush=True)


if __name__ == "__main__":
    main()
