"""The meeting is the fold of its durable events: snapshot = fold(log).

Pure: no files, clocks or tasks. What a person decided outranks the tracker: a name, a merge, a text or an
assigned turn that a person set is not changed by the tracker, before or after.
An event that was applied already (its `seq` is not new) changes nothing; a missing one raises.
Not covered: emptying events in the stored log (the store's work); here off-record turns come out empty.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

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


def _decide(known: Mapping[str, Decision], key: str, value: str, by: By) -> dict[str, Decision]:
    """Return `known` with a new decision, unless a person's would be overruled by the tracker."""
    held = known.get(key)
    if held is not None and held.by == "person" and by == "tracker":
        return dict(known)
    return {**known, key: Decision(value, by)}


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

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Return the turns by start, with what was decided: speaker, correction, off the record.

        `overlaps` is made mutual: the earlier of two overlapping turns was emitted before it could know.
        """
        later: dict[str, list[str]] = {}
        for turn in self.heard.values():
            for other in turn.overlaps:
                later.setdefault(other, []).append(turn.id)
        decided = (self._decided(turn, later.get(turn.id, ())) for turn in self.heard.values())
        return tuple(sorted(decided, key=lambda turn: (turn.start, turn.end, turn.id)))

    @property
    def speakers(self) -> dict[str, str | None]:
        """Return the name (None: not named) of every speaker that exists, in order of their ids."""
        ids = {turn.speaker_id for turn in self.turns if turn.speaker_id is not None}
        ids.update(self.resolve(speaker) for speaker in self.names)
        named = {speaker: self.name(speaker) for speaker in ids}
        return dict(sorted(named.items(), key=lambda item: (len(item[0]), item[0])))

    def resolve(self, speaker_id: str) -> str:
        """Return the speaker that `speaker_id` was merged into, itself where it was not."""
        while speaker_id in self.merges:
            speaker_id = self.merges[speaker_id].value
        return speaker_id

    def name(self, speaker_id: str | None) -> str | None:
        """Return the name shown for a speaker: their own, or that of one who was merged into them."""
        if speaker_id is None:
            return None
        target = self.resolve(speaker_id)
        if target in self.names:
            return self.names[target].value
        merged = (key for key in self.names if self.resolve(key) == target)
        return next((self.names[key].value for key in merged), None)

    def _decided(self, turn: Turn, overlapped_by: Iterable[str]) -> Turn:
        if turn.id in self.assigned:
            turn = replace(turn, speaker_id=self.assigned[turn.id].value)
        if turn.speaker_id is not None:
            turn = replace(turn, speaker_id=self.resolve(turn.speaker_id))
        if turn.id in self.corrections and not turn.redacted:
            turn = replace(turn, text=self.corrections[turn.id].value)
        new = [other for other in overlapped_by if other not in turn.overlaps]
        if new:
            turn = replace(turn, overlaps=(*turn.overlaps, *new))
        if any(turn.interval.touches(hidden) for hidden in self.off_record):
            turn = turn.redact()
        return turn


def _change_speaker(meeting: Meeting, change: Change, by: By) -> Meeting:
    """Apply one change of a speaker update."""
    speaker = change.speaker_id
    if change.into is not None:
        meeting = _merge(meeting, speaker, change.into, by)
    if change.speaker is not None:
        meeting = replace(meeting, names=_decide(meeting.names, speaker, change.speaker, by))
    for turn in change.turns or ():
        meeting = replace(meeting, assigned=_decide(meeting.assigned, turn, speaker, by))
    return meeting


def _merge(meeting: Meeting, speaker: str, into: str, by: By) -> Meeting:
    """Merge a speaker into another; not into themselves, and not over a person's decision or name.

    Merges stay a forest: the new edge joins two trees, as both ends have different roots.
    """
    if meeting.resolve(into) == meeting.resolve(speaker):
        return meeting
    named = meeting.names.get(speaker)
    if by == "tracker" and named is not None and named.by == "person":
        return meeting
    return replace(meeting, merges=_decide(meeting.merges, speaker, into, by))


def apply(meeting: Meeting, event: Event) -> Meeting:
    """Return the meeting after one more event.

    Raises:
        SequenceError: durable events between the meeting's last one and this one are missing.
    """
    if not isinstance(event, DurableEvent) or 0 < event.seq <= meeting.seq:
        return meeting
    if event.seq != meeting.seq + 1:
        raise SequenceError(
            f"event {event.seq} of meeting {event.session!r} follows event {meeting.seq}: "
            "the events between are missing; read the log again from there"
        )
    return replace(_apply_new(meeting, event), seq=event.seq)


def _apply_new(meeting: Meeting, event: DurableEvent) -> Meeting:
    match event:
        case Session():
            return replace(meeting, session=event)
        case Final(turn=turn):
            return replace(meeting, heard={**meeting.heard, turn.id: turn})
        case SpeakerUpdate(changes=changes, by=by):
            for change in changes:
                meeting = _change_speaker(meeting, change, by)
        case Correction(turn=turn_id, text=text, by=by):
            return replace(meeting, corrections=_decide(meeting.corrections, turn_id, text, by))
        case Gap():
            return replace(meeting, gaps=(*meeting.gaps, event))
        case Bookmark():
            return replace(meeting, bookmarks=(*meeting.bookmarks, event))
        case OffRecord(start=start, end=end):
            return replace(meeting, off_record=(*meeting.off_record, Interval(start, max(start, end))))
        case Status():
            return replace(meeting, status=event)
        case End():
            return replace(meeting, end=event)
    return meeting


def fold(events: Iterable[Event], start: Meeting | None = None) -> Meeting:
    """Return the meeting that a log makes, going on from `start` where it is given.

    Raises:
        SequenceError: the log has a hole.
    """
    meeting = start or Meeting()
    for event in events:
        meeting = apply(meeting, event)
    return meeting
