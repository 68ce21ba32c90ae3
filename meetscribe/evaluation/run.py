"""Running the shipped pipeline over a recording, as a stream, and taking the time.

The same transcriber and engine as in a meeting, without the session's tasks: blocks in, steps of the network,
events out.
Not covered: several meetings at once, and waiting for audio (everything runs as fast as it can).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from meetscribe.evaluation.segments import Segment, of_turn
from meetscribe.events import Event, Final, Partial, Turn
from meetscribe.session.ports import Engine, Transcriber
from meetscribe.timeline import SAMPLE_RATE

BLOCK = SAMPLE_RATE // 10  # samples given at once, as a microphone would


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
    """The events of one recording, in order; `heard` and `spent` are seconds of audio and of computing."""

    events: tuple[Event, ...]
    heard: float
    spent: float


def transcribe(pipeline: Pipeline, audio: NDArray[np.float32], block: int = BLOCK) -> Run:
    """Stream a recording (float32 [samples] at 16 kHz) through a pipeline, `block` samples at a time."""
    began = time.perf_counter()
    transcriber = pipeline.new_transcriber()
    events: list[Event] = []
    for start in range(0, len(audio), block):
        transcriber.receive_audio(audio[start : start + block])
        events.extend(_think(transcriber, pipeline.engine))
    transcriber.receive_eof()
    events.extend(_think(transcriber, pipeline.engine))
    return Run(tuple(events), len(audio) / SAMPLE_RATE, time.perf_counter() - began)


def _think(transcriber: Transcriber, engine: Engine) -> Sequence[Event]:
    while requests := transcriber.requests():
        for result in engine.run(requests):
            transcriber.receive_result(result)
    return transcriber.events()


def final_turns(events: Sequence[Event]) -> list[Turn]:
    """Return the turns as their finals have them: the final pass."""
    return [event.turn for event in events if isinstance(event, Final)]


def first_pass_turns(events: Sequence[Event]) -> list[Turn]:
    """Return the turns as their last partials had them: the first, streaming pass.

    A turn that never had a partial is taken from its final; one that vanished without a final counts too.
    """
    last: dict[str, Turn] = {}
    for event in events:
        if isinstance(event, Partial):
            last[event.turn.id] = event.turn
        elif isinstance(event, Final):
            last.setdefault(event.turn.id, event.turn)
    return list(last.values())


def segments_of(session: str, turns: Sequence[Turn]) -> list[Segment]:
    """Return the segments of turns that have words."""
    return [of_turn(session, turn, None) for turn in turns if turn.text]
