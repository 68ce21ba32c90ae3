"""What the store costs: appending, folding, searching, taking back and deleting, in a folder of long meetings.

    python benchmarks/store.py --meetings 50 --turns 2000

Each meeting has `--turns` turns of twelve words with times, as a meeting of two hours has about 2,000. Figures go to
stdout, one per line, and end with one JSON line: by the clock, which the disk and other programs slow down, and by
processor time. The folder is made new in `--dir` (default: the system's temporary
one); say on what disk it lies.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from meetscribe import events as ev
from meetscribe.meeting import apply, fold
from meetscribe.store.log import SqliteLog
from meetscribe.store.store import Store
from meetscribe.timeline import SAMPLE_RATE

_WORDS_PER_TURN = 12
_VOCABULARY = 20_000


def meeting_log(name: str, turns: int, generator: np.random.Generator) -> list[ev.DurableEvent]:
    """Return the log of a meeting of four people, with a name and a correction every fiftieth turn."""
    return [ev.numbered(event, name, seq) for seq, event in enumerate(_events(turns, generator))]  # type: ignore[misc]


def _events(turns: int, generator: np.random.Generator) -> Iterator[ev.Event]:
    yield ev.Session(title="benchmark", started="2026-11-22T09:00:00+00:00", sources=("none",), model="none")
    for number in range(turns):
        start = round(number * 3.6 * SAMPLE_RATE)
        step = SAMPLE_RATE // 4
        spoken = [f"w{code}" for code in generator.zipf(1.3, _WORDS_PER_TURN) % _VOCABULARY]
        words = tuple(
            ev.Word(word, start + place * step, start + (place + 1) * step, 0.9)
            for place, word in enumerate(spoken)
        )
        turn = ev.Turn(
            f"t{number + 1}",
            number % 2,
            start,
            words[-1].end,
            " ".join(spoken),
            words,
            None,
            f"s{number % 4 + 1}",
        )
        yield ev.Final(turn=turn, at=turn.end)
        if number % 50 == 25:
            yield ev.SpeakerUpdate(
                changes=(ev.Change(f"s{number % 4 + 1}", speaker=f"Name {number}"),), by="person"
            )
            yield ev.Correction(turn=turn.id, text="a corrected text")
    yield ev.End(reason="stopped", duration=round(turns * 3.6 * SAMPLE_RATE))


def timed(name: str, do: Callable[[], Any], times: int = 1) -> tuple[str, dict[str, float]]:
    """Run something, print how long it took by the clock and by the processor, per one of `times`, and return that."""
    clock, processor = time.perf_counter(), time.process_time()
    do()
    took = {
        "clock_ms": round(1000 * (time.perf_counter() - clock) / times, 3),
        "processor_ms": round(1000 * (time.process_time() - processor) / times, 3),
    }
    print(f"{name:44} {took['clock_ms']:10.3f} ms, processor {took['processor_ms']:9.3f} ms", flush=True)
    return name, took


def _apply_each(log: list[ev.DurableEvent]) -> None:
    meeting = fold(())
    for event in log:
        meeting = apply(meeting, event)


def measure(folder: Path, meetings: int, turns: int) -> dict[str, Any]:
    """Return all figures."""
    generator = np.random.default_rng(1)
    log = meeting_log("first", turns, generator)
    longer = meeting_log("longer", 2 * turns, generator)
    figures: list[tuple[str, Any]] = [
        timed("fold a meeting", lambda: fold(log)),
        timed("fold one of twice as many turns", lambda: fold(longer)),
        timed("apply its events one by one", lambda: _apply_each(log)),
    ]
    with Store(folder) as store:
        kept = begin(store, log)
        figures.append(timed("append an event, synced", lambda: [kept.append(e) for e in log], len(log)))
        figures.append(timed("read and fold from disk", lambda: store.meeting("first")))
        for number in range(meetings - 2):
            other = meeting_log(f"m{number}", turns, generator)
            begin(store, other).extend(other)
        live = begin(store, going_on := meeting_log("live", turns, generator))
        live.extend(going_on[:-1])
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
        print(f"{'size of the folder':44} {size:10.1f} MB")
        figures.append(("size of the folder (MB)", round(size, 1)))
        figures.append(timed("search two rare words", lambda: store.search("w19999 w19998")))
        figures.append(timed("search the commonest word, 50 hits", lambda: store.search("w1")))
        figures.append(timed("list", store.meetings))
        figures.append(timed("take back a turn of a live meeting", lambda: live.redact(["t7"])))
        figures.append(timed("delete a meeting", lambda: store.delete("first")))
    return dict(figures)


def begin(store: Store, log: list[ev.DurableEvent]) -> SqliteLog:
    """Return the empty log of a meeting in the store."""
    start = log[0]
    assert isinstance(start, ev.Session)
    return store.begin(start)


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description="What the store costs.")
    parser.add_argument("--meetings", type=int, default=20, help="long meetings in the folder")
    parser.add_argument("--turns", type=int, default=2000, help="of each")
    parser.add_argument("--dir", type=Path, help="where the folder is made")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        print(json.dumps(measure(Path(folder), options.meetings, options.turns)))


if __name__ == "__main__":
    main()
