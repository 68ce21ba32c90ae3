"""Names for the turns of a whole recording, each by its own voice.

A speaker put together from many turns may hold some of somebody else's too; named as a whole, strangers get names. So
every turn that is long enough to tell is compared with who is remembered, and what the rest of its speaker says counts
as well; where another speaker of the recording is likelier to be that person, this one is less likely to be.
Turns that are too short go with their speaker. Nobody is named in two turns at once.
Not covered: meetings that go on, where speakers are named as they are found (`remembered.py`).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Change
from meetscribe.streaming.likeness import probability
from meetscribe.streaming.remembered import Recall, RecallSettings, Remembered
from meetscribe.streaming.speakers import Heard

_CLIPPED = 4.0  # log odds of the rest of a speaker, and of other speakers, that count at most
_MOSTLY = 0.5  # of a speaker's judged speech: with so much of it named, the name is the speaker's


def name_turns(
    heard: Sequence[Heard],
    recall: Recall,
    embedder: str,
    new_id: Callable[[], str],
    kept: Collection[str] = (),
) -> tuple[Change, ...]:
    """Return the turns that change hands and the names that are given; `speaker` of the turns becomes the new one.

    Args:
        heard: turns in the order in which they came, with their speakers.
        recall: who is remembered; what it gave is known to it afterwards.
        embedder: what the voices are of.
        new_id: gives ids that nobody has.
        kept: speakers to be left alone: people named them.
    """
    people = [person for person in recall.people if person.voice.embedder == embedder]
    free = [one for one in heard if one.speaker is None or one.speaker not in kept]
    if not people or not free:
        return ()
    evidence = _evidence(free, people, recall.settings)
    sure = _sure(free, evidence, recall.settings)
    before = {one.turn.id: one.speaker for one in free}
    holders = _holders(free, sure, new_id, recall.settings)
    _hand_over(heard, free, evidence, sure, holders, new_id, recall.settings)
    moved: dict[str, list[str]] = defaultdict(list)
    for one in free:
        if one.speaker is not None and one.speaker != before[one.turn.id]:
            moved[one.speaker].append(one.turn.id)
    changes = [Change(speaker, turns=tuple(turns)) for speaker, turns in moved.items()]
    for person, speaker in holders.items():
        own = [n for n, one in enumerate(free) if one.speaker == speaker and sure[n] == person]
        if own:
            recall.given[speaker] = people[person].name
            confidence = probability(float(np.mean(evidence[own, person])))
            changes.append(Change(speaker, people[person].name, confidence=confidence))
    return tuple(changes)


def _evidence(
    heard: Sequence[Heard], people: Sequence[Remembered], settings: RecallSettings
) -> NDArray[np.float64]:
    """Return how much speaks for each turn being each person's, [turns, people], as log odds."""
    likeness = settings.likeness
    voices = np.stack([one.voice for one in heard])
    seconds = np.array([one.seconds for one in heard])
    groups: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(heard):
        if one.speaker is not None:
            groups[one.speaker].append(number)
    found, as_wholes = np.zeros((len(heard), len(people))), np.zeros((len(groups), len(people)))
    for column, person in enumerate(people):
        amount = min(person.voice.seconds, settings.most)
        found[:, column] = likeness.with_each(voices, seconds, person.voice.vector, amount)
        for row, members in enumerate(groups.values()):
            total, spoken = seconds[members] @ voices[members], seconds[members].sum()
            as_wholes[row, column] = likeness.between(total, spoken, person.voice.vector, amount)
            if len(members) < 2:
                continue
            rest = total - seconds[members, None] * voices[members]
            odds = likeness.with_each(rest, spoken - seconds[members], person.voice.vector, amount)
            found[members, column] += settings.support * np.clip(odds, -_CLIPPED, _CLIPPED)
    if len(groups) > 1:
        for row, members in enumerate(groups.values()):
            rival = np.delete(as_wholes, row, axis=0).max(0) - as_wholes[row]
            found[members] -= np.minimum(np.logaddexp(0.0, rival), _CLIPPED)
    return found


