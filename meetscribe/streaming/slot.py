"""One slot of a stream: the turn that is open in it, its partials, its final pass, and what becomes events.

Turns come and go in what the first pass says (`turns.py`); words that leak from the other slot are left out of
partials and finals (`leak.py`), and a turn that has no others is not shown at all. Where another voice goes on in the
middle of firm words, the turn ends there and another one begins (`splitting.py`).
Not covered: the network's steps (`transcriber.py`), when turns begin and end.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Event, Final, Partial, Turn, TurnEnd, TurnStart
from meetscribe.lm.mixture import MixtureWeights
from meetscribe.streaming.final_pass import FinalPass, FinalPassSettings, Piece
from meetscribe.streaming.lattice import NO_WORD
from meetscribe.streaming.leak import Heard, LeakSettings, own_words
from meetscribe.streaming.recent import Recent
from meetscribe.streaming.rescoring import HISTORY_WORDS
from meetscribe.streaming.search import FoundWord, Search
from meetscribe.streaming.splitting import SplitSettings, Splitter
from meetscribe.streaming.steps import STEP_FRAMES, STEP_SAMPLES, StreamResult
from meetscribe.streaming.told import Sound, Told
from meetscribe.streaming.turns import TurnClosed, TurnOpened, TurnUpdate, TurnUpdated
from meetscribe.streaming.voicing import Stretch, TurnVoice, alone
from meetscribe.streaming.writing import Draft, Said, Shown, Writer

KEPT_STEPS = 100
"""Steps whose features are kept while nobody speaks: a turn is noticed some time after it began."""

COMPARED_STEPS = 300
"""Steps before a firm word that are kept until it is known whether somebody else goes on with it."""

REMEMBERED_STEPS = 2250
"""For so long finished turns are remembered: one of the other slot may still share time with them."""


@dataclass(frozen=True)
class SlotSettings:
    """How the final pass hears, what leaks, how words are written, who tells voices, and when they split a turn.

    Without an embedder (None) nobody tells voices, and without `split` no turn is split by them.
    """

    final_pass: FinalPassSettings = field(default_factory=FinalPassSettings)
    leak: LeakSettings = field(default_factory=LeakSettings)
    writer: Writer = field(default_factory=Writer)
    embedder: str | None = None
    split: SplitSettings | None = None


@dataclass
class Course:
    """What the slots of a stream share.

    Attributes:
        heard: steps that the first pass has taken.
        length: samples of the whole stream, once it has ended.
        turns: number of turns so far.
        weights: shares of the language models.
        said: numbers of the last words of turns that have ended, NO_WORD after each turn.
        sound: what voices that were heard sound like on average.
        events: those that nobody has taken yet.
    """

    heard: int = 0
    length: int | None = None
    turns: int = 0
    weights: MixtureWeights = field(default_factory=MixtureWeights)
    said: tuple[int, ...] = ()
    sound: Sound = field(default_factory=Sound)
    events: list[Event] = field(default_factory=list)

    @property
    def now(self) -> int:
        """Samples that were heard."""
        heard = self.heard * STEP_SAMPLES
        return heard if self.length is None else min(heard, self.length)


@dataclass
class _OpenTurn:
    """A turn in progress; it has an id once it is shown."""

    start: int
    final: FinalPass
    draft: Draft
    id: str = ""
    firm: tuple[FoundWord, ...] = ()  # from the final pass, without leaks
    loose: tuple[FoundWord, ...] = ()  # from the first pass
    revision: int = 0
    looked_at: int = 0  # steps that were heard when the final pass last looked at it
    voice: TurnVoice = field(default_factory=TurnVoice)
    judged: int = 1  # first firm word of which it was not asked yet whether somebody else goes on with it
    ended: bool = False  # its last words are there, its voice is not yet


class Slot:
    """The transcript of one slot; `others` are the stream's other slots."""

    def __init__(self, number: int, search: Search, settings: SlotSettings, course: Course) -> None:
        """Begin a stream.

        Args:
            number: 0 or 1.
            search: with the settings of the final pass.
            settings: of the final pass and of leaks.
            course: what all slots of the stream share.
        """
        self._number, self._search, self._settings, self._course = number, search, settings, course
        self._features: Recent | None = None
        self._activity = Recent()
        self._open: _OpenTurn | None = None
        self._closed: TurnClosed | None = None  # what ended the open turn, until its final is there
        self._waiting: deque[TurnUpdate] = deque()  # what came after that
        self._stretch: Stretch | None = None  # of the open turn, whose voice is to be heard before it goes on
        self._splitter = None if settings.split is None else Splitter(settings.split)
        self._splits: deque[int] = deque()  # firm words with which somebody else goes on
        self._last_end = 0  # step after the last word of the last turn
        self._before: Said | None = None  # how the last turn ended
        self._finished: deque[tuple[Turn, tuple[FoundWord, ...]]] = deque()
        self.others: Sequence[Slot] = ()

    def receive_chunk(self, result: StreamResult) -> None:
        """Take the slot's features and activity in the next chunk."""
        features = result.features[self._number]
        if self._features is None:
            self._features = Recent(features.shape[1])
        self._features.append(features)
        self._activity.append(result.activity[self._number])

    def receive_updates(self, updates: Sequence[TurnUpdate]) -> None:
        """Take what the first pass says of the slot's turns; `go_on` acts on it, once all slots have theirs."""
        self._waiting.extend(updates)

    def go_on(self) -> None:
        """Act on what was received up to the next end of a turn, whose final pass has to come first."""
        while self._waiting and self._closed is None:
            match self._waiting.popleft():
                case TurnOpened(start, early):
                    self._begin_turn(start)
                    self._announce(early)
                case TurnUpdated(words):
                    self._update(words)
                case TurnClosed() as closed:
                    self._close(closed)

    def piece(self) -> Piece | None:
        """Return the piece of the open turn that the final pass needs now."""
        turn = self._open
        if turn is None or not turn.id or self._stretch is not None or self._wanted():
            return None
        if self._closed is not None:
            until = None if self._closed.until is None else self._closed.until // STEP_SAMPLES
            return turn.final.closing(self._closed.end // STEP_SAMPLES, self._course.heard, until)
        return turn.final.due(self._course.heard) if self._course.heard > turn.looked_at else None

    def features(self, piece: Piece) -> NDArray[np.float32]:
        """Return the features of a piece, float32 [4 T, F]."""
        if self._features is None:
            raise RuntimeError("a piece was asked for before anything was heard")
        return self._features.read(piece.first * STEP_FRAMES, piece.last * STEP_FRAMES)

    def receive_piece(self, piece: Piece, scores: NDArray[np.float32]) -> None:
        """Take the table of a piece, float32 [steps, previous symbol, next symbol]."""
        turn = self._open
        if turn is None:
            raise RuntimeError("a piece of a turn came without a turn")
        known = len(turn.final.words)
        turn.looked_at = self._course.heard
        turn.final.receive(piece, scores)
        turn.firm += self._own(turn.final.words[known:])
        if piece.closing:
            self._finish_words(turn)
        if not piece.closing and len(turn.final.words) > known:
            self._emit_partial(turn)
        self._look_for_others(turn)

    def voices(self) -> list[NDArray[np.float32]]:
        """Return the features of firm words whose voice is to be told now, float32 [4 T, F] each."""
        if self._features is None:
            return []
        wanted = [self._features_of(steps) for steps in self._wanted()]
        if not wanted and self._stretch is not None:
            first, last = self._stretch
            features = self._features.read(first * STEP_FRAMES, last * STEP_FRAMES)
            wanted.append(alone(features, self._stretch, [other.activity for other in self.others]))
        return wanted

    def receive_voice(self, voice: NDArray[np.float32], features: NDArray[np.float32]) -> None:
        """Take the next voice of those that `voices` asked for, and what it was asked for."""
        turn, stretch, told = self._open, self._stretch, Told.of(voice, features)
        if turn is not None and self._splitter is not None and self._wanted():
            found = self._splitter.receive(told, self._course.sound)
            if found is not None:
                self._splits.extend(found)
                self._hear_voice(turn)
        elif turn is not None and stretch is not None:
            self._stretch = None
            turn.voice.receive(told, stretch.last)
            self._course.sound.add(told)
            self._go_on_after_voice(turn)
        else:
            raise RuntimeError("a voice came that nobody asked for")

    def _features_of(self, steps: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the features of some steps, as far as they are remembered."""
        assert self._features is not None
        first = max(int(steps[0]), -(-self._features.first // STEP_FRAMES))
        read = self._features.read(first * STEP_FRAMES, (int(steps[-1]) + 1) * STEP_FRAMES)
        kept = steps[steps >= first] - first
        return read.reshape(-1, STEP_FRAMES, read.shape[1])[kept].reshape(-1, read.shape[1])

    def _wanted(self) -> list[NDArray[np.int64]]:
        """Return the steps of voices by which it will be clear whether somebody else goes on in the open turn."""
        return [] if self._splitter is None else self._splitter.wanted

    def _look_for_others(self, turn: _OpenTurn) -> None:
        """Ask for the voices around the words that became firm, or at once for the turn's."""
        if self._splitter is not None:
            turn.judged = self._splitter.look(turn.firm, turn.judged, turn.ended)
        if not self._wanted():
            self._hear_voice(turn)

    def _hear_voice(self, turn: _OpenTurn) -> None:
        """Ask for the voice in the words up to the next split, or up to where the turn was judged."""
        if self._settings.embedder is not None:
            whole = turn.ended or self._splitter is None
            until = self._splits[0] if self._splits else len(turn.firm) if whole else turn.judged
            self._stretch = turn.voice.next(turn.firm[:until])
        if self._stretch is None:
            self._go_on_after_voice(turn)

    def _go_on_after_voice(self, turn: _OpenTurn) -> None:
        """End the turn where it is split or has ended, now that its voice is known."""
        if self._splits:
            self._split(turn, self._splits.popleft())
            self._hear_voice(turn)
        elif turn.ended:
            self._end_turn(turn)
            self.go_on()

    def _split(self, turn: _OpenTurn, word: int) -> None:
        """End a turn before one of its firm words; with that word another one begins."""
        self._finish(turn, turn.firm[:word])
        turn.firm, turn.judged = turn.firm[word:], max(1, turn.judged - word)
        self._splits = deque(other - word for other in self._splits)
        turn.start, turn.revision = turn.firm[0].start, 0
        turn.voice, turn.draft = TurnVoice(), Draft(self._settings.writer, self._before)
        self._announce(True)
        if not turn.ended:
            self._emit_partial(turn)

    @property
    def activity(self) -> Recent:
        """The probability that the slot's talker speaks, of each step that is remembered."""
        return self._activity

    def _finish_words(self, turn: _OpenTurn) -> None:
        """Take a turn's last words: no others of it leak, and what comes next is likelier to be like them."""
        turn.ended, turn.loose = True, ()
        if turn.firm:
            numbers = [word.word for word in turn.firm]
            self._course.weights = self._search.adapted(self._course.weights, numbers)
            self._course.said = (*self._course.said, *numbers, NO_WORD)[-HISTORY_WORDS:]

    def forget(self) -> None:
        """Drop what is not needed any more."""
        kept = self._open.final.oldest if self._open else self._course.heard - KEPT_STEPS
        if self._open is not None and self._splitter is not None and self._open.firm:
            waiting = self._open.firm[min(self._open.judged, len(self._open.firm)) - 1]
            kept = min(kept, waiting.start // STEP_SAMPLES - COMPARED_STEPS)
        if self._features is not None:
            self._features.forget(kept * STEP_FRAMES)
        horizon = self._course.heard - REMEMBERED_STEPS
        self._activity.forget(horizon)
        while self._finished and self._finished[0][0].end < horizon * STEP_SAMPLES:
            self._finished.popleft()

    def _begin_turn(self, start: int) -> None:
        kept = 0 if self._features is None else -(-self._features.first // STEP_FRAMES)
        first = max(kept, self._last_end, start // STEP_SAMPLES - self._settings.final_pass.lead)
        shared = self._course
        final = FinalPass(self._search, first, shared.weights, self._settings.final_pass, shared.said)
        self._open = _OpenTurn(start, final, Draft(self._settings.writer, self._before))

    def _announce(self, shown: bool) -> None:
        if shown and self._open is not None:
            self._course.turns += 1
            self._open.id = f"t{self._course.turns}"
            now, start = self._course.now, self._open.start
            self._course.events.append(TurnStart(at=now, turn=self._open.id, slot=self._number, start=start))

    def _update(self, words: tuple[FoundWord, ...]) -> None:
        turn = self._open
        if turn is None:
            raise RuntimeError("words of a turn came without a turn")
        turn.loose = words
        if not turn.id and (own := self._own(words)):
            turn.start = turn.start if own[0] == words[0] else own[0].start
            self._announce(True)
        if turn.revision > 0 or self._own(words):
            self._emit_partial(turn)

    def _close(self, closed: TurnClosed) -> None:
        turn = self._open
        if turn is None:
            raise RuntimeError("the end of a turn came without a turn")
        if turn.id and (turn.revision > 0 or closed.words):
            self._closed = closed
        else:
            self._end_turn(turn)

    def _emit_partial(self, turn: _OpenTurn) -> None:
        """Show firm words of the final pass, then what the first pass has after them."""
        end = turn.final.words[-1].end if turn.final.words else 0
        loose = tuple(word for word in turn.loose if word.start + word.end > 2 * end)
        turn.revision += 1
        words = (*turn.firm, *self._own(loose))
        shown = turn.draft.show(words, len(turn.firm))
        self._course.events.append(
            Partial(
                at=self._course.now,
                turn=self._turn(turn, words, shown),
                revision=turn.revision,
                stable=shown.stable,
            )
        )

    def _end_turn(self, ended: _OpenTurn) -> None:
        self._open, self._closed = None, None
        if not ended.id:
            return
        self._finish(ended, ended.firm)
        if ended.final.words:
            self._last_end = ended.final.words[-1].end // STEP_SAMPLES

    def _finish(self, ended: _OpenTurn, words: tuple[FoundWord, ...]) -> None:
        """Give out the final of a turn with these words, if there are any."""
        shown = ended.draft.show(words, len(words), whole=True)
        turn = self._turn(ended, words, shown)
        self._course.events.append(
            TurnEnd(at=self._course.now, turn=turn.id, slot=self._number, end=turn.end)
        )
        if words:
            self._before = ended.draft.said(words)
            self._finished.append((turn, words))
            voice = ended.voice.voice(self._settings.embedder or "")
            self._course.events.append(Final(at=self._course.now, turn=turn, voice=voice))

    def _own(self, words: tuple[FoundWord, ...]) -> tuple[FoundWord, ...]:
        for other in self.others:
            words = own_words(Heard(words, self._activity), other.heard(), self._settings.leak)
        return words

    def heard(self) -> Heard:
        """Return all words that the slot has and remembers, leaks included where a turn is open."""
        words = [word for _, finished in self._finished for word in finished]
        if self._open is not None:
            words += [*self._open.firm, *self._open.loose]
        for update in self._waiting:
            words += () if isinstance(update, TurnOpened) else update.words
        return Heard(words, self._activity)

    def overlapping(self, start: int, end: int) -> tuple[str, ...]:
        """Return the ids of the finished turns that share time with samples start … end."""
        return tuple(turn.id for turn, _ in self._finished if turn.start < end and start < turn.end)

    def _turn(self, turn: _OpenTurn, words: tuple[FoundWord, ...], shown: Shown) -> Turn:
        start = words[0].start if words else turn.start
        end = words[-1].end if words else turn.start
        text = " ".join(word.word for word in shown.words)
        overlaps = tuple(number for other in self.others for number in other.overlapping(start, end))
        return Turn(turn.id, self._number, start, end, text, shown.words, overlaps=overlaps)
