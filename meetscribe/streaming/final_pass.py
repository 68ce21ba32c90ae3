"""The final words of one turn: its features are encoded again with full context and searched anew.

Streaming costs accuracy, since a step hears little after it; the final pass hears the whole turn. A long turn is
finished piece by piece, so that its first words become firm while it goes on and memory stays bounded: words that all
hypotheses share, and that ended some time before the newest sample, are committed and never looked at again; where
they share none for long, the best hypothesis decides.
Not covered: who encodes (`meetscribe.streaming.transcriber` asks for it), when a turn ends (`turns`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meetscribe.lm.mixture import MixtureWeights
from meetscribe.lm.symbols import BLANK
from meetscribe.streaming.search import FoundWord, Search, SearchResult
from meetscribe.streaming.steps import STEP_SAMPLES


@dataclass(frozen=True)
class FinalPassSettings:
    """When and from where a turn is encoded again; all in steps of 40 ms."""

    lead: int = 25  # heard before the turn's first word: the first pass may have missed one
    tail: int = 16  # heard after its last
    context: int = 40  # heard before the first word that is not committed
    interval: int = 200  # a piece is finished when so much is not committed yet
    margin: int = 50  # words that end so close to the newest sample are not committed


@dataclass(frozen=True)
class Piece:
    """A piece of a turn to encode: steps first … last - 1, of which anchor … until - 1 are decoded."""

    first: int
    anchor: int
    until: int
    last: int
    closing: bool  # nothing of the turn comes after it


class FinalPass:
    """The final words of one turn so far."""

    def __init__(
        self,
        search: Search,
        first: int,
        weights: MixtureWeights,
        settings: FinalPassSettings,
        before: Sequence[int] = (),
    ) -> None:
        """Begin a turn.

        Args:
            search: with the settings of the final pass.
            first: first step to decode.
            weights: shares of the language models.
            settings: when and from where to encode.
            before: numbers of the words of earlier turns, NO_WORD after each.
        """
        self._search, self._settings, self._weights, self._before = search, settings, weights, before
        self._anchor = self._floor = first
        self.words: tuple[FoundWord, ...] = ()

    @property
    def oldest(self) -> int:
        """First step whose features are still needed."""
        return max(self._floor, self._anchor - (self._settings.context if self.words else 0))

    def due(self, now: int) -> Piece | None:
        """Return the piece to encode when steps up to `now` were heard and the turn goes on; None: nothing yet."""
        if now - self._anchor < self._settings.interval:
            return None
        return Piece(self.oldest, self._anchor, now, now, False)

    def closing(self, end: int, now: int, until: int | None = None) -> Piece:
        """Return the last piece of a turn whose last word ended in step `end`.

        Where the next turn follows at once, nothing is decoded from step `until` on, but it is heard.
        """
        last = max(self._anchor + 1, min(now, end + self._settings.tail))
        decoded = last if until is None else max(self._anchor + 1, min(last, until))
        return Piece(self.oldest, self._anchor, decoded, last, True)

    def receive(self, piece: Piece, scores: NDArray[np.float32]) -> None:
        """Take the table of a piece, float32 [steps, previous symbol, next symbol]; `words` grows."""
        history = [word.word for word in self.words]
        label = self.words[-1].label if self.words else BLANK
        state = self._search.start(history, self._weights, piece.anchor, label, self._before)
        decoded = scores[piece.anchor - piece.first : piece.until - piece.first]
        state = self._search.advance(state, decoded)
        if piece.closing:
            self.words += self._search.finish(state).words
            return
        self._commit(piece, self._search.result(state))

    def _commit(self, piece: Piece, result: SearchResult) -> None:
        self._floor = self.oldest  # what lies before may be forgotten already
        newest = (piece.last - self._settings.margin) * STEP_SAMPLES
        overdue = piece.last - self._anchor >= 2 * self._settings.interval
        certain = result.words if overdue else result.words[: result.stable]
        firm = tuple(word for word in certain if word.end <= newest)
        self.words += firm
        if firm:
            self._anchor = firm[-1].end // STEP_SAMPLES
        elif overdue:
            self._anchor = piece.last - self._settings.margin
