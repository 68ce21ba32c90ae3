"""People who are remembered from meetings before: whose voice a speaker of this meeting has, and how sure that is.

A name is given where one remembered voice is likely enough, and likelier than every other by a margin; else the speaker
stays without a name. Of two speakers who are not one person only the likelier one is called so.
Not covered: where voices are kept (`store/people.py`), names that people give (they outrank these, see `meeting.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Change, Voice
from meetscribe.streaming.likeness import Likeness, probability


@dataclass(frozen=True)
class Remembered:
    """Somebody by name, with the mean of the voices that were enrolled."""

    name: str
    voice: Voice


@dataclass(frozen=True)
class RecallSettings:
    """When a name is given.

    Attributes:
        likeness: how alike two voices are.
        recognise: log odds from which on a speaker is somebody.
        margin: log odds by which everybody else has to be less likely.
        least: seconds of a speaker's speech below which nobody is recognised.
        most: seconds of a remembered voice that count.
        turn: log odds from which on a turn of a whole recording is somebody's.
        turn_margin: log odds by which everybody else has to be less likely for that.
        support: what the log odds of the rest of its speaker count for.
        judged: seconds of speech from which on a turn is asked itself; shorter ones go with their speaker.
    """

    likeness: Likeness = field(default_factory=Likeness)
    recognise: float = 2.5
    margin: float = 1.5
    least: float = 2.0
    most: float = 30.0
    turn: float = 1.75
    turn_margin: float = 0.5
    support: float = 1.0
    judged: float = 2.0


@dataclass(frozen=True)
class Candidate:
    """A speaker of this meeting: the sum of their voices by seconds."""

    id: str
    total: NDArray[np.float64]
    seconds: float
    apart: frozenset[str] = frozenset()


class Recall:
    """Gives names to speakers; one who has a name keeps it."""

    def __init__(self, people: Sequence[Remembered], settings: RecallSettings) -> None:
        self.people, self.settings = tuple(people), settings
        self.given: dict[str, str] = {}  # speaker to name

    def recognise(self, speakers: Iterable[Candidate], embedder: str) -> tuple[Change, ...]:
        """Return the names that can be given now, the surest first; a second speaker of one name joins the first."""
        people = [person for person in self.people if person.voice.embedder == embedder]
        candidates = {one.id: one for one in speakers}
        found = []
        for one in candidates.values():
            if one.id not in self.given and one.seconds >= self.settings.least and people:
                name, odds, lead = self._best(one, people)
                if odds >= self.settings.recognise and lead >= self.settings.margin:
                    found.append((odds, one.id, name))
        changes = []
        for odds, speaker, name in sorted(found, key=lambda row: (-row[0], row[1])):
            change = self._named(candidates, speaker, name, probability(odds))
            if change is not None:
                self.given[speaker] = name
                changes.append(change)
        return tuple(changes)

    def merged(self, merges: Mapping[str, str]) -> None:
        """Take notice of speakers that were merged into others, who now have their names."""
        for speaker, into in merges.items():
            name = self.given.pop(speaker, None)
            if name is not None:
                self.given.setdefault(into, name)

    def _best(self, one: Candidate, people: Sequence[Remembered]) -> tuple[str, float, float]:
        """Return the likest person, the log odds, and how much likelier than the next they are."""
        scored = []
        for person in people:
            seconds = min(person.voice.seconds, self.settings.most)
            odds = self.settings.likeness.between(one.total, one.seconds, person.voice.vector, seconds)
            scored.append((odds, person.name))
        scored.sort(reverse=True)
        lead = scored[0][0] - scored[1][0] if len(scored) > 1 else np.inf
        return scored[0][1], scored[0][0], lead

    def _named(
        self, candidates: Mapping[str, Candidate], speaker: str, name: str, confidence: float
    ) -> Change | None:
        holder = next((other for other, taken in self.given.items() if taken == name), None)
        if holder is None:
            return Change(speaker, name, confidence=confidence)
        if holder in candidates and holder not in candidates[speaker].apart:
            return Change(speaker, into=holder, confidence=confidence)
        return None
