"""What people decided about a meeting, carried over to a new transcript of it: names, merges, corrections. Pure.

Turns of both transcripts are matched by the time that they share, counted more where they say the same: of two people
who talk at once, each finds their own. A new speaker takes the name of whom they share most with; new speakers of one
named person become one. A correction goes to the turn that shares most of its time; where none shares enough it is
kept as a bookmark, so that nothing that somebody wrote is lost.
Not covered: decisions about single turns whose speakers were told apart by the new model.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from meetscribe.events import Bookmark, Change, Correction, DurableEvent, SpeakerUpdate, Turn
from meetscribe.meeting import Decision, Meeting

SAME = 0.5  # of the time that either lasts: so much must be shared for a correction to hold
_WORDLESS = 0.1  # what shared time counts for where no word is shared


@dataclass(frozen=True)
class Carried:
    """The events that carry decisions over, to be appended in this order, and how many of what there are."""

    events: tuple[DurableEvent, ...]
    names: int
    corrections: int
    kept_as_bookmarks: int


def carry_over(old: Meeting, new: Sequence[Turn], used: Collection[str] = ()) -> Carried:
    """Return what people decided about `old`, for a transcript with the turns `new`.

    Nobody else is given an id of `used`: the new log names speakers whose turns are others' by now.
    """
    updates = _speakers(old, new, used)
    fixes = list(_corrections(old, new))
    named = {change.speaker for update in updates for change in update.changes if change.speaker}
    applied = sum(isinstance(event, Correction) for event in fixes)
    return Carried((*updates, *fixes), len(named), applied, len(fixes) - applied)


def _shared(one: Turn, other: Turn) -> int:
    return max(0, min(one.end, other.end) - max(one.start, other.start))


def _likeness(one: Turn, other: Turn) -> float:
    """Return the samples that two turns share, less where they say different things."""
    shared = _shared(one, other)
    if not shared:
        return 0.0
    words = SequenceMatcher(None, one.text.casefold().split(), other.text.casefold().split(), autojunk=False)
    return shared * (_WORDLESS + words.ratio())


class _Timeline:
    """Turns in order of time, to look up which share time with another."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._turns = sorted(turns, key=lambda turn: turn.start)
        self._starts = [turn.start for turn in self._turns]
        self._longest = max((turn.end - turn.start for turn in self._turns), default=0)

    def around(self, turn: Turn) -> list[tuple[float, Turn]]:
        """Return the turns that share time with a turn, each after its likeness."""
        first = bisect_left(self._starts, turn.start - self._longest)
        near = self._turns[first : bisect_left(self._starts, turn.end)]
        return [(score, other) for other in near if (score := _likeness(turn, other)) > 0]

    def best(self, turn: Turn, without: Collection[str] = ()) -> Turn | None:
        """Return the turn that is most like a turn, None where none shares time with it."""
        found = [pair for pair in self.around(turn) if pair[1].id not in without]
        return max(found, key=lambda pair: pair[0], default=(0, None))[1]


def _speakers(old: Meeting, new: Sequence[Turn], used: Collection[str]) -> list[SpeakerUpdate]:
    """Return the names and merges for the new speakers; turns without one are given to a speaker of their own."""
    known = {
        speaker
        for speaker in old.speakers
        if old.name(speaker) is not None or _merged_by_person(old, speaker)
    }
    everybody = _Timeline(turn for turn in old.turns if turn.speaker_id is not None)
    before = _Timeline(turn for turn in old.turns if turn.speaker_id in known)
    votes: dict[str, Counter[str]] = defaultdict(Counter)  # new speaker -> old speaker -> likeness
    alone: dict[str, list[str]] = defaultdict(list)  # old speaker -> new turns without a speaker
    for turn in new:
        if turn.speaker_id is not None:
            for likeness, other in everybody.around(turn):
                votes[turn.speaker_id][str(other.speaker_id)] += round(likeness)
        elif (match := before.best(turn)) is not None and match.speaker_id is not None:
            alone[match.speaker_id].append(turn.id)
    same: dict[str, list[str]] = {speaker: [] for speaker in known}
    for speaker, counts in sorted(votes.items()):
        if (winner := counts.most_common(1)[0][0]) in known:
            same[winner].append(speaker)
    return _updates(old, same, alone, {turn.speaker_id for turn in new} | set(used))


def _updates(
    old: Meeting, same: dict[str, list[str]], alone: dict[str, list[str]], taken: set[str | None]
) -> list[SpeakerUpdate]:
    """Return an update for each old speaker: who is the same, which turns are theirs, and their name."""
    updates = []
    for speaker, found in same.items():
        if not found and not alone[speaker]:
            continue
        if not found:
            found = [_fresh(speaker, taken)]  # noqa: PLW2901 - somebody without an id of the new model
            taken.add(found[0])
        first, *others = found
        changes = [Change(other, into=first) for other in others]
        if (name := _decision(old, speaker)) is not None:
            changes.append(Change(first, speaker=name.value))
        if alone[speaker]:
            changes.append(Change(first, turns=tuple(alone[speaker])))
        by = "tracker" if name is not None and name.by == "tracker" else "person"
        updates.append(SpeakerUpdate(changes=tuple(changes), by=by))
    return updates


def _fresh(speaker: str, taken: set[str | None]) -> str:
    """Return the old id if the new transcript does not use it, else another."""
    number = 1
    while speaker in taken:
        speaker, number = f"s{number}", number + 1
    return speaker


def _decision(old: Meeting, speaker: str) -> Decision | None:
    """Return the name of a speaker and who gave it: their own, or that of one who was merged into them."""
    names = [old.names[key] for key in old.names if key == speaker or old.resolve(key) == speaker]
    return old.names.get(speaker) or (names[0] if names else None)


def _merged_by_person(old: Meeting, speaker: str) -> bool:
    return any(into.by == "person" and old.resolve(who) == speaker for who, into in old.merges.items())


def _corrections(old: Meeting, new: Sequence[Turn]) -> Iterable[DurableEvent]:
    """Return the corrections for the turns that match, as bookmarks where none does."""
    taken: set[str] = set()
    timeline = _Timeline(new)
    for turn_id, decision in old.corrections.items():
        turn = old.heard.get(turn_id)
        shown = old.turn(turn_id)
        if decision.by != "person" or turn is None or shown is None or shown.redacted:
            continue
        match = timeline.best(turn, taken)
        longest = max(turn.end - turn.start, match.end - match.start, 1) if match else 1
        if match is not None and _shared(turn, match) >= SAME * longest:
            taken.add(match.id)
            if match.text != decision.value:
                yield Correction(turn=match.id, text=decision.value)
        else:
            yield Bookmark(at=turn.start, note=f"corrected before: {decision.value}")
