"""Running the shipped pipeline over a recording, as a stream, and taking the time.

The same transcriber and engine as in a meeting, without the session's tasks: blocks in, steps of the network,
events out. Several recordings may share the engine, which is faster; what is heard in each stays the same.
Not covered: waiting for audio (everything runs as fast as it can).
"""

import gc
import pickle
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from meetscribe.evaluation.segments import Segment, of_turn
from meetscribe.events import Event, Final, Partial, Turn, Word
from meetscribe.session.ports import Engine, Transcriber
from meetscribe.timeline import SAMPLE_RATE

BLOCK = SAMPLE_RATE // 10  # samples given at once, as a microphone would
_MINUTE = 60 * SAMPLE_RATE


class Pipeline(Protocol):
    """A loaded recogniser: one engine, and a fresh transcriber for each recording."""

    @property
    def engine(self) -> Engine:
        """Return who runs the network."""
        ...

    @property
    def new_transcriber(self) -> Callable[[], Transcriber]:
        """Return what makes a transcriber."""
        ...


@dataclass(frozen=True)
class Run:
    """The events of one recording, in order.

    `heard` is seconds of audio, `spent` seconds by the clock, `worked` seconds of processor time; recordings that
    ran together share both by their lengths. `memory` is MB resident after each minute of audio, where it was watched.
    """

    events: tuple[Event, ...]
    heard: float
    spent: float
    worked: float
    memory: tuple[float, ...] = ()


def transcribe(pipeline: Pipeline, audio: NDArray[np.float32], block: int = BLOCK) -> Run:
    """Stream a recording (float32 [samples] at 16 kHz) through a pipeline, `block` samples at a time.

    Memory is watched where the system tells it (Linux); so that it is not the partials' own that is watched, events are
    packed as they come.
    """
    began, worked = time.perf_counter(), time.process_time()
    transcriber = pipeline.new_transcriber()
    events: list[Event] = []
    packed: list[bytes] = []
    memory: list[float] = []
    for start in range(0, len(audio), block):
        transcriber.receive_audio(audio[start : start + block])
        think([transcriber], pipeline.engine)
        events.extend(transcriber.events())
        if (start + block) // _MINUTE > len(packed):
            packed.append(zlib.compress(pickle.dumps(events)))
            events.clear()
            memory += [now] if (now := resident()) is not None else []
    transcriber.receive_eof()
    think([transcriber], pipeline.engine)
    events.extend(transcriber.events())
    spent, worked = time.perf_counter() - began, time.process_time() - worked
    events = [event for part in packed for event in pickle.loads(zlib.decompress(part))] + events
    return Run(tuple(events), len(audio) / SAMPLE_RATE, spent, worked, tuple(memory))


def transcribe_together(
    pipeline: Pipeline, recordings: Sequence[NDArray[np.float32]], block: int = BLOCK
) -> list[Run]:
    """Stream several recordings at once, each as `transcribe` does; steps of all make up the engine's batches."""
    began, worked = time.perf_counter(), time.process_time()
    transcribers = [pipeline.new_transcriber() for _ in recordings]
    events: list[list[Event]] = [[] for _ in recordings]
    for start in range(0, max(map(len, recordings), default=0) + block, block):
        going = [i for i, audio in enumerate(recordings) if start < len(audio) + block]
        for i in going:
            if start < len(recordings[i]):
                transcribers[i].receive_audio(recordings[i][start : start + block])
            else:
                transcribers[i].receive_eof()
        think([transcribers[i] for i in going], pipeline.engine)
        for i in going:
            events[i].extend(transcribers[i].events())
    heard = [len(audio) / SAMPLE_RATE for audio in recordings]
    spent, worked = time.perf_counter() - began, time.process_time() - worked
    shares = [seconds / (sum(heard) or 1.0) for seconds in heard]
    return [
        Run(tuple(found), seconds, spent * share, worked * share)
        for found, seconds, share in zip(events, heard, shares, strict=True)
    ]


def warm_up(pipeline: Pipeline) -> None:
    """Transcribe a second of noise, so that what is made at first use is not counted as work."""
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
    transcribe(pipeline, 0.1 * noise)


def think(transcribers: Sequence[Transcriber], engine: Engine) -> None:
    """Run the steps that can run; what came of them is in the transcribers' events."""
    while asked := [(transcriber, step) for transcriber in transcribers for step in transcriber.requests()]:
        for (transcriber, _), result in zip(asked, engine.run([step for _, step in asked]), strict=True):
            transcriber.receive_result(result)


def resident() -> float | None:
    """Return the resident memory of this process in MB; None where the system does not tell it (Linux does)."""
    gc.collect()
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), None)


def final_turns(events: Sequence[Event]) -> list[Turn]:
    """Return the turns as their finals have them: the final pass."""
    return [event.turn for event in events if isinstance(event, Final)]


@dataclass
class _FirstPass:
    """The first pass' words of one turn: those that firmer ones replaced, and those still shown at the end."""

    turn: Turn
    replaced: tuple[Word, ...] = ()
    loose: tuple[Word, ...] = ()
    firm_until: int = 0

    def see(self, partial: Partial) -> None:
        """Take the next partial: words that became firm cover some that the partial before showed."""
        words = partial.turn.words
        firm = words[: partial.stable]
        until = firm[-1].end if firm else 0
        if until > self.firm_until:
            self.replaced += tuple(word for word in self.loose if (word.start + word.end) // 2 <= until)
            self.firm_until = until
        self.turn, self.loose = partial.turn, words[partial.stable :]

    def give_up(self, start: int) -> tuple[Word, ...]:
        """Return the words that lie behind sample `start`, and keep the others: a turn was split there."""
        words = (*self.replaced, *self.loose)
        self.replaced, self.loose = (
            tuple(word for word in some if (word.start + word.end) // 2 < start)
            for some in (self.replaced, self.loose)
        )
        return tuple(word for word in words if (word.start + word.end) // 2 >= start)

    def result(self) -> Turn:
        """Return the turn as the first pass alone heard it."""
        words = (*self.replaced, *self.loose)
        if not self.turn.words:
            return self.turn
        return replace(self.turn, words=words, text=" ".join(word.word for word in words))


def first_pass_turns(events: Sequence[Event]) -> list[Turn]:
    """Return the turns as the first, streaming pass had them, put together from their partials.

    Firm words of a partial may come from the final pass; in their place stand the words that were shown there
    before, in the same turn or in one that was split. A turn that was never shown is taken from its final; one that
    vanished counts too.
    """
    seen: dict[str, _FirstPass] = {}
    newest: dict[int, _FirstPass] = {}  # of each slot
    for event in events:
        if not isinstance(event, Partial | Final):
            continue
        turn = event.turn
        if turn.id not in seen:
            before = newest.get(turn.slot)
            shown = before.give_up(turn.start) if before else ()
            seen[turn.id] = newest[turn.slot] = _FirstPass(turn, loose=shown)
            if isinstance(event, Final) and not shown:
                seen[turn.id].loose = turn.words
        if isinstance(event, Partial):
            seen[turn.id].see(event)
    return [first.result() for first in seen.values()]


def segments_of(session: str, turns: Sequence[Turn]) -> list[Segment]:
    """Return the segments of turns that have words."""
    return [of_turn(session, turn, None) for turn in turns if turn.text]
