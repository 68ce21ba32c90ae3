"""When a turn opens, what it says so far, and when it closes: pure logic over the search of one slot.

A turn opens with the first word of the best hypothesis, or before it, when the network emits the start of a turn and
says that the slot's talker speaks; if no word follows, the turn is withdrawn. It closes on silence in all good
hypotheses; how much of it is needed depends on whether the end of a turn was emitted and on whether the slot is quiet
(`needed_silence`): the end of a turn alone comes late (arXiv 2205.05199: 1 s at p50), silence alone takes pauses for
ends. Where the best hypothesis goes on after the end of a turn, the turn is closed there, and what followed is
searched anew as the next one.
A pause of at most 0.5 s belongs to the turn; since a symbol comes at the end of its phone, the time without symbols is
longer than the pause, and what closes a turn by itself is longer than 0.5 s. The longer a turn has lasted, the shorter
a pause closes it, so that none lasts for ever.
Not covered: the final words (`final_pass`), words that leak from another slot (`leak`), who speaks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from meetscribe.lm.mixture import MixtureWeights
from meetscribe.lm.symbols import END_OF_TURN, NUMBER_OF_SYMBOLS
from meetscribe.streaming.marks import boundary_odds, waiting
from meetscribe.streaming.recent import Recent
from meetscribe.streaming.rules import ClosingRule, Gap, Silence, SplitRule, voices_differ
from meetscribe.streaming.search import FRAME_SAMPLES, FoundWord, Search, SearchResult, SearchState

KEPT_STEPS = 64
"""Steps whose tables are kept, to be searched anew where a turn ended among them."""

VOICE_STEPS = 75
"""Steps of a voice that are compared, before and after."""

SHORTEST_GAP = 2
"""Steps between the symbols of two words from which on they may belong to two turns."""


@dataclass(frozen=True)
class TurnSettings:
    """What opens and closes a turn; lengths in steps of 40 ms, each model brings its own (`model.json`)."""

    pause: int = 18  # silence in all good hypotheses that closes a turn, whatever else
    active_pause: int = (
        18  # the same while the slot is not quiet: somebody may speak whom the search does not follow
    )
    disputed_pause: int = 30  # silence in the best hypothesis, whatever others say
    ended_pause: int = 8  # silence in all good hypotheses, once the end of a turn was emitted
    quiet_pause: int = 14  # the same, once the slot is quiet
    ended_quiet_pause: int = 5  # the same, once both are so
    ended_share: float = 0.5  # of the probability has the end of a turn, where it counts as emitted
    quiet: float = 0.3  # activity below which a step is quiet
    quiet_steps: int = 6  # so many quiet steps make the slot quiet
    split_share: float = (
        0.5  # of the probability has the end of a turn, where words after it are another turn
    )
    open_share: float = 0.5  # of the probability has the start of a turn that opens one before its first word
    open_activity: float = 0.5  # mean activity that it takes besides
    open_steps: int = 3  # in so many last steps
    open_run: int = 0  # so many last steps that are as active open a turn without any mark; 0: none do
    withdraw: int = 25  # a turn without a word is given up when it is so old
    earlier_start: int = 12  # the start of a turn counts if it came so shortly before the first word
    long: int = 750  # a turn that lasts so long closes at a short pause
    short_pause: int = 10
    longest: int = 1500  # a turn that lasts so long closes between two words
    shortest_pause: int = 3
    closing: ClosingRule | None = None  # closes a turn sooner than silence by itself
    splitting: SplitRule | None = None  # tells two turns apart between which silence closed none


@dataclass(frozen=True)
class Evidence:
    """What is known of the end of an open turn; lengths in steps.

    Attributes:
        age: since the turn began.
        silence: since the last symbol of a word in the best hypothesis.
        agreed_silence: the same, the least of all good hypotheses.
        ended: the best hypothesis has the end of a turn, and nothing after it.
        ended_share: share of the probability of hypotheses with the end of a turn.
        quiet: for so long the slot's activity has been low.
        marks: log odds of the end of the turn, by the network's marks beside the search.
    """

    age: int
    silence: int
    agreed_silence: int
    ended: bool
    ended_share: float
    quiet: int
    marks: float = 0.0

    @property
    def silent(self) -> Silence:
        """The same as the closing rule weighs it."""
        return Silence(self.silence, self.agreed_silence, self.quiet, self.marks)


def needed_silence(settings: TurnSettings, seen: Evidence) -> int:
    """Return for how many steps all good hypotheses have to be silent, given what else speaks for an end."""
    ended = seen.ended and seen.ended_share >= settings.ended_share
    quiet = seen.quiet >= settings.quiet_steps
    needed = settings.pause if seen.quiet > 0 else max(settings.pause, settings.active_pause)
    if seen.age >= settings.longest:
        needed = settings.shortest_pause
    elif seen.age >= settings.long:
        needed = settings.short_pause
    if quiet:
        needed = min(needed, settings.ended_quiet_pause if ended else settings.quiet_pause)
    return min(needed, settings.ended_pause) if ended else needed


def is_over(settings: TurnSettings, seen: Evidence) -> bool:
    """Tell whether a turn that has words is over."""
    if seen.age < settings.long and seen.silence >= settings.disputed_pause:
        return True
    rule = settings.closing
    if rule is not None and seen.silence > 0 and rule.odds(seen.silent) >= rule.threshold:
        return True
    return seen.agreed_silence >= needed_silence(settings, seen)


@dataclass(frozen=True)
class TurnOpened:
    """Somebody has begun to speak at sample `start`; `early`: no word was heard yet."""

    start: int
    early: bool = False


@dataclass(frozen=True)
class TurnUpdated:
    """The words of the open turn, as the first pass has them now."""

    words: tuple[FoundWord, ...]


@dataclass(frozen=True)
class TurnClosed:
    """The turn is over; it may have no words after all.

    `end` is the sample where the last word ended; `until` that where the network ended the turn, when the next
    one follows so closely that silence does not tell them apart.
    """

    words: tuple[FoundWord, ...]
    end: int
    until: int | None = None


TurnUpdate = TurnOpened | TurnUpdated | TurnClosed


@dataclass(frozen=True)
class _Split:
    """Words of a turn that ended before step `frame`, from which on another one is searched for."""

    words: tuple[FoundWord, ...]
    frame: int


class Turns:
    """The turns of one slot; `weights` are the shares of the language models that the next turn begins with."""

    def __init__(self, search: Search, settings: TurnSettings) -> None:
        self._search, self._settings = search, settings
        self.weights = MixtureWeights()
        self._state = search.start(weights=self.weights)
        self._tables = Recent(NUMBER_OF_SYMBOLS, NUMBER_OF_SYMBOLS)
        self._activity = Recent()
        self._voice: Recent | None = None
        self._quiet = self._active = 0  # for so many last steps
        self._opened: int | None = None  # step in which the open turn began
        self._words: tuple[FoundWord, ...] = ()
        self._spoken = False  # the open turn has had a word

    @property
    def is_open(self) -> bool:
        """Whether a turn is open."""
        return self._opened is not None

    def advance(
        self,
        scores: NDArray[np.float32],
        activity: NDArray[np.float32] | None = None,
        voice: NDArray[np.float32] | None = None,
    ) -> list[TurnUpdate]:
        """Take the table of further steps, float32 [steps, previous symbol, next symbol], activity and voice."""
        heard = np.ones(len(scores), np.float32) if activity is None else activity
        return advance_all([self], scores[None], heard[None], None if voice is None else voice[None])[0]

    def close(self) -> TurnClosed:
        """End the open turn now."""
        words = self._search.finish(self._state).words
        frame = self._state.frame
        self._restart(frame)
        return TurnClosed(words, words[-1].end if words else frame * FRAME_SAMPLES)

    def _receive(
        self, state: SearchState, scores: NDArray[np.float32], activity: NDArray[np.float32]
    ) -> list[TurnUpdate]:
        """Take the state of the search after further steps; several turns may end among them."""
        self._remember(scores, activity)
        self._state = state
        updates: list[TurnUpdate] = []
        result = self._search.result(state)
        while split := self._first_split(result):
            updates += self._shown(result, split.words)
            self._restart(split.frame)
            updates.append(TurnClosed(split.words, split.words[-1].end, split.frame * FRAME_SAMPLES))
            result = self._search.result(self._state)
        updates += self._shown(result, result.words)
        if self._spoken and is_over(self._settings, self._evidence(result)):
            updates.append(self.close())
        elif self._is_stale(result):
            updates += self._withdraw()
        return updates

    def _remember(self, scores: NDArray[np.float32], activity: NDArray[np.float32]) -> None:
        self._tables.append(scores)
        self._tables.forget(self._tables.end - KEPT_STEPS)
        self._activity.append(activity)
        self._activity.forget(self._activity.end - KEPT_STEPS - VOICE_STEPS)
        for value in activity:
            self._quiet = self._quiet + 1 if value < self._settings.quiet else 0
            self._active = self._active + 1 if value >= self._settings.open_activity else 0

    def _hear_voice(self, rows: NDArray[np.float32]) -> None:
        """Remember the voice of further steps, before their tables are taken."""
        if self._voice is None:
            self._voice = Recent(rows.shape[1])
        self._voice.append(rows)
        self._voice.forget(self._voice.end - KEPT_STEPS - VOICE_STEPS)

    def _restart(self, frame: int) -> None:
        """Search for the next turn from a step on, of which some may have been heard."""
        state = self._search.start(weights=self.weights, frame=frame)
        if frame < self._state.frame:
            state = self._search.advance(state, self._tables.read(frame, self._state.frame))
        self._state, self._opened, self._words, self._spoken = state, None, (), False

    def _first_split(self, result: SearchResult) -> _Split | None:
        """Return where the open turn ended, if what followed is another one."""
        ends = [end for end in (self._marked_end(result), self._end_between(result.words)) if end is not None]
        return min(ends, key=lambda end: end.frame, default=None)

    def _marked_end(self, result: SearchResult) -> _Split | None:
        """Return the first end of a turn after which the best hypothesis goes on."""
        if result.ended is None or result.label == END_OF_TURN or result.ended + 1 < self._tables.first:
            return None
        if result.ended_share < self._settings.split_share:
            return None
        frame = result.ended + 1
        words = tuple(word for word in result.words if word.end <= frame * FRAME_SAMPLES)
        return _Split(words, frame) if words else None

    def _end_between(self, words: tuple[FoundWord, ...]) -> _Split | None:
        """Return the first two words that the rule takes for those of two turns."""
        rule = self._settings.splitting
        if rule is None:
            return None
        for number, gap in self.gaps(words):
            if rule.odds(gap) >= rule.threshold:
                last, first = self._symbols_between(words[number - 1], words[number])
                return _Split(words[:number], (last + 1 + first) // 2)
        return None

    def gaps(self, words: tuple[FoundWord, ...] | None = None) -> Iterator[tuple[int, Gap]]:
        """Yield the gaps before words (of the open turn) that may divide turns, by the number of the word after."""
        chosen = self._words if words is None else words
        for number, (word, following) in enumerate(pairwise(chosen), 1):
            last, first = self._symbols_between(word, following)
            if first - last >= SHORTEST_GAP and last + 1 >= self._tables.first:
                yield number, self._gap(chosen[0], word, following)

    def _symbols_between(self, word: FoundWord, following: FoundWord) -> tuple[int, int]:
        """Return the frames of a word's last symbol and of the next word's first one."""
        onset = self._search.settings.onset
        return word.end // FRAME_SAMPLES - 1, (following.start + onset) // FRAME_SAMPLES - 1

    def _gap(self, begin: FoundWord, word: FoundWord, following: FoundWord) -> Gap:
        """Return what is known of the time between two words of a turn that begins with another."""
        last, first = self._symbols_between(word, following)
        active = self._activity.read(last + 1, first)
        odds = boundary_odds(self._tables.read(last + 1, first + 1), word.label)
        rule = self._settings.splitting
        spread = () if rule is None else rule.spread
        still = int((active < self._settings.quiet).sum())
        spoken = (begin.start // FRAME_SAMPLES, last + 1, max(last + 1, first - 1))
        return Gap(first - last, still, odds, self._voices_differ(*spoken, spread))

    def _voices_differ(self, begin: int, last: int, first: int, spread: Sequence[float]) -> float:
        """Return how much the voice of steps begin … last - 1 differs from that of first and later."""
        if self._voice is None or not spread:
            return 0.0
        begin = max(begin, last - VOICE_STEPS, self._voice.first, self._activity.first)
        end = min(self._voice.end, first + VOICE_STEPS)
        return voices_differ(self._mean_voice(begin, last), self._mean_voice(first, end), spread)

    def _mean_voice(self, first: int, last: int) -> tuple[NDArray[np.float32], float]:
        """Return the mean voice of some steps, each weighed by its activity, and how many they are."""
        assert self._voice is not None
        voice, weights = (
            self._voice.read(first, max(first, last)),
            self._activity.read(first, max(first, last)),
        )
        total = float(weights.sum())
        return (weights @ voice) / max(total, 1e-3), total

    def _withdraw(self) -> list[TurnUpdate]:
        """Give up a turn that has no word, or the start of one that was not opened yet."""
        opened = self._opened
        self._restart(self._state.frame)
        return [] if opened is None else [TurnClosed((), opened * FRAME_SAMPLES)]

    def _shown(self, result: SearchResult, words: tuple[FoundWord, ...]) -> list[TurnUpdate]:
        updates: list[TurnUpdate] = []
        if self._opened is None:
            opened = self._opening(result, words)
            if opened is None:
                return []
            self._opened = opened.start // FRAME_SAMPLES
            updates.append(opened)
        if words != self._words:
            self._words, self._spoken = words, True
            updates.append(TurnUpdated(words))
        return updates

    def _opening(self, result: SearchResult, words: tuple[FoundWord, ...]) -> TurnOpened | None:
        """Return how a turn opens now; None: it does not."""
        settings = self._settings
        begun = None if result.begun is None else result.begun * FRAME_SAMPLES
        if words:
            first = words[0].start
            close = begun is not None and first - settings.earlier_start * FRAME_SAMPLES <= begun < first
            return TurnOpened(begun if begun is not None and close else first)
        if settings.open_run and self._active >= settings.open_run:
            return TurnOpened((self._activity.end - self._active) * FRAME_SAMPLES, early=True)
        steps = min(settings.open_steps, self._activity.end - self._activity.first)
        recent = self._activity.read(self._activity.end - steps, self._activity.end)
        speaks = steps > 0 and float(recent.mean()) >= settings.open_activity
        if begun is None or result.begun_share < settings.open_share or not speaks:
            return None
        return TurnOpened(begun, early=True)

    def _is_stale(self, result: SearchResult) -> bool:
        """Tell whether a turn's start was not followed by a word for too long."""
        begun = self._opened if self._opened is not None else result.begun
        if (
            begun is None
            or self._spoken
            or result.words
            or self._state.frame - begun < self._settings.withdraw
        ):
            return False
        return result.between or result.silence >= self._settings.pause

    @property
    def words(self) -> tuple[FoundWord, ...]:
        """The words of the open turn so far."""
        return self._words

    def silent(self) -> Silence | None:
        """Return what speaks for the end of the open turn; None while a word is under way, or before the first one."""
        result = self._search.result(self._state)
        if not self._spoken or not result.words or not result.between or result.silence < SHORTEST_GAP:
            return None
        return self._evidence(result).silent

    def _evidence(self, result: SearchResult) -> Evidence:
        first = max(self._tables.first, self._state.frame - result.silence)
        said = waiting(self._tables.read(first, self._state.frame), result.label)
        return Evidence(
            age=self._state.frame - (self._opened or 0),
            silence=result.silence,
            agreed_silence=result.agreed_silence,
            ended=result.label == END_OF_TURN,
            ended_share=result.ended_share,
            quiet=self._quiet,
            marks=said.end_odds,
        )


def advance_all(
    turns: Sequence[Turns],
    scores: NDArray[np.float32],
    activity: NDArray[np.float32],
    voice: NDArray[np.float32] | None = None,
) -> list[list[TurnUpdate]]:
    """Take further steps of several slots, whose turns share one search.

    Args:
        turns: of each of C slots.
        scores: tables, float32 [C, T, previous symbol, next symbol].
        activity: probability that the slot's talker speaks, float32 [C, T].
        voice: of the slot's talker, float32 [C, T, D]; None where nothing tells voices apart.

    Returns:
        What became of each slot's turns.
    """
    if voice is not None:
        for slot, rows in zip(turns, voice, strict=True):
            slot._hear_voice(rows)
    search = turns[0]._search
    states = search.advance_all([slot._state for slot in turns], list(scores))
    return [
        slot._receive(state, table, speaks)
        for slot, state, table, speaks in zip(turns, states, scores, activity, strict=True)
    ]
