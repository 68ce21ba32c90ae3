"""Where another voice goes on in the middle of a turn: people answer each other without a pause.

Words of two people may have become one turn of the first pass. Of the final pass' words, the voice before each is
compared with the voice from it on, and in recordings how both sound where they are. Where they are less alike than
people are to strangers the turn may be split; it is, if the parts, each heard as a whole, are not one person's either.
Not covered: what a voice is (`nn/embedder.py`), turns that end by silence (`turns.py`).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meetscribe.streaming.resemblance import Resemblance, Spoken
from meetscribe.streaming.search import FoundWord
from meetscribe.streaming.steps import STEP_SAMPLES
from meetscribe.streaming.told import Sound, Told
from meetscribe.timeline import SAMPLE_RATE

Splitting = Literal["never", "seldom", "often"]
"""When turns are split: never, where one person talks; where it is rather sure that another one goes on; or already
where that is as likely as not, since all turns are looked at once more when everything was heard."""


@dataclass(frozen=True)
class SplitSettings:
    """When another person goes on in the middle of a turn; times in steps.

    Attributes:
        resemblance: how alike speech is.
        alike: log odds of the speech on both sides of a word's beginning below which the turn may be split there;
            where voices alone count, their score.
        pause: what a second of pause before the word takes off the score.
        most_pause: seconds of pause that count.
        heard: steps of words that are heard on either side.
        least: steps of words without which a side is not judged.
        apart: steps between splits, and from either end of the turn.
        odds: log odds of being one person's from which on two parts stay together.
        most: steps of a part that are heard.
    """

    resemblance: Resemblance
    alike: float = -1.0
    pause: float = 1.0
    most_pause: float = 0.5
    heard: int = 40
    least: int = 20
    apart: int = 20
    odds: float = -2.0
    most: int = 250

    @classmethod
    def when(cls, splitting: Splitting, resemblance: Resemblance) -> "SplitSettings | None":
        """Return the settings by which turns are split so: by voices alone where that is to be rather sure."""
        if splitting == "never":
            return None
        return cls(resemblance.by_voice()) if splitting == "seldom" else cls(resemblance, alike=0.0, odds=0.0)


class Boundary(NamedTuple):
    """The beginning of a word, where somebody else may go on, and the steps of words on both sides of it."""

    word: int
    before: NDArray[np.int64]
    after: NDArray[np.int64]


def boundaries(
    words: Sequence[FoundWord], first: int, ended: bool, settings: SplitSettings
) -> tuple[list[Boundary], int]:
    """Return the beginnings of words that can be judged now, and the first word to look at next time.

    Args:
        words: of a turn, firm.
        first: number of the first word that was not looked at yet.
        ended: whether no more words come; else those wait that have not enough after them.
        settings: how much is heard.
    """
    found: list[Boundary] = []
    for number in range(max(first, 1), len(words)):
        after = _steps(words[number : number + settings.heard])[: settings.heard]
        if len(after) < settings.heard and not ended:
            return found, number
        before = _steps(words[max(0, number - settings.heard) : number])
        before = before[before < after[0]][-settings.heard :]
        if min(len(before), len(after)) >= settings.least:
            found.append(Boundary(number, before, after))
    return found, max(first, len(words))


def parts(words: Sequence[FoundWord], places: Sequence[int], settings: SplitSettings) -> list[Boundary]:
    """Return the places where a turn may be split, ascending, with the steps of the parts on both sides."""
    ends = [0, *places, len(words)]
    own = [_steps(words[first:last]) for first, last in pairwise(ends)]
    return [
        Boundary(place, before[-settings.most :], after[: settings.most])
        for place, before, after in zip(places, own, own[1:], strict=False)
    ]


def _steps(words: Sequence[FoundWord]) -> NDArray[np.int64]:
    """Return the steps that words lie in, ascending."""
    spans = [np.arange(word.start // STEP_SAMPLES, -(-word.end // STEP_SAMPLES)) for word in words]
    return np.unique(np.concatenate(spans))


def splits(
    words: Sequence[FoundWord], scores: dict[int, float], ended: bool, settings: SplitSettings
) -> list[int]:
    """Return the numbers of the words with which somebody else may go on, ascending.

    Args:
        words: of a turn.
        scores: how alike the voices before and from a word on are, by its number.
        ended: whether the last word is the turn's last.
        settings: which are too little alike.
    """
    taken = [words[0].start, words[-1].end] if ended else [words[0].start]
    chosen = []
    for number, score in sorted(scores.items(), key=lambda pair: pair[1]):
        start = words[number].start
        pause = min(max((start - words[number - 1].end) / SAMPLE_RATE, 0.0), settings.most_pause)
        far = all(abs(start - other) >= settings.apart * STEP_SAMPLES for other in taken)
        if score - settings.pause * pause < settings.alike and far:
            chosen.append(number)
            taken.append(start)
    return sorted(chosen)


class Splitter:
    """Finds where a turn is to be split: asks for voices, and gives the places once all have come."""

    def __init__(self, settings: SplitSettings) -> None:
        self.settings = settings
        self._words: Sequence[FoundWord] = ()
        self._ended = False
        self._boundaries: deque[Boundary] = deque()  # on both sides of which voices are to be heard
        self._before: Told | None = None  # what is on one side of the first of them
        self._scores: dict[int, float] = {}  # how alike they were, by word
        self._places: list[int] | None = (
            None  # where the turn may be split; None: voices around words come first
        )

    @property
    def wanted(self) -> list[NDArray[np.int64]]:
        """The steps of each voice that is to be told."""
        return [steps for one in self._boundaries for steps in (one.before, one.after)]

    def look(self, words: Sequence[FoundWord], first: int, ended: bool) -> int:
        """Look at words of a turn from `first` on, as `boundaries` does; return the first one to look at next time."""
        self._words, self._ended, self._places = words, ended, None
        found, following = boundaries(words, first, ended, self.settings)
        self._boundaries.extend(found)
        return following

    def receive(self, told: Told, sound: Sound) -> list[int] | None:
        """Take the next voice that was wanted; return the words with which others go on, None while more is wanted.

        Args:
            told: the voice, and what it sounds like.
            sound: what all speech before sounded like.
        """
        if self._before is None:
            self._before = told
            return None
        before, self._before = self._before, None
        place, resemblance = self._boundaries.popleft(), self.settings.resemblance
        if self._places is None and resemblance.spectra is None:
            score = float(resemblance.likeness.scores(before.voice[None], told.voice)[0])
        else:
            score = resemblance.between(Spoken.of(before), Spoken.of(told), sound.with_(before, told))
        self._scores[place.word] = score
        return None if self._boundaries else self._decide()

    def _decide(self) -> list[int] | None:
        """Split where no two parts are one person's; else put the likeliest two together, and ask again."""
        scores, self._scores = self._scores, {}
        if self._places is None:
            self._places = splits(self._words, scores, self._ended, self.settings)
        else:
            likest = max(self._places, key=lambda place: scores[place])
            if scores[likest] < self.settings.odds:
                return self._places
            self._places.remove(likest)
        self._boundaries.extend(parts(self._words, self._places, self.settings))
        return None if self._boundaries else []
