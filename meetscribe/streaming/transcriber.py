"""Feed it audio, give it the network's answers, drain its events: the streaming core of one mixed channel.

It knows no clock, thread, file or torch. Audio is cut into chunks of one length however it comes, steps of the network
are asked for one at a time, and each answer is searched before the next is asked for: the events depend on the samples
alone. The first pass opens turns, shows partials and closes turns; the final pass (`final_pass.py`) decides the words.
Not covered: several slots, speakers.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Event, Final, Partial, Turn, TurnEnd, TurnStart, Word
from meetscribe.streaming.final_pass import FinalPass, FinalPassSettings, Piece
from meetscribe.streaming.search import FoundWord, Search
from meetscribe.streaming.steps import STEP_SAMPLES, StepRequest, StepResult, StreamStep, WholeStep
from meetscribe.streaming.turns import TurnClosed, TurnOpened, Turns, TurnSettings, TurnUpdate, TurnUpdated

SLOT = 0
KEPT_STEPS = 100
"""Steps whose audio is kept while nobody speaks: a turn is noticed some time after it began."""


@dataclass(frozen=True)
class TranscriberSettings:
    """How a stream is cut and when its turns end."""

    chunk: int = 8  # steps of 40 ms heard at once
    turns: TurnSettings = field(default_factory=TurnSettings)
    final_pass: FinalPassSettings = field(default_factory=FinalPassSettings)


class _Recent:
    """The newest samples of the stream; older ones are forgotten when nobody needs them."""

    def __init__(self) -> None:
        self._first, self._samples = 0, np.zeros(0, np.float32)

    @property
    def end(self) -> int:
        return self._first + len(self._samples)

    def append(self, samples: NDArray[np.float32]) -> None:
        self._samples = np.concatenate([self._samples, samples])

    def read(self, first: int, last: int) -> NDArray[np.float32]:
        """Return samples first … last - 1, silence where the stream has ended before."""
        part = self._samples[first - self._first : last - self._first]
        return np.pad(part, (0, last - first - len(part)))

    def forget(self, before: int) -> None:
        if before - self._first > len(self._samples) // 2:
            self._samples = self._samples[before - self._first :].copy()
            self._first = before


@dataclass
class _OpenTurn:
    """A turn in progress."""

    id: str
    start: int
    final: FinalPass
    revision: int = 0
    looked_at: int = 0  # steps that were heard when the final pass last looked at it


class Transcriber:
    """The transcript of one stream of mono audio at 16 kHz."""

    def __init__(self, search: Search, final_search: Search, settings: TranscriberSettings) -> None:
        """Begin a stream.

        Args:
            search: with the settings of the first pass.
            final_search: with those of the final pass.
            settings: how the stream is cut.
        """
        self._settings, self._final_search = settings, final_search
        self._turns = Turns(search, settings.turns)
        self._recent = _Recent()
        self._network_state: object = None
        self._asked: StreamStep | Piece | None = None
        self._heard = 0  # steps that the first pass has taken
        self._length: int | None = None  # samples of the whole stream, once it has ended
        self._open: _OpenTurn | None = None
        self._closed: TurnClosed | None = None  # what ended the open turn, until its final is there
        self._candidates: tuple[FoundWord, ...] = ()
        self._count = 0
        self._last_end = 0  # step after the last word of the last turn
        self._events: list[Event] = []

    def receive_audio(self, samples: NDArray[np.float32]) -> None:
        """Take further samples, any number of them, float32 in -1…1."""
        self._recent.append(samples)

    def receive_eof(self) -> None:
        """Take notice that the stream has ended: the last turn will be finished."""
        self._length = self._recent.end

    def requests(self) -> list[StepRequest]:
        """Return the step of the network to run next; nothing when more audio is needed or one is under way."""
        if self._asked is not None:
            return []
        if self._is_finished():
            self._receive_updates([self._turns.close()])
        self._asked = self._piece() or self._chunk()
        if isinstance(self._asked, Piece):
            return [
                WholeStep(
                    self._recent.read(self._asked.first * STEP_SAMPLES, self._asked.last * STEP_SAMPLES)
                )
            ]
        return [] if self._asked is None else [self._asked]

    def receive_result(self, result: StepResult) -> None:
        """Take the result of the step that `requests` gave."""
        asked, self._asked = self._asked, None
        if isinstance(asked, Piece):
            self._receive_piece(asked, result.scores)
            return
        self._network_state = result.state
        self._heard += len(result.scores)
        self._receive_updates(self._turns.advance(result.scores))
        kept = self._open.final.oldest if self._open else self._heard - KEPT_STEPS
        self._recent.forget(kept * STEP_SAMPLES)

    def events(self) -> list[Event]:
        """Return the events since the last call."""
        events, self._events = self._events, []
        return events

    def _chunk(self) -> StreamStep | None:
        """Return the next step of the first pass; the last chunk is filled up with silence."""
        begin, end = self._heard * STEP_SAMPLES, (self._heard + self._settings.chunk) * STEP_SAMPLES
        ended = self._length is not None and begin < self._length
        if self._recent.end < end and not ended:
            return None
        return StreamStep(self._recent.read(begin, end), self._network_state)

    def _is_finished(self) -> bool:
        """Tell whether the stream has ended with a turn still open."""
        heard_all = self._length is not None and self._heard * STEP_SAMPLES >= self._length
        return heard_all and self._turns.is_open

    def _piece(self) -> Piece | None:
        """Return the piece of the open turn that the final pass needs now."""
        if self._open is None:
            return None
        if self._closed is not None:
            return self._open.final.closing(self._closed.end // STEP_SAMPLES, self._heard)
        return self._open.final.due(self._heard) if self._heard > self._open.looked_at else None

    def _receive_updates(self, updates: list[TurnUpdate]) -> None:
        for update in updates:
            match update:
                case TurnOpened(start):
                    self._begin_turn(start)
                case TurnUpdated(words):
                    self._candidates = words
                    self._emit_partial()
                case TurnClosed():
                    self._closed = update

    def _begin_turn(self, start: int) -> None:
        self._count += 1
        settings = self._settings.final_pass
        first = max(self._last_end, start // STEP_SAMPLES - settings.lead)
        final = FinalPass(self._final_search, first, self._turns.weights, settings)
        self._open = _OpenTurn(f"t{self._count}", start, final)
        self._events.append(TurnStart(at=self._now, turn=self._open.id, slot=SLOT, start=start))

    def _emit_partial(self) -> None:
        """Show firm words of the final pass, then what the first pass has after them."""
        if self._open is None:
            return
        firm = self._open.final.words
        end = firm[-1].end if firm else 0
        loose = tuple(word for word in self._candidates if word.start + word.end > 2 * end)
        self._open.revision += 1
        turn = _turn(self._open, (*firm, *loose))
        revision, stable = self._open.revision, len(firm)
        self._events.append(Partial(at=self._now, turn=turn, revision=revision, stable=stable))

    def _receive_piece(self, piece: Piece, scores: NDArray[np.float32]) -> None:
        if self._open is None:
            raise RuntimeError("a piece of a turn came without a turn")
        known = len(self._open.final.words)
        self._open.looked_at = self._heard
        self._open.final.receive(piece, scores)
        if piece.closing:
            self._end_turn(self._open)
        elif len(self._open.final.words) > known:
            self._emit_partial()

    def _end_turn(self, open_turn: _OpenTurn) -> None:
        words = open_turn.final.words
        turn = _turn(open_turn, words)
        self._events.append(TurnEnd(at=self._now, turn=turn.id, slot=SLOT, end=turn.end))
        if words:
            self._last_end = words[-1].end // STEP_SAMPLES
            self._events.append(Final(at=self._now, turn=turn))
            numbers = [word.word for word in words]
            self._turns.weights = self._final_search.adapted(self._turns.weights, numbers)
        self._open, self._closed, self._candidates = None, None, ()

    @property
    def _now(self) -> int:
        heard = self._heard * STEP_SAMPLES
        return heard if self._length is None else min(heard, self._length)


def _turn(open_turn: _OpenTurn, words: tuple[FoundWord, ...]) -> Turn:
    start = words[0].start if words else open_turn.start
    end = words[-1].end if words else open_turn.start
    text = " ".join(word.text for word in words)
    shown = tuple(Word(word.text, word.start, word.end, word.confidence) for word in words)
    return Turn(id=open_turn.id, slot=SLOT, start=start, end=end, text=text, words=shown)
