"""The meeting is the fold of its durable events: snapshot = fold(log).

Pure: no files, clocks or tasks. What a person decided outranks the tracker: a name, a merge, a text or an
assigned turn that a person set is not changed by the tracker, before or after.
An event that was applied already (its `seq` is not new) changes nothing; a missing one raises.
Folding takes time in proportion to the log: a draft copies each part once and changes it in place from then on.
Not covered: emptying events in the stored log (the store's work); here off-record turns come out empty.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any

from meetscribe.errors import SequenceError
from meetscribe.events import (
    Bookmark,
    By,
    Change,
    Correction,
    DurableEvent,
    End,
    Event,
    Final,
    Gap,
    OffRecord,
    Session,
    SpeakerUpdate,
    Status,
    Turn,
)
from meetscribe.timeline import Interval


@dataclass(frozen=True, slots=True)
class Decision:
    """A value (a name, a speaker, a text) and who set it."""

    value: str
    by: By


def shown_speaker(turn: Turn, names: Mapping[str, str | None]) -> str:
    """Return who speaks, as people see it: the name, else the speaker's id, else the letter of the slot."""
    if turn.speaker_id is None:
        return turn.slot_letter
    return names.get(turn.speaker_id) or turn.speaker_id


@dataclass(frozen=True)
class Meeting:
    """A meeting after `seq` durable events; an immutable snapshot.

    `heard` holds the turns as they were emitted; `names`, `merges`, `assigned` and `corrections` hold what
    was decided about them. `turns` and `speakers` are what people see.
    """

    seq: int = 0
    session: Session | None = None
    heard: Mapping[str, Turn] = field(default_factory=dict)
    names: Mapping[str, Decision] = field(default_factory=dict)
    merges: Mapping[str, Decision] = field(default_factory=dict)
    assigned: Mapping[str, Decision] = field(default_factory=dict)
    corrections: Mapping[str, Decision] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    bookmarks: tuple[Bookmark, ...] = ()
    off_record: tuple[Interval, ...] = ()
    status: Status | None = None
    end: End | None = None

    @property
    def id(self) -> str:
        """Return the meeting's id, empty before the first event."""
        return self.session.session if self.session else ""

    @property
    def duration(self) -> int:
        """Return the meeting's length in samples; while it goes on, up to the last thing that is known."""
        if self.end is not None:
            return self.end.duration
        ends = chain((turn.end for turn in self.heard.values()), (gap.end for gap in self.gaps))
        return max(ends, default=0)

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """Return the turns by start, with what was decided: speaker, correction, off the record.

        `overlaps` is made mutual: the earlier of two overlapping turns was emitted before it could know.
        """
        decided = (self._with_overlaps(self.decided(turn)) for turn in self.heard.values())
        return tuple(sorted(decided, key=lambda turn: (turn.start, turn.end, turn.id)))

    @cached_property
    def speakers(self) -> dict[str, str | None]:
        """Return the name (None: not named) of every speaker that exists, in order of their ids."""
        ids = {turn.speaker_id for turn in self.turns if turn.speaker_id is not None}
        ids.update(self.resolve(speaker) for speaker in self.names)
        named = {speaker: self.name(speaker) for speaker in ids}
        return dict(sorted(named.items(), key=lambda item: (len(item[0]), item[0])))

    def turn(self, turn_id: str) -> Turn | None:
        """Return one turn as `turns` has it, None where there is none of that id."""
        heard = self.heard.get(turn_id)
        return None if heard is None else self._with_overlaps(self.decided(heard))

    def resolve(self, speaker_id: str) -> str:
        """Return the speaker that `speaker_id` was merged into, itself where it was not."""
        return _resolve(self.merges, speaker_id)

    def name(self, speaker_id: str | None) -> str | None:
        """Return the name shown for a speaker: their own, or that of one who was merged into them."""
        if speaker_id is None:
            return None
        target = self.resolve(speaker_id)
        if target in self.names:
            return self.names[target].value
        merged = (key for key in self.names if self.resolve(key) == target)
        return next((self.names[key].value for key in merged), None)

    @cached_property
    def _overlapped_by(self) -> dict[str, list[str]]:
        """Return for turns the others that were emitted with the news that they share time with them."""
        later: dict[str, list[str]] = {}
        for turn in self.heard.values():
            for other in turn.overlaps:
                later.setdefault(other, []).append(turn.id)
        return later

    def decided(self, turn: Turn) -> Turn:
        """Return a turn that was heard with what was decided about it, `overlaps` as they were emitted."""
        if turn.id in self.assigned:
            turn = replace(turn, speaker_id=self.assigned[turn.id].value)
        if turn.speaker_id is not None and self.merges:
            turn = replace(turn, speaker_id=self.resolve(turn.speaker_id))
        if turn.id in self.corrections and not turn.redacted:
            turn = replace(turn, text=self.corrections[turn.id].value)
        if any(turn.interval.touches(hidden) for hidden in self.off_record):
            turn = turn.redact()
        return turn

    def _with_overlaps(self, turn: Turn) -> Turn:
        new = [other for other in self._overlapped_by.get(turn.id, ()) if other not in turn.overlaps]
        return replace(turn, overlaps=(*turn.overlaps, *new)) if new else turn


