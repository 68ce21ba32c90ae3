"""How the screen of a live meeting behaves at the end of a long one: time until a key is answered, memory, CPU.

    python benchmarks/screen.py --minutes 120

A program of its own shows a scripted meeting of four people, every third turn talked over, in a pseudo-terminal, as
`meetscribe live` does: played many times as fast as people talk, with its partials. Then keys are pressed, and the time
is taken from the key to the last byte of the answer, as a terminal would get it. Before the keys some words are said at
the speed of life: `word_ms` is the time from the partial that has a word to the byte that ends it on the terminal.
On a machine that others use too, `key_ms` holds what they took; it is stated without that beside it.
Not covered: what the terminal itself needs to draw, and the audio.
"""

import argparse
import asyncio
import fcntl
import json
import os
import pty
import random
import select
import struct
import sys
import tempfile
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path

from meetscribe import events as ev
from meetscribe.apps.live.app import run
from meetscribe.apps.live.scripted import ScriptedMeeting, spoken, turn
from meetscribe.timeline import SAMPLE_RATE

_SENTENCE = (
    "we have to talk about the plan for next month and who can help us with all of it before the holidays"
)
_WORDS = _SENTENCE.split()
_KEYS = {
    "up": "\x1b[A",
    "down": "\x1b[B",
    "page up": "\x1b[5~",
    "page down": "\x1b[6~",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "help": "?",
    "close help": "\x1b",
    "rename": "r",
    "close rename": "\x1b",
    "search": "/",
    "first letter": "h",
    "second letter": "o",
    "close search": "\x1b",
}
_ENDED = "the end of the replay"
_SETTLED = 0.5  # seconds without a byte after which the replay has been shown
_LATE = [f"late{number:02}" for number in range(20)]  # words that are said when the replay is over
_BETWEEN = 0.3  # seconds between two of them


def long_meeting(minutes: float, seed: int = 7) -> list[ev.Turn]:
    """Return turns of four people; about every third is talked over."""
    draw = random.Random(seed)
    turns: list[ev.Turn] = []
    now = 0.0
    while now < minutes * 60:
        words = " ".join(draw.choices(_WORDS, k=draw.randint(4, 30)))
        end = now + len(words.split()) / 2.7
        turns.append(turn(f"t{len(turns)}", 0, now, end, words, f"s{draw.randint(1, 4)}"))
        if draw.random() < 0.33:
            start = now + (end - now) * draw.random()
            said = " ".join(draw.choices(_WORDS, k=draw.randint(1, 8)))
            stop = start + len(said.split()) / 2.7
            turns.append(turn(f"t{len(turns)}", 1, start, stop, said, f"s{draw.randint(1, 4)}"))
            end = max(end, stop)
        now = end + draw.random()
    return turns


def show(minutes: float, speed: float, stamps: Path) -> None:
    """Be the program that is measured."""
    start = ev.Session(title="A long meeting", started="2026-11-25T10:00:00", sources=("microphone",))
    events = spoken(long_meeting(minutes))
    last = ev.Bookmark(at=events[-1].at, note=_ENDED)
    run(_Talking([start, *events, last], speed, stamps))


class _Talking(ScriptedMeeting):
    """After its script it says words one by one, and writes down when their partials were given."""

    def __init__(self, events: list[ev.Event], speed: float, stamps: Path) -> None:
        super().__init__(events, speed)
        self._last, self._stamps = events[-1], stamps

    async def run(self) -> list[ev.DurableEvent]:
        """Play the script, say the words, then wait to be stopped."""
        saying = asyncio.create_task(self._say_words(), name="words")
        try:
            return await super().run()
        finally:
            saying.cancel()

    async def _say_words(self) -> None:
        while not (self.log and isinstance(self.log[-1], ev.Bookmark)):
            await asyncio.sleep(0.2)
        await asyncio.sleep(2 * _SETTLED)
        begin, times = self._last.at + SAMPLE_RATE, []
        for count in range(1, len(_LATE) + 1):
            said = " ".join(_LATE[:count])
            now = turn("late", 0, begin / SAMPLE_RATE, begin / SAMPLE_RATE + count * _BETWEEN, said, "s1")
            self.publish(ev.Partial(at=now.end, turn=now, revision=count, stable=max(count - 3, 0)))
            times.append(time.monotonic())
            await asyncio.sleep(_BETWEEN)
        part = self._stamps.with_suffix(".part")
        part.write_text(json.dumps(times))
        part.replace(self._stamps)


@dataclass(frozen=True)
class Answer:
    """What it took to answer a key, in seconds: by the clock, on a processor, waiting for one that others had."""

    clock: float
    ran: float
    waited: float


def _schedule(folder: str) -> tuple[float, float]:
    """Return the seconds that a thread ran and waited for a processor."""
    with open(f"{folder}/schedstat", encoding="ascii") as status:
        ran, waited, _ = map(int, status.read().split())
    return ran / 1e9, waited / 1e9


