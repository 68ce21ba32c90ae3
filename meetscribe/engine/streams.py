"""All open streams of one engine: in a round each is given some audio, and the steps of all make up the batches.

A stream that has more audio waiting than `BEHIND` shows no partials until it has caught up; its words are the same.
Not covered: where the audio comes from (`worker_process.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meetscribe.engine.framing import Report
from meetscribe.engine.in_process import NewTranscriber, StepEngine, StreamTranscriber, transcriber_for
from meetscribe.engine.shift import shifted
from meetscribe.events import Partial
from meetscribe.lm.wording import USUAL, Wording
from meetscribe.timeline import SAMPLE_RATE

ROUND = SAMPLE_RATE * 2 // 5
"""Samples that a stream is given in a round."""

BEHIND = SAMPLE_RATE
"""Samples waiting from which on partials are left out."""


@dataclass
class _Open:
    transcriber: StreamTranscriber
    start: int
    waiting: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    heard: int = 0
    has_ended: bool = False  # no more audio comes

    @property
    def has_work(self) -> bool:
        return self.has_ended or len(self.waiting) > 0

    def give(self) -> bool:
        """Give the transcriber the next audio; return whether that was the end."""
        now, self.waiting = self.waiting[:ROUND], self.waiting[ROUND:]
        if len(now):
            self.transcriber.receive_audio(now)
            self.heard += len(now)
        ends = self.has_ended and not len(self.waiting)
        if ends:
            self.transcriber.receive_eof()
        return ends


class Streams:
    """The open streams, by the numbers that their owner gave them."""

    def __init__(self, engine: StepEngine, new_transcriber: NewTranscriber) -> None:
        self._engine, self._new_transcriber = engine, new_transcriber
        self._open: dict[int, _Open] = {}

    def open(self, stream: int, start: int, wording: Wording = USUAL) -> None:
        """Begin a stream whose first sample has the meeting time `start`."""
        self._open[stream] = _Open(transcriber_for(self._new_transcriber, wording), start)

    def feed(self, stream: int, samples: NDArray[np.float32]) -> None:
        """Take further samples of a stream."""
        if stream in self._open:
            self._open[stream].waiting = np.concatenate([self._open[stream].waiting, samples])

    def finish(self, stream: int) -> None:
        """Take notice that no more audio of a stream comes."""
        if stream in self._open:
            self._open[stream].has_ended = True

    def drop(self, stream: int) -> None:
        """Forget a stream."""
        self._open.pop(stream, None)

    @property
    def has_work(self) -> bool:
        """Say whether another round would do something."""
        return any(one.has_work for one in self._open.values())

    def advance(self) -> list[Report]:
        """Run one round and return what came of it."""
        busy = {number: one for number, one in self._open.items() if one.has_work}
        ended = {number for number, one in busy.items() if one.give()}
        self._think([one.transcriber for one in busy.values()])
        for number in ended:
            del self._open[number]
        return [self._report(number, one, number in ended) for number, one in busy.items()]

    def _think(self, transcribers: Sequence[StreamTranscriber]) -> None:
        while True:
            asked: list[tuple[StreamTranscriber, Any]]
            asked = [(one, step) for one in transcribers for step in one.requests()]
            if not asked:
                return
            for (one, _), result in zip(asked, self._engine.run([step for _, step in asked]), strict=True):
                one.receive_result(result)

    def _report(self, number: int, one: _Open, ended: bool) -> Report:
        events = (shifted(event, one.start) for event in one.transcriber.events())
        if len(one.waiting) > BEHIND:
            events = (event for event in events if not isinstance(event, Partial))
        return Report(number, tuple(events), one.heard, ended)