def _resolve(merges: Mapping[str, Decision], speaker_id: str) -> str:
    while speaker_id in merges:
        speaker_id = merges[speaker_id].value
    return speaker_id


class _Draft:
    """A meeting while it is built from `base`: what changes is copied once, and then changed in place."""

    def __init__(self, base: Meeting) -> None:
        self._base = base
        self._changed: dict[str, Any] = {}

    @property
    def seq(self) -> int:
        """Return the number of the last event."""
        return self._changed.get("seq", self._base.seq)

    def meeting(self) -> Meeting:
        """Return what was built, after which the draft is of no more use."""
        if not self._changed:
            return self._base
        parts = {
            name: tuple(part) if isinstance(part, list) else part for name, part in self._changed.items()
        }
        return replace(self._base, **parts)

    def add(self, event: DurableEvent) -> None:
        """Apply the next event."""
        match event:
            case Session():
                self._changed["session"] = event
            case Final(turn=turn):
                self._mapping("heard")[turn.id] = turn
            case SpeakerUpdate(changes=changes, by=by):
                for change in changes:
                    self._change_speaker(change, by)
            case Correction(turn=turn_id, text=text, by=by):
                if not event.redacted:
                    self._decide("corrections", turn_id, text, by)
            case Gap():
                self._list("gaps").append(event)
            case Bookmark():
                self._list("bookmarks").append(event)
            case OffRecord(start=start, end=end):
                self._list("off_record").append(Interval(start, max(start, end)))
            case Status():
                self._changed["status"] = event
            case End():
                self._changed["end"] = event
        self._changed["seq"] = event.seq

    def _mapping(self, name: str) -> dict[str, Any]:
        if name not in self._changed:
            self._changed[name] = dict(getattr(self._base, name))
        return self._changed[name]

    def _list(self, name: str) -> list[Any]:
        if name not in self._changed:
            self._changed[name] = list(getattr(self._base, name))
        return self._changed[name]

    def _decide(self, name: str, key: str, value: str, by: By) -> None:
        """Note a decision, unless a person's would be overruled by the tracker."""
        known: Mapping[str, Decision] = self._changed.get(name, getattr(self._base, name))
        held = known.get(key)
        if held is None or held.by == "tracker" or by == "person":
            self._mapping(name)[key] = Decision(value, by)

    def _change_speaker(self, change: Change, by: By) -> None:
        """Apply one change of a speaker update."""
        if change.into is not None:
            self._merge(change.speaker_id, change.into, by)
        if change.speaker is not None:
            self._decide("names", change.speaker_id, change.speaker, by)
        for turn in change.turns or ():
            self._decide("assigned", turn, change.speaker_id, by)

    def _merge(self, speaker: str, into: str, by: By) -> None:
        """Merge a speaker into another; not into themselves, and not over a person's decision or name.

        Merges stay a forest: the new edge joins two trees, as both ends have different roots.
        """
        merges: Mapping[str, Decision] = self._changed.get("merges", self._base.merges)
        if _resolve(merges, into) == _resolve(merges, speaker):
            return
        named: Decision | None = self._changed.get("names", self._base.names).get(speaker)
        if by == "tracker" and named is not None and named.by == "person":
            return
        self._decide("merges", speaker, into, by)


def apply(meeting: Meeting, event: Event) -> Meeting:
    """Return the meeting after one more event.

    Raises:
        SequenceError: durable events between the meeting's last one and this one are missing.
    """
    return fold((event,), meeting)


def fold(events: Iterable[Event], start: Meeting | None = None) -> Meeting:
    """Return the meeting that a log makes, going on from `start` where it is given.

    Raises:
        SequenceError: the log has a hole.
    """
    draft = _Draft(start or Meeting())
    for event in events:
        if not isinstance(event, DurableEvent) or 0 < event.seq <= draft.seq:
            continue
        if event.seq != draft.seq + 1:
            raise SequenceError(
                f"event {event.seq} of meeting {event.session!r} follows event {draft.seq}: "
                "the events between are missing; read the log again from there"
            )
        draft.add(event)
    return draft.meeting()
