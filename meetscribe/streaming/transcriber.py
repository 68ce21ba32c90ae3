"""Feed it audio, give it the network's answers, drain its events: the streaming core of one mixed channel.

It knows no clock, thread, file or torch. Audio is cut into chunks of one length however it comes, a chunk is asked for
only when the one before was searched and every final pass that it calls for is done, and slots are looked at in their
order: the events depend on the samples alone. The first pass opens turns, shows partials and closes turns; the final
pass (`final_pass.py`) decides the words. Each slot has turns of its own (`slot.py`).
Where there is an embedder, the voice of a turn goes with its final.
Not covered: whose voices these are (`speakers.py`).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Event
from meetscribe.streaming.final_pass import FinalPassSettings, Piece
from meetscribe.streaming.leak import LeakSettings
from meetscribe.streaming.recent import Recent
from meetscribe.streaming.search import Search
from meetscribe.streaming.slot import Course, Slot, SlotSettings
from meetscribe.streaming.splitting import SplitSettings
from meetscribe.streaming.steps import (
    STEP_SAMPLES,
    StepRequest,
    StepResult,
    StreamResult,
    StreamStep,
    VoiceResult,
    VoiceStep,
    WholeResult,
    WholeStep,
)
from meetscribe.streaming.turns import Turns, TurnSettings, advance_all
from meetscribe.streaming.writing import Writer


@dataclass(frozen=True)
class TranscriberSettings:
    """How a stream is cut into chunks, slots and turns, what leaks between slots, and how words are written."""

    chunk: int = 8  # steps of 40 ms heard at once
    slots: int = 1
    turns: TurnSettings = field(default_factory=TurnSettings)
    final_pass: FinalPassSettings = field(default_factory=FinalPassSettings)
    leak: LeakSettings = field(default_factory=LeakSettings)
    writer: Writer = field(default_factory=Writer)
    embedder: str | None = None  # who tells the voices of finished turns; None: nobody
    split: SplitSettings | None = None  # where another voice splits a turn; None: nowhere


class Transcriber:
    """The transcript of one stream of mono audio at 16 kHz."""

    def __init__(self, search: Search, final_search: Search, settings: TranscriberSettings) -> None:
        """Begin a stream.

        Args:
            search: with the settings of the first pass.
            final_search: with those of the final pass.
            settings: how the stream is cut.
        """
        self._chunk_steps = settings.chunk
        self._course = Course()
        self._turns = [Turns(search, settings.turns) for _ in range(settings.slots)]
        own = SlotSettings(
            settings.final_pass, settings.leak, settings.writer, settings.embedder, settings.split
        )
        self._slots = [Slot(number, final_search, own, self._course) for number in range(settings.slots)]
        for slot in self._slots:
            slot.others = [other for other in self._slots if other is not slot]
        self._audio = Recent()
        self._network_state: object = None
        self._asked: deque[StreamStep | tuple[Slot, Piece] | tuple[Slot, NDArray[np.float32]]] = deque()

    def receive_audio(self, samples: NDArray[np.float32]) -> None:
        """Take further samples, any number of them, float32 in -1…1."""
        self._audio.append(samples)

    def receive_eof(self) -> None:
        """Take notice that the stream has ended: the last turns will be finished."""
        self._course.length = self._audio.end

    def requests(self) -> Sequence[StepRequest]:
        """Return the steps of the network to run next; none when more audio is needed or some are under way."""
        if self._asked:
            return []
        if self._has_heard_all():
            self._close_turns()
        pieces = [(slot, piece) for slot in self._slots if (piece := slot.piece()) is not None]
        words = [(slot, features) for slot in self._slots for features in slot.voices()]
        if pieces or words:
            self._asked.extend(pieces)
            self._asked.extend(words)
            wanted: list[StepRequest] = [WholeStep(slot.features(piece)) for slot, piece in pieces]
            return wanted + [VoiceStep(features) for _, features in words]
        chunk = self._chunk()
        self._asked.extend(() if chunk is None else (chunk,))
        return [] if chunk is None else [chunk]

    def receive_result(self, result: StepResult) -> None:
        """Take the results of the steps that `requests` gave, in their order."""
        asked = self._asked.popleft()
        match asked, result:
            case StreamStep(), StreamResult():
                self._receive_chunk(result)
            case (slot, Piece() as piece), WholeResult(scores=scores):
                slot.receive_piece(piece, scores)
            case (slot, np.ndarray() as features), VoiceResult(voice=voice):
                slot.receive_voice(voice, features)
            case _:
                raise RuntimeError(f"a {type(result).__name__} is no answer to what was asked")

    def events(self) -> list[Event]:
        """Return the events since the last call."""
        events, self._course.events = self._course.events, []
        return events

    def _receive_chunk(self, result: StreamResult) -> None:
        self._network_state = result.state
        self._course.heard += result.scores.shape[1]
        self._audio.forget(self._course.heard * STEP_SAMPLES)
        for slot, turns in zip(self._slots, self._turns, strict=True):
            slot.receive_chunk(result)
            turns.weights = self._course.weights
        updates = advance_all(self._turns, result.scores, result.activity, result.voice)
        for slot, own in zip(self._slots, updates, strict=True):
            slot.receive_updates(own)
        for slot in self._slots:
            slot.go_on()
            slot.forget()

    def _chunk(self) -> StreamStep | None:
        """Return the next step of the first pass; the last chunk is filled up with silence."""
        begin = self._course.heard * STEP_SAMPLES
        end = begin + self._chunk_steps * STEP_SAMPLES
        ended = self._course.length is not None and begin < self._course.length
        if self._audio.end < end and not ended:
            return None
        return StreamStep(self._audio.read(begin, end), self._network_state)

    def _has_heard_all(self) -> bool:
        length = self._course.length
        return length is not None and self._course.heard * STEP_SAMPLES >= length

    def _close_turns(self) -> None:
        """Close the turns that are open when the stream has ended."""
        for slot, turns in zip(self._slots, self._turns, strict=True):
            if turns.is_open:
                slot.receive_updates([turns.close()])
        for slot in self._slots:
            slot.go_on()
