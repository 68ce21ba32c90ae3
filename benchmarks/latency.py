"""How long people wait for words in a live meeting, and what it costs: `live --from-file` at the speed of life.

    python benchmarks/latency.py                          # the demonstration recording
    python benchmarks/latency.py --audio meeting.flac --channels apart

The recording is played three times in a row; the first time, while the engine starts, does not count.
The whole program runs as people run it (recorder, store, worker), and its JSON lines are timed as they come. The clock
of the audio is that of the source: a sample is due when it would have been recorded. Prints one JSON line:

- `first_partial`: from the beginning of a turn to the first partial that shows a word of it (s, p50 and p95);
- `word`: from the end of every word of a final to the first partial, or final, that has it, or that shows what is said
  at that time on the same slot as part of another turn (who answers without a pause is split off afterwards);
- `final`: from the end of a turn to its final;
- `lag`: the most that the transcript was said to be behind (s), and how many partials came;
- `processor`: share of one core, of the recording process and of the engine; `memory`: MB resident, the most of each;
- `load`: the system's load before, over which figures are not those of an idle machine.

Not covered: capture by a sound server and the screen (`benchmarks/` of theirs).
"""

import argparse
import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

import meetscribe
from meetscribe.evaluation.material import load_audio
from meetscribe.timeline import SAMPLE_RATE

DEMO = Path(meetscribe.__file__).parent / "demo" / "recording.flac"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Watched:
    """Processor time and memory of a process, as long as it lives."""

    process: int
    spent: float = 0.0  # seconds
    most: float = 0.0  # MB

    def look(self) -> None:
        """Take the figures of now."""
        try:
            fields = Path(f"/proc/{self.process}/stat").read_text().rsplit(")", 1)[1].split()
            status = Path(f"/proc/{self.process}/status").read_text()
        except OSError:
            return
        self.spent = (int(fields[11]) + int(fields[12])) / _TICKS
        resident = next((line for line in status.splitlines() if line.startswith("VmRSS:")), "VmRSS: 0")
        self.most = max(self.most, int(resident.split()[1]) / 1024)


@dataclass(frozen=True)
class Shown:
    """A word when it came first: at what time, on which slot, and the time of its middle."""

    at: float
    slot: int
    middle: float


@dataclass
class Figures:
    """What was seen; times in seconds after the audio's own."""

    first_partial: list[float] = field(default_factory=list)
    word: list[float] = field(default_factory=list)
    final: list[float] = field(default_factory=list)
    settled: float = 0.0  # turns that begin earlier do not count
    lag: float = 0.0
    partials: int = 0
    _shown: dict[str, list[Shown]] = field(default_factory=dict)  # words of each turn, as they came first

    def take(self, event: dict, now: float) -> None:
        """Take an event that came at `now`, on the clock of the audio."""
        if event["type"] == "lag":
            self.lag = max(self.lag, event["behind"])
        if event["type"] not in ("partial", "final"):
            return
        turn = event["turn"]
        if turn["start"] < self.settled:
            return
        seen = self._shown.setdefault(turn["id"], [])
        if turn["words"] and not seen:
            self.first_partial.append(now - turn["start"])
        fresh = turn["words"][len(seen) :]
        seen += [Shown(now, turn["slot"], (word["start"] + word["end"]) / 2) for word in fresh]
        self.partials += event["type"] == "partial"
        if event["type"] == "final":
            self.final.append(now - turn["end"])
            for shown, word in zip(seen, turn["words"], strict=False):
                self.word.append(min(shown.at, self._earlier(turn, word)) - word["end"])

    def _earlier(self, turn: dict, word: dict) -> float:
        """Return when another turn on the slot first had a word in the middle of this one; infinite: never."""
        found = (
            one.at
            for number, words in self._shown.items()
            for one in words
            if number != turn["id"]
            and one.slot == turn["slot"]
            and word["start"] <= one.middle <= word["end"]
        )
        return min(found, default=math.inf)


def children(process: int) -> list[int]:
    """Return the processes that the threads of a process have started."""
    found: list[int] = []
    for listed in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in listed.read_text().split()]
    return found


def run(audio: Path, arguments: list[str]) -> dict[str, object]:
    """Play a recording as a live meeting; return the figures."""
    load, once = os.getloadavg()[0], load_audio(audio)
    figures, watched = Figures(settled=len(once) / SAMPLE_RATE), {}
    with tempfile.TemporaryDirectory() as folder:
        played = Path(folder) / audio.with_suffix(".wav").name
        soundfile.write(played, np.tile(once, 3), SAMPLE_RATE, subtype="PCM_16")
        command = [
            sys.executable,
            "-m",
            "meetscribe.apps.cli.main",
            "live",
            "--json",
            "--from-file",
            str(played),
        ]
        command += ["--data-dir", folder, *arguments]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            began, length = None, 0.0
            for line in program.stdout:
                now, event = time.monotonic(), json.loads(line)
                if event["type"] == "level":  # the earliest of them tells when the audio began
                    began = min(began or now, now - event["at"])
                    for process in (program.pid, *children(program.pid)):
                        watched.setdefault(process, Watched(process)).look()
                elif began is not None:
                    figures.take(event, now - began)
                if event["type"] == "end":
                    length = event["duration"]
    recording = watched.pop(program.pid)
    engine = max(watched.values(), key=lambda one: one.spent)
    return {
        "audio": audio.name,
        "seconds": length,
        **{name: share(getattr(figures, name)) for name in ("first_partial", "word", "final")},
        "lag": round(figures.lag, 2),
        "partials": figures.partials,
        "processor": {
            "recording": round(recording.spent / length, 3),
            "engine": round(engine.spent / length, 3),
        },
        "memory": {"recording": round(recording.most), "engine": round(engine.most)},
        "load": round(load, 2),
    }


def share(values: list[float]) -> dict[str, float] | None:
    """Return the middle, and what 95 of 100 stay below."""
    if not values:
        return None
    return {
        "p50": round(float(np.percentile(values, 50)), 2),
        "p95": round(float(np.percentile(values, 95)), 2),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--audio", type=Path, default=DEMO)
    known, arguments = parser.parse_known_args()
    print(json.dumps(run(known.audio, arguments)))


if __name__ == "__main__":
    main()
