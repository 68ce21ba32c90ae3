"""The speakers of a whole recording, once all of it was heard: what the first pass had to decide early is decided anew.

The longest turns are put together bottom up; for every number of people that this passes, every turn is given to whom
it is likest, again and again; and the number is taken that explains voices and places best (`evidence.py`), where
somebody may have moved. Each speaker found keeps the id that most of their speech had, so that as little as possible
changes. Who talks at the same time is never the same person.
Not covered: meetings that go on (`speakers.py`), names (`naming.py`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Change
from meetscribe.streaming.evidence import EvidenceSettings, Floats, Labels, evidence
from meetscribe.streaming.merging import merge
from meetscribe.streaming.resemblance import Ready, Resemblance, Speech
from meetscribe.streaming.speakers import Heard

_NOBODY = -1
_LEAST = 0.1  # seconds of speech that every turn has


@dataclass(frozen=True)
class SecondPassSettings:
    """How people are found.

    Attributes:
        resemblance: how alike speech is.
        seed: seconds of speech of the turns that are put together.
        most: number of those turns, the longest.
        least, enough: seconds of speech; with fewer of them a group is nobody, with more it is somebody.
        share: of all speech that a group in between has to have.
        rounds: how often every turn is given to whom it is likest.
        join: log odds (natural) up to which a turn is nobody's.
        evidence: how it is judged how many there are.
        patience: so many more people are tried than explain the voices best so far.
        people: how many there are, where somebody said so.
    """

    resemblance: Resemblance
    seed: float = 1.5
    most: int = 500
    least: float = 2.0
    enough: float = 4.0
    share: float = 0.05
    rounds: int = 4
    join: float = -8.0
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    patience: int = 4
    people: int | None = None


@dataclass(frozen=True)
class _Turns:
    """What is compared: what N turns tell, and which were said at the same time (N, N)."""

    speech: Speech
    ready: Ready
    apart: NDArray[np.bool_]

    @property
    def seconds(self) -> Floats:
        """Speech of each, (N,)."""
        return self.speech.seconds


def decide_anew(
    heard: Sequence[Heard], settings: SecondPassSettings, new_id: Callable[[], str]
) -> tuple[Change, ...]:
    """Return what changes, of turns in the order in which they came; their `speaker` becomes the new one."""
    if not heard:
        return ()
    labels = _people(_turns(heard, settings.resemblance), settings)
    if labels is None:
        return ()
    groups: list[list[Heard]] = [[] for _ in range(labels.max() + 1)]
    for one, label in zip(heard, labels, strict=True):
        if label != _NOBODY:
            groups[label].append(one)
    groups = [group for group in groups if group]
    names = _named(groups, new_id)
    for one, label in zip(heard, labels, strict=True):
        if label == _NOBODY and one.speaker in names:  # that is now somebody else, who said most of theirs
            groups.append([one])
            names.append(new_id())
    given: dict[str, list[str]] = defaultdict(list)
    for name, group in zip(names, groups, strict=True):
        for one in group:
            if one.speaker != name:
                one.speaker = name
                given[name].append(one.turn.id)
    return tuple(Change(name, turns=tuple(changed)) for name, changed in given.items())


def _turns(heard: Sequence[Heard], resemblance: Resemblance) -> _Turns:
    numbers = {one.turn.id: number for number, one in enumerate(heard)}
    apart = np.zeros((len(heard), len(heard)), bool)
    for number, one in enumerate(heard):
        others = [numbers[other] for other in one.turn.overlaps if other in numbers]
        apart[number, others] = apart[others, number] = True
    seconds = [max(one.seconds, _LEAST) for one in heard]
    speech = resemblance.speech([one.voice for one in heard], seconds, [one.spectrum for one in heard])
    return _Turns(speech, resemblance.ready(speech), apart)


def _people(turns: _Turns, settings: SecondPassSettings) -> Labels | None:
    """Return whose each turn is, numbered from 0 on, _NOBODY where that is unsure; None where nobody says enough."""
    tried = _tried(turns, settings)
    told = settings.people
    if told is not None and tried:
        nearest = min(tried, key=lambda number: (abs(number - told), number))
        return _settled(turns, _first(turns, tried[nearest], settings), settings)
    own, best, most, since = _own(turns, settings), None, -np.inf, 0
    for _, people in sorted(tried.items()):
        labels = _settled(turns, _first(turns, people, settings), settings)
        since += 1
        for fewer in _fewer(turns, labels, settings):
            whose = _each(fewer)
            found = evidence(own, turns.seconds, whose, settings.evidence)
            found += _of_places(turns, whose, settings)
            if found > most:
                best, most, since = (labels, fewer), found, 0
        if since >= settings.patience:
            break
    if best is None:
        return None
    labels, fewer = best
    odds = _odds(turns, labels, settings)
    return np.where(odds[np.arange(len(labels)), labels] < settings.join, _NOBODY, fewer)


def _each(labels: Labels) -> Labels:
    """Return the labels where who can be none of them is somebody else each."""
    others = np.cumsum(labels == _NOBODY) + labels.max()
    return np.where(labels == _NOBODY, others, labels)


def _fewer(turns: _Turns, labels: Labels, settings: SecondPassSettings) -> Iterator[Labels]:
    """Give the labels, and those where the two whose voices are likest are one person, again and again.

    Whoever moves, or takes another microphone, is two people by how they sound, and one by their voice.
    """
    yield labels
    if settings.resemblance.spectra is None:
        return
    likeness, labels = settings.resemblance.likeness, labels.copy()
    for _ in range(int(labels.max())):
        whose = labels[:, None] == np.arange(int(labels.max()) + 1)
        said = turns.speech.together(whose)
        voices = likeness.judged(said.voices)
        odds = likeness.of_all(voices, said.seconds, voices, said.seconds)
        odds[whose.T.astype(int) @ turns.apart @ whose > 0] = -np.inf
        np.fill_diagonal(odds, -np.inf)
        one, other = sorted(np.unravel_index(int(np.argmax(odds)), odds.shape))
        if odds[one, other] == -np.inf:
            return
        labels = np.where(labels == other, one, labels)
        labels = np.where(labels > other, labels - 1, labels)
        yield labels


def _own(turns: _Turns, settings: SecondPassSettings) -> Floats:
    """Return voices less what all have in common: a language, children, a microphone make everybody alike."""
    voices, cohort = turns.ready.judged.voices, settings.resemblance.likeness.cohort
    return voices if cohort is None else voices - cohort.around(turns.seconds @ voices)


def _of_places(turns: _Turns, labels: Labels, settings: SecondPassSettings) -> float:
    """Return what speaks for people by how they sound where they are, of the turns of which that is known."""
    spectra, known = settings.resemblance.spectra, turns.ready.weights > 0
    if spectra is None or not known.any():
        return 0.0
    whose = np.unique(labels[known], return_inverse=True)[1]
    found = spectra.evidence(turns.ready.places[known], turns.ready.weights[known], whose)
    return settings.evidence.places * found


def _tried(turns: _Turns, settings: SecondPassSettings) -> dict[int, list[Labels]]:
    """Return by numbers of people some turns of everybody, by number."""
    longest = np.argsort(-turns.seconds, kind="stable")[: settings.most]
    longest = longest[turns.seconds[longest] >= settings.seed]
    speech, apart = turns.speech.take(longest), turns.apart[np.ix_(longest, longest)]
    person = np.clip(settings.share * turns.seconds.sum(), settings.least, settings.enough)
    found: dict[int, list[Labels]] = {}
    for groups in merge(speech, apart, settings.resemblance):
        people = [longest[group] for group in groups]
        people = [group for group in people if turns.seconds[group].sum() >= person]
        if people:
            found[len(people)] = people
    return found


def _first(turns: _Turns, people: Sequence[Labels], settings: SecondPassSettings) -> Labels:
    """Return whose every turn is where some turns of everybody are known."""
    labels = np.full(len(turns.seconds), _NOBODY)
    for number, own in enumerate(people):
        labels[own] = number
    return np.where(labels == _NOBODY, _odds(turns, labels, settings).argmax(1), labels)


def _settled(turns: _Turns, labels: Labels, settings: SecondPassSettings) -> Labels:
    """Give every turn to whom it is likest, the longest first, until nothing changes.

    A turn is nobody's only where everybody talked meanwhile.
    """
    for _ in range(settings.rounds):
        odds, before, labels = _odds(turns, labels, settings), labels, np.full(len(labels), _NOBODY)
        for number in np.argsort(-turns.seconds, kind="stable"):
            taken = labels[turns.apart[number]]
            odds[number, taken[taken != _NOBODY]] = -np.inf
            if odds[number].max() > -np.inf:
                labels[number] = odds[number].argmax()
        given = labels != _NOBODY
        labels[given] = np.unique(labels[given], return_inverse=True)[1]  # some may have lost all of theirs
        if (labels == before).all():
            break
    return labels


def _odds(turns: _Turns, labels: Labels, settings: SecondPassSettings) -> Floats:
    """Return the log odds of each turn with what else everybody said, (N, people); 0 where that is nothing."""
    resemblance = settings.resemblance
    whose = labels[:, None] == np.arange(int(labels.max()) + 1)
    totals = turns.speech.together(whose)
    odds = resemblance.of_all(turns.ready, resemblance.ready(totals))
    own = np.flatnonzero((labels != _NOBODY) & (whose.sum(0)[labels] > 1))
    rest = totals.take(labels[own]).without(turns.speech.take(own))
    odds[own, labels[own]] = resemblance.of_pairs(turns.ready.take(own), resemblance.ready(rest))
    alone = np.flatnonzero((labels != _NOBODY) & (whose.sum(0)[labels] == 1))
    odds[alone, labels[alone]] = 0.0
    return odds


def _named(groups: Sequence[Sequence[Heard]], new_id: Callable[[], str]) -> list[str]:
    """Return an id for each group: that of most of its speech, which only one group can have."""
    shares: list[tuple[float, int, str]] = []
    for number, group in enumerate(groups):
        spoken: dict[str, float] = defaultdict(float)
        for one in group:
            if one.speaker is not None:
                spoken[one.speaker] += one.seconds
        shares += [(-seconds, number, name) for name, seconds in spoken.items()]
    names: dict[int, str] = {}
    for _, number, name in sorted(shares):
        if number not in names and name not in names.values():
            names[number] = name
    return [names[number] if number in names else new_id() for number in range(len(groups))]