@dataclass
class Program:
    """The program in its terminal."""

    pid: int
    terminal: int
    quiet: float = 0.12  # seconds without a byte after which an answer is over
    memory: list[float] = field(default_factory=list)

    def read(self, seconds: float) -> bytes:
        """Return what it writes within so many seconds, empty if nothing comes."""
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        return os.read(self.terminal, 1 << 16) if ready else b""

    def replay(self) -> None:
        """Read until the meeting has been played; take the memory now and then."""
        written, looked = b"", 0.0
        while _ENDED.encode() not in written:
            written = written[-200:] + self.read(5)
            if time.monotonic() - looked > 2:
                looked = time.monotonic()
                self.memory.append(self.resident())
        while self.read(_SETTLED):
            pass

    def words(self) -> list[float]:
        """Read until the words that are said after the replay stand there; return when each came."""
        written, came = b"", []
        until = time.monotonic() + 60
        while len(came) < len(_LATE) and time.monotonic() < until:
            written += self.read(1)
            while len(came) < len(_LATE) and _LATE[len(came)].encode() in written:
                came.append(time.monotonic())
        return came

    def answer(self, key: str) -> "Answer":
        """Press a key; return what it took to the last byte of the answer."""
        before = self.scheduled()
        begun = last = time.perf_counter()
        after = before
        os.write(self.terminal, key.encode())
        while self.read(self.quiet if last > begun else 2.0):
            last, after = time.perf_counter(), self.scheduled()
        ran, waited = (now - then for now, then in zip(after, before, strict=True))
        return Answer(last - begun, ran, waited)

    def scheduled(self) -> tuple[float, float]:
        """Return the seconds that its threads ran, and that its first one waited for a processor."""
        ran = [
            _schedule(f"/proc/{self.pid}/task/{thread}") for thread in os.listdir(f"/proc/{self.pid}/task")
        ]
        return sum(run for run, _ in ran), _schedule(f"/proc/{self.pid}/task/{self.pid}")[1]

    def resident(self) -> float:
        """Return the resident memory in MB."""
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as pages:
            return round(int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)

    def processor_time(self) -> float:
        """Return the seconds of processor time so far."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as status:
            fields = status.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(arguments: list[str], columns: int, rows: int, quiet: float) -> Program:
    """Start a program in a terminal of its own."""
    pid, terminal = pty.fork()
    if pid == 0:
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        os.execve(sys.executable, [sys.executable, *arguments], environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return Program(pid, terminal, quiet)


def measure(
    minutes: float, speed: float, size: tuple[int, int], presses: int, quiet: float
) -> dict[str, object]:
    """Return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        return _measured(minutes, speed, size, presses, quiet, Path(folder) / "stamps.json")


def _measured(
    minutes: float, speed: float, size: tuple[int, int], presses: int, quiet: float, stamps: Path
) -> dict[str, object]:
    shown = ["--show", "--minutes", str(minutes), "--speed", str(speed), "--stamps", str(stamps)]
    program = start([__file__, *shown], *size, quiet)
    try:
        program.replay()
        came = program.words()
        while not stamps.exists():
            program.read(0.1)
        said = json.loads(stamps.read_text())[: len(came)]
        used = program.processor_time()
        times: dict[str, list[Answer]] = {name: [] for name in _KEYS}
        for _ in range(presses):
            for name, key in _KEYS.items():
                times[name].append(program.answer(key))
        after = program.resident()
    finally:
        os.kill(program.pid, 9)
        os.waitpid(program.pid, 0)
    turns = long_meeting(minutes)
    answers = [one for kept in times.values() for one in kept]
    return {
        "minutes": minutes,
        "turns": len(turns),
        "words": sum(len(said.words) for said in turns),
        "size": f"{size[0]}x{size[1]}",
        "words_shown": f"{len(came)} of {len(_LATE)}",
        "word_ms": _figures([there - given for there, given in zip(came, said, strict=True)]),
        "key_ms": _figures([one.clock for one in answers]),
        "key_ms_less_waiting_for_a_processor": _figures([one.clock - one.waited for one in answers]),
        "key_processor_ms": _figures([one.ran for one in answers]),
        "by_key_p50_ms": {name: _figures([one.clock for one in kept])["p50"] for name, kept in times.items()},
        "by_key_p50_ms_less_waiting_for_a_processor": {
            name: _figures([one.clock - one.waited for one in kept])["p50"] for name, kept in times.items()
        },
        "by_key_processor_p50_ms": {
            name: _figures([one.ran for one in kept])["p50"] for name, kept in times.items()
        },
        "processor_s_of_replay": round(used, 1),
        "memory_mb": [*program.memory[:: max(len(program.memory) // 10, 1)], after],
    }


def _figures(times: list[float]) -> dict[str, float]:
    """Return milliseconds."""
    ordered = sorted(times)
    places = {"p50": len(ordered) // 2, "p95": len(ordered) * 95 // 100, "max": len(ordered) - 1}
    return {name: round(ordered[place] * 1000, 1) for name, place in places.items()}


def main() -> None:
    """Measure and print one line of JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--speed", type=float, default=200, help="how many times as fast as people talk")
    parser.add_argument("--size", default="80x24")
    parser.add_argument("--presses", type=int, default=20, help="how often each key is pressed")
    parser.add_argument(
        "--quiet",
        type=float,
        default=0.12,
        help="seconds of silence that end an answer; more on a busy machine",
    )
    parser.add_argument("--stamps", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--show", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.show:
        show(options.minutes, options.speed, options.stamps)
        return
    columns, rows = map(int, options.size.split("x"))
    print(
        json.dumps(measure(options.minutes, options.speed, (columns, rows), options.presses, options.quiet))
    )


if __name__ == "__main__":
    main()
