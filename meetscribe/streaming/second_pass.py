"""The speakers of a whole recording, once all of it was heard: what the first pass had to decide early is decided anew.

The longest turns are merged bottom up, the likest two first, as long as they are more likely one person than not and
never talked at once; every other turn is then given to whom it is likest. Each speaker found keeps the id that most of
their speech had, so that as little as possible changes.
Not covered: meetings that go on (`speakers.py`), names.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Change
from meetscribe.streaming.likeness import Likeness
from meetscribe.streaming.speakers import Heard


@dataclass(frozen=True)
class SecondPassSettings:
    """How turns are put together; log odds are natural.

    Attributes:
        likeness: how alike two voices are.
        merge: log odds down to which groups are merged while one of them is short.
        rise: what is asked for more with e times as much speech of the shorter one.
        short, long: seconds of that between which it counts.
        join: log odds from which on a turn that was left over is somebody's.
        seed: seconds of speech of the turns that are merged.
        most: number of those turns, the longest.
        new: seconds of speech without which a group is nobody.
        people: how many there are, where somebody said so.
    """

    likeness: Likeness
    merge: float = 0.0
    rise: float = 1.0
    short: float = 6.0
    long: float = 60.0
    join: float = 1.0
    seed: float = 1.5
    most: int = 500
    new: float = 2.5
    people: int | None = None

    @classmethod
    def told(cls, likeness: Likeness, people: int | None) -> "SecondPassSettings":
        """Return the settings for so many people: they say more than a few words, and every turn is one of theirs."""
        return cls(likeness) if people is None else cls(likeness, join=0.0, new=4.0, people=people)


def decide_anew(
    heard: Sequence[Heard], settings: SecondPassSettings, new_id: Callable[[], str]
) -> tuple[Change, ...]:
    """Return what changes, of turns in the order in which they came; their `speaker` becomes the new one."""
    longest = sorted(heard, key=lambda one: -one.seconds)[: settings.most]
    seeds = [one for one in longest if one.seconds >= settings.seed]
    groups = [group for group in _merged(seeds, settings) if sum(o.seconds for o in group) >= settings.new]
    if not groups:
        return ()
    names = _named(groups, new_id)
    _give_rest(heard, groups, names, settings)
    grouped = {one.turn.id for group in groups for one in group}
    for one in heard:  # somebody who keeps an id that went to whoever talked meanwhile
        if one.turn.id not in grouped and one.speaker in names:
            groups.append([one])
            names.append(new_id())
    given: dict[str, list[str]] = defaultdict(list)
    for name, group in zip(names, groups, strict=True):
        for one in group:
            if one.speaker != name:
                one.speaker = name
                given[name].append(one.turn.id)
    return tuple(Change(name, turns=tuple(turns)) for name, turns in given.items())


def _merged(seeds: Sequence[Heard], settings: SecondPassSettings) -> list[list[Heard]]:
    """Merge turns bottom up by the voices' sums: the likest first, until nobody is like another or so many are left."""
    groups = [[one] for one in seeds]
    if len(groups) < 2:
        return groups
    totals = np.stack([one.voice * one.seconds for one in seeds])
    seconds = np.array([one.seconds for one in seeds])
    barred = _overlaps(seeds)
    odds = np.stack([_row(i, totals, seconds, settings) for i in range(len(groups))])
    odds[barred] = -np.inf
    np.fill_diagonal(odds, -np.inf)
    while True:
        possible, least = _may_merge(odds, groups, seconds, settings)
        a, b = np.unravel_index(int(np.argmax(possible)), possible.shape)
        if possible[a, b] == -np.inf or possible[a, b] < least:
            return [group for group in groups if group]
        groups[a], groups[b] = groups[a] + groups[b], []
        totals[a] += totals[b]
        seconds[a] += seconds[b]
        barred[a] |= barred[b]
        barred[:, a] |= barred[:, b]
        row = _row(int(a), totals, seconds, settings)
        gone = np.array([not group for group in groups])
        row[barred[a] | gone] = -np.inf
        row[a] = -np.inf
        odds[a], odds[:, a] = row, row
        odds[b], odds[:, b] = -np.inf, -np.inf


def _may_merge(
    odds: NDArray[np.float64],
    groups: Sequence[Sequence[Heard]],
    seconds: NDArray[np.float64],
    settings: SecondPassSettings,
) -> tuple[NDArray[np.float64], float]:
    """Return the odds of pairs that may be one, and from which on they are.

    While there are more people than there should be, the likest two are one, however little alike; then no two are.
    """
    if settings.people is None:
        return odds, settings.merge
    people = np.array([bool(group) for group in groups]) & (seconds >= settings.new)
    if people.sum() > settings.people:
        return odds, -np.inf
    return np.where(np.outer(people, people), -np.inf, odds), settings.merge


def _row(
    number: int, totals: NDArray[np.float64], seconds: NDArray[np.float64], settings: SecondPassSettings
) -> NDArray[np.float64]:
    """Return the log odds of one group with all, less what is asked for more where much was heard of both.

    Log odds are no surer for more than a few seconds of a voice, though two sums over minutes are far likelier to be
    alike if they are one person's.
    """
    odds = settings.likeness.with_each(totals, seconds, totals[number], seconds[number])
    shorter = np.clip(np.minimum(seconds, seconds[number]), settings.short, settings.long)
    return odds - settings.rise * np.log(shorter / settings.short)


def _overlaps(turns: Sequence[Heard]) -> NDArray[np.bool_]:
    """Return which turns were said at the same time, [turns, turns]."""
    against = meanwhile(turns)
    return np.array([[other.turn.id in against[one.turn.id] for other in turns] for one in turns])


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


def _give_rest(
    heard: Sequence[Heard], groups: list[list[Heard]], names: Sequence[str], settings: SecondPassSettings
) -> None:
    """Give every turn that is in no group to the likest of those who did not talk meanwhile.

    A turn stays nobody's where that is too unsure; one that was somebody's stays theirs as long as they are left.
    """
    placed = {one.turn.id: number for number, group in enumerate(groups) for one in group}
    against = meanwhile(heard)
    totals = np.stack([np.sum([o.voice * o.seconds for o in group], 0) for group in groups])
    seconds = [sum(one.seconds for one in group) for group in groups]
    for one in sorted(heard, key=lambda one: -one.seconds):
        if one.turn.id in placed:
            continue
        barred = {placed[other] for other in against[one.turn.id] if other in placed}
        odds = {
            number: settings.likeness.between(one.voice, one.seconds, total, amount)
            for number, (total, amount) in enumerate(zip(totals, seconds, strict=True))
            if number not in barred
        }
        if not odds:
            continue
        best = max(odds, key=lambda number: odds[number])
        own = names.index(one.speaker) if one.speaker in names else None
        if own in odds and odds[best] < settings.join:
            best = own
        if one.speaker is not None or odds[best] >= settings.join:
            placed[one.turn.id] = best
            groups[best].append(one)


def meanwhile(heard: Sequence[Heard]) -> dict[str, set[str]]:
    """Return for every turn those that were said at the same time."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in heard:
        for other in one.turn.overlaps:
            found[one.turn.id].add(other)
            found[other].add(one.turn.id)
    return found
