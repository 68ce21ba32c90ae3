"""Who is who in one meeting: turns with voices come in, speakers and changes to them go out. Pure, no torch.

A turn is given to the speaker whose voice and place, summed over what they said, are likest to its own; to a new one
where it is like nobody's and long enough to tell; and to nobody (None) where neither is sure. Such turns wait for
`patience`: what comes after them may decide, which is a change. Within the same time turns and whole speakers may still
change hands. Who talks at the same time is never the same person, however alike they sound.
How alike is a log odds (`resemblance.py`), in which a second of speech counts less than five.
Not covered: names (`remembered.py`), the whole of a recording at once (`second_pass.py`), channels of one person.
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Change, Turn, Voice
from meetscribe.streaming.resemblance import Resemblance, Spoken
from meetscribe.streaming.told import Sound, Told
from meetscribe.timeline import SAMPLE_RATE


@dataclass(frozen=True)
class TrackerSettings:
    """When a turn is somebody's; log odds are natural.

    Attributes:
        resemblance: how alike speech is.
        join: log odds from which on a turn is a speaker's.
        apart: log odds with every speaker below which a turn is a new one's.
        merge: log odds from which on two speakers are one.
        margin: log odds by which another speaker has to be likelier for a turn to change hands.
        new: seconds of speech that a new speaker needs.
        least: seconds of speech below which a turn is nobody's.
        patience: samples for which a decision may change.
        recent: turns that are looked at again, at most.
        most_counted: seconds of a speaker that count, so that a voice may drift.
    """

    resemblance: Resemblance = field(default_factory=Resemblance)
    join: float = 0.0
    apart: float = -0.5
    merge: float = 1.0
    margin: float = 1.0
    new: float = 2.0
    least: float = 0.6
    patience: int = 60 * SAMPLE_RATE
    recent: int = 64
    most_counted: float = 60.0


@dataclass
class Speaker:
    """Somebody in the meeting: what they said, and who talked while they did."""

    id: str
    born: int
    said: Spoken
    apart: set[str] = field(default_factory=set)

    @property
    def seconds(self) -> float:
        """Speech of theirs that counts."""
        return self.said.seconds


@dataclass
class Heard:
    """A turn that may still change hands; `barred` are those who talked meanwhile, in turns that are firm now.

    `spectrum` is empty where it is not known.
    """

    turn: Turn
    voice: NDArray[np.float64]
    seconds: float
    speaker: str | None = None
    barred: set[str] = field(default_factory=set)
    spectrum: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, turn: Turn, voice: Voice, speaker: str | None = None) -> "Heard":
        """Return a turn with its voice."""
        vector, spectrum = (np.asarray(values, np.float64) for values in (voice.vector, voice.spectrum))
        return cls(turn, vector, voice.seconds, speaker, spectrum=spectrum)

    @property
    def told(self) -> Told:
        """What it tells."""
        return Told(self.voice, self.spectrum, self.seconds)

    @cached_property
    def spoken(self) -> Spoken:
        """The same, ready to be added up: it is compared with everybody after every turn."""
        return Spoken.of(self.told)


class Tracker:
    """The speakers of a meeting so far; `new_id` gives ids that nobody has."""

    def __init__(self, settings: TrackerSettings, new_id: Callable[[], str]) -> None:
        self.settings, self._new_id = settings, new_id
        self.speakers: dict[str, Speaker] = {}
        self._recent: deque[Heard] = deque()
        self._sound = Sound()  # of all turns
        self._changes: list[Change] = []

    def hear(self, turn: Turn, voice: Voice | None) -> tuple[str | None, tuple[Change, ...]]:
        """Take the next finished turn; return whose it is, and what changes for turns and speakers before.

        Args:
            turn: as it was heard; one that has a speaker already keeps them.
            voice: what it tells of its talker; None where nothing does.
        """
        self._changes = []
        self._let_go(turn.end)
        if turn.speaker_id is not None:
            return turn.speaker_id, ()
        if voice is None or turn.redacted:
            return None, ()
        one = Heard.of(turn, voice)
        if voice.spectrum:
            self._sound.add(one.told)
        self._recent.append(one)
        if len(self._recent) > self.settings.recent:
            self._hold(self._recent.popleft())
        self._place(one)
        self._merge_alike(turn.end)
        self._look_again(one)
        return one.speaker, tuple(change for change in self._changes if change.turns != (turn.id,))

    def forget(self, turns: Collection[str]) -> None:
        """Take back what was heard of turns that go off the record."""
        for one in [one for one in self._recent if one.turn.id in turns]:
            self._take(one)
            self._recent.remove(one)
            if len(one.spectrum):
                self._sound.add(one.told, -1.0)

    # -- one turn

    def _place(self, one: Heard) -> None:
        """Give a turn that has just come to somebody, or to nobody yet."""
        if one.seconds < self.settings.least:
            return
        odds = self._odds(one)
        allowed = {name: value for name, value in odds.items() if not self._is_barred(one, name)}
        best = max(allowed, key=lambda name: allowed[name], default=None)
        if best is not None and allowed[best] >= self.settings.join:
            self._give(one, best)
        elif all(value < self.settings.apart for value in odds.values()):
            self._found(one)

    def _found(self, one: Heard) -> None:
        """Make a new speaker of a turn and of those like it that wait; of too little speech nothing is made."""
        alike = [one]
        for other in self._recent:
            waits = other is not one and other.speaker is None and other.seconds >= self.settings.least
            free = waits and not any(_overlap(other, own) for own in alike)
            if free and self._between(one.spoken, other.spoken) >= self.settings.join:
                alike.append(other)
        if sum(own.seconds for own in alike) < self.settings.new:
            return
        name = self._new_id()
        self.speakers[name] = Speaker(name, one.turn.end, one.spoken.scaled(0.0))
        for own in alike:
            self._give(own, name)

    def _look_again(self, newest: Heard) -> None:
        """Let recent turns change hands where what came since says so."""
        for one in self._recent:
            if one is newest or one.seconds < self.settings.least:
                continue
            allowed = {n: value for n, value in self._odds(one).items() if not self._is_barred(one, n)}
            best = max(allowed, key=lambda name: allowed[name], default=None)
            if best is None or best == one.speaker:
                continue
            needed = (
                self.settings.join
                if one.speaker is None
                else max(self.settings.join, allowed.get(one.speaker, 0.0) + self.settings.margin)
            )
            if allowed[best] >= needed:
                self._take(one)
                self._give(one, best)

    def _odds(self, one: Heard) -> dict[str, float]:
        """Return how likely a turn is each speaker's; of its own speaker's voice, what it added is left out."""
        found, own = {}, one.spoken
        for name, speaker in self.speakers.items():
            said = speaker.said
            if name == one.speaker:
                said = said.and_(own, -1.0)
                if said.seconds < self.settings.least:
                    continue
            found[name] = self._between(own, said)
        return found

    def _between(self, one: Spoken, other: Spoken) -> float:
        """Return the log odds that two stretches are one person's."""
        middle = self._sound.with_() if self._sound.seconds > 0.0 else 0.0
        return self.settings.resemblance.between(one, other, middle)

    def _is_barred(self, one: Heard, name: str) -> bool:
        """Say whether somebody's own turn was said at the same time."""
        return name in one.barred or any(
            other.speaker == name and other is not one and _overlap(one, other) for other in self._recent
        )

    def _give(self, one: Heard, name: str) -> None:
        speaker = self.speakers[name]
        one.speaker = name
        speaker.said = speaker.said.and_(one.spoken)
        if speaker.seconds > self.settings.most_counted:
            speaker.said = speaker.said.scaled(self.settings.most_counted / speaker.seconds)
        meanwhile = {str(other.speaker) for other in self._recent if _overlap(one, other)} | one.barred
        for other in meanwhile & self.speakers.keys() - {name}:
            speaker.apart.add(other)
            self.speakers[other].apart.add(name)
        self._changes.append(Change(name, turns=(one.turn.id,)))

    def _take(self, one: Heard) -> None:
        if one.speaker is not None and one.speaker in self.speakers:
            speaker = self.speakers[one.speaker]
            left = speaker.said.and_(one.spoken, -1.0)
            speaker.said = left if left.seconds > 0.0 else left.scaled(0.0)
        one.speaker = None

    # -- whole speakers

    def _merge_alike(self, now: int) -> None:
        """Make one of two speakers who sound the same, if the younger is still new and both never talked at once."""
        young = [s for s in self.speakers.values() if now - s.born <= self.settings.patience]
        for speaker in young:
            others = [
                s for s in self.speakers.values() if s.born < speaker.born and s.id not in speaker.apart
            ]
            if speaker.seconds <= 0.0 or not others:
                continue
            odds = [self._between(speaker.said, other.said) for other in others]
            best = int(np.argmax(odds))
            if odds[best] >= self.settings.merge:
                self._merge(speaker, others[best])

    def _merge(self, speaker: Speaker, into: Speaker) -> None:
        into.said = into.said.and_(speaker.said)
        into.apart |= speaker.apart
        for other in self.speakers.values():
            if speaker.id in other.apart:
                other.apart.add(into.id)
        for one in self._recent:
            if one.speaker == speaker.id:
                one.speaker = into.id
            if speaker.id in one.barred:
                one.barred.add(into.id)
        del self.speakers[speaker.id]
        self._changes.append(Change(speaker.id, into=into.id))

    # -- the recent turns

    def _let_go(self, now: int) -> None:
        """Hold on to what was decided long ago."""
        while self._recent and self._recent[0].turn.end < now - self.settings.patience:
            self._hold(self._recent.popleft())

    def _hold(self, firm: Heard) -> None:
        """Let a turn's speaker stand; those who talked meanwhile are others for good."""
        if firm.speaker is not None:
            for one in self._recent:
                if _overlap(one, firm):
                    one.barred.add(firm.speaker)


def _overlap(one: Heard, other: Heard) -> bool:
    """Say whether two turns were said at the same time."""
    return one.turn.id in other.turn.overlaps or other.turn.id in one.turn.overlaps
