"""When a turn opens, what it says so far, and when it closes: pure logic over the search of one slot.

A turn opens with the first word of the best hypothesis, and closes when all good hypotheses have emitted nothing for
long enough. A pause of at most 0.5 s belongs to the turn; since a symbol comes at the end of its phone, the time
without symbols is longer than the pause, and what closes a turn is longer than 0.5 s. The longer a turn has lasted,
the shorter a pause closes it, so that none lasts for ever.
Not covered: the final words (`final_pass`), who speaks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meetscribe.lm.mixture import MixtureWeights
from meetscribe.streaming.search import FRAME_SAMPLES, FoundWord, Search, SearchResult


@dataclass(frozen=True)
class TurnSettings:
    """How long it is silent at the end of a turn; all in steps of 40 ms."""

    pause: int = 18  # without a symbol in all good hypotheses
    disputed_pause: int = 30  # in the best hypothesis, whatever others say
    long: int = 750  # a turn that lasts so long closes at a short pause
    short_pause: int = 10
    longest: int = 1500  # a turn that lasts so long closes between two words
    shortest_pause: int = 3


@dataclass(frozen=True)
class TurnOpened:
    """Somebody has begun to speak at sample `start`."""

    start: int


@dataclass(frozen=True)
class TurnUpdated:
    """The words of the open turn, as the first pass has them now."""

    words: tuple[FoundWord, ...]


@dataclass(frozen=True)
class TurnClosed:
    """The turn is over; it may have no words after all. `end` is the sample where the last word ended."""

    words: tuple[FoundWord, ...]
    end: int


TurnUpdate = TurnOpened | TurnUpdated | TurnClosed


class Turns:
    """The turns of one slot; `weights` are the shares of the language models that the next turn begins with."""

    def __init__(self, search: Search, settings: TurnSettings) -> None:
        self._search, self._settings = search, settings
        self.weights = MixtureWeights()
        self._state = search.start(weights=self.weights)
        self._opened: int | None = None  # step in which the open turn began
        self._words: tuple[FoundWord, ...] = ()

    def advance(self, scores: NDArray[np.float32]) -> list[TurnUpdate]:
        """Take the table of further steps, float32 [steps, previous symbol, next symbol]."""
        self._state = self._search.advance(self._state, scores)
        result = self._search.result(self._state)
        updates: list[TurnUpdate] = []
        if self._opened is None:
            if not result.words:
                return []
            self._opened = result.words[0].start // FRAME_SAMPLES
            updates.append(TurnOpened(result.words[0].start))
        if result.words != self._words:
            self._words = result.words
            updates.append(TurnUpdated(self._words))
        if self._is_over(result):
            updates.append(self.close())
        return updates

    def close(self) -> TurnClosed:
        """End the open turn now."""
        words = self._search.finish(self._state).words
        end = words[-1].end if words else self._state.frame * FRAME_SAMPLES
        self._opened, self._words = None, ()
        self._state = self._search.start(weights=self.weights, frame=self._state.frame)
        return TurnClosed(words, end)

    @property
    def is_open(self) -> bool:
        """Whether a turn is open."""
        return self._opened is not None

    def _is_over(self, result: SearchResult) -> bool:
        age = self._state.frame - (self._opened or 0)
        if age >= self._settings.longest:
            return result.agreed_silence >= self._settings.shortest_pause
        if age >= self._settings.long:
            return result.agreed_silence >= self._settings.short_pause
        return (
            result.agreed_silence >= self._settings.pause or result.silence >= self._settings.disputed_pause
        )