def _sure(
    heard: Sequence[Heard], evidence: NDArray[np.float64], settings: RecallSettings
) -> list[int | None]:
    """Return whose each turn is; None for nobody's, and for those too short to tell."""
    best = evidence.argmax(1)
    rows = np.arange(len(evidence))
    others = evidence.copy()
    others[rows, best] = -np.inf
    lead = evidence[rows, best] - others.max(1)
    enough = (evidence[rows, best] >= settings.turn) & (lead >= settings.turn_margin)
    return [
        int(best[number]) if enough[number] and one.seconds >= settings.judged else None
        for number, one in enumerate(heard)
    ]


def _holders(
    heard: Sequence[Heard], sure: Sequence[int | None], new_id: Callable[[], str], settings: RecallSettings
) -> dict[int, str]:
    """Return the speaker who is each person from now on: whose speech is mostly theirs, else a new one."""
    judged: dict[str, float] = defaultdict(float)
    named: dict[int, dict[str | None, float]] = defaultdict(lambda: defaultdict(float))
    for one, person in zip(heard, sure, strict=True):
        if one.speaker is not None and one.seconds >= settings.judged:
            judged[one.speaker] += one.seconds
        if person is not None:
            named[person][one.speaker] += one.seconds
    holders: dict[int, str] = {}
    for person, amounts in sorted(named.items(), key=lambda item: (-max(item[1].values()), item[0])):
        speaker, amount = max(amounts.items(), key=lambda item: item[1])
        is_theirs = speaker is not None and amount >= _MOSTLY * judged[speaker]
        holders[person] = speaker if is_theirs and speaker not in holders.values() else new_id()  # type: ignore[assignment]
    return holders


def _hand_over(
    heard: Sequence[Heard],
    free: Sequence[Heard],
    evidence: NDArray[np.float64],
    sure: Sequence[int | None],
    holders: dict[int, str],
    new_id: Callable[[], str],
    settings: RecallSettings,
) -> None:
    """Give turns to whom they are surely of, and take from named speakers those that are long and not sure.

    Short ones go with whom they are likelier of then.
    """
    against = _meanwhile(heard)
    whose = {one.turn.id: one.speaker for one in heard}
    left: dict[str, str] = {}  # named speaker to who has what was taken from them
    named = set(holders.values())
    for one, person in zip(free, sure, strict=True):
        if person is None and one.speaker in named and one.seconds >= settings.judged:
            if one.speaker not in left:
                left[str(one.speaker)] = new_id()
            one.speaker = whose[one.turn.id] = left[str(one.speaker)]
    surest = sorted(
        (n for n, person in enumerate(sure) if person is not None), key=lambda n: -evidence[n].max()
    )
    for number in surest:
        one, person = free[number], sure[number]
        assert person is not None
        if all(whose.get(other) != holders[person] for other in against[one.turn.id]):
            one.speaker = whose[one.turn.id] = holders[person]
    for speaker, other in left.items():
        kept, taken = ([one for one in free if one.speaker == id] for id in (speaker, other))
        for one in kept:
            if one.seconds >= settings.judged or any(whose.get(n) == other for n in against[one.turn.id]):
                continue
            theirs = _likeness(one, [o for o in kept if o is not one], settings)
            if _likeness(one, taken, settings) > theirs:
                one.speaker = whose[one.turn.id] = other


def _likeness(one: Heard, group: Sequence[Heard], settings: RecallSettings) -> float:
    """Return the log odds that a turn is of whoever said others."""
    if not group:
        return -np.inf
    total = np.sum([other.voice * other.seconds for other in group], 0)
    seconds = sum(other.seconds for other in group)
    return settings.likeness.between(one.voice, one.seconds, total, seconds)


def _meanwhile(heard: Sequence[Heard]) -> dict[str, set[str]]:
    """Return for every turn those that were said at the same time."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in heard:
        for other in one.turn.overlaps:
            found[one.turn.id].add(other)
            found[other].add(one.turn.id)
    return found
