"""Meetings from lines of other people's files, and logs from meetings: what all formats that are read share.

A file that knows neither ids nor slots gets them here: turns are numbered by start, people by the order in which they
first speak, and whoever begins while another talks gets another slot.
Not covered: what a line of a format means (each format's own module).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from meetscribe import events as ev
from meetscribe.meeting import Meeting, fold
from meetscribe.timeline import Interval


@dataclass(frozen=True)
class Line:
    """One turn as a file has it: `speaker` is a label (None: nobody is named), times are samples."""

    start: int
    end: int
    text: str
    speaker: str | None = None
    words: tuple[ev.Word, ...] = ()
    channel: int | None = None
    slot: int | None = None


def lanes(intervals: Sequence[Interval]) -> list[int]:
    """Return a lane for each interval, by start, so that those in one lane share no time.

    As with slots, talk stays in the lane of whoever spoke last, and leaves it only where that one still talks.
    """
    ends: list[int] = []
    chosen: list[int] = []
    for interval in intervals:
        free = [lane for lane, end in enumerate(ends) if end <= interval.start]
        lane = max(free, key=lambda lane: ends[lane], default=len(ends))
        if lane == len(ends):
            ends.append(interval.end)
        ends[lane] = max(ends[lane], interval.end)
        chosen.append(lane)
    return chosen


def speaker_ids(labels: Iterable[str]) -> dict[str, str]:
    """Return an id for each label: the label itself where it looks like one (`s3`), else the next free one."""
    known = list(dict.fromkeys(labels))
    taken = {label for label in known if looks_like_id(label)}
    free = (f"s{number}" for number in count(1) if f"s{number}" not in taken)
    return {label: label if label in taken else next(free) for label in known}


def looks_like_id(label: str) -> bool:
    """Say whether a label is a speaker's id as meetscribe writes it: `s` and a number."""
    return label[:1] == "s" and label[1:].isascii() and label[1:].isdecimal()


def meeting_of(session: str, lines: Iterable[Line]) -> Meeting:
    """Return the meeting of a file's lines, in whatever order they come."""
    ordered = sorted(lines, key=lambda line: (line.start, line.end))
    ids = speaker_ids(line.speaker for line in ordered if line.speaker is not None)
    turns = [
        ev.Turn(
            id=f"t{number}",
            slot=line.slot or 0,
            start=line.start,
            end=max(line.start, line.end),
            text=line.text,
            words=line.words,
            channel=line.channel,
            speaker_id=None if line.speaker is None else ids[line.speaker],
        )
        for number, line in enumerate(ordered, 1)
    ]
    if any(line.slot is None for line in ordered):
        slots = lanes([turn.interval for turn in turns])
        turns = [replace(turn, slot=slot) for turn, slot in zip(turns, slots, strict=True)]
    names = {number: label for label, number in ids.items() if number != label}
    return fold(log_of_turns(session, overlapping(turns), names))


def overlapping(turns: Sequence[ev.Turn]) -> list[ev.Turn]:
    """Return turns, which come by start, each with the earlier ones that share time with it."""
    done: list[ev.Turn] = []
    talking: list[ev.Turn] = []
    for turn in turns:
        talking = [other for other in talking if other.end > turn.start or other.end == other.start]
        earlier = tuple(other.id for other in talking if other.interval.touches(turn.interval))
        done.append(replace(turn, overlaps=earlier))
        talking.append(turn)
    return done


def log_of_turns(
    session: str, turns: Sequence[ev.Turn], names: Mapping[str, str], duration: int | None = None
) -> list[ev.DurableEvent]:
    """Return the log of a meeting that consists of these turns and the names of people."""
    made: list[ev.DurableEvent] = [ev.Session(title=session, started="")]
    made += [ev.Final(turn=turn, at=turn.end) for turn in turns]
    if names:
        made.append(ev.SpeakerUpdate(changes=tuple(ev.Change(*item) for item in names.items())))
    length = max((turn.end for turn in turns), default=0) if duration is None else duration
    made.append(ev.End(reason="read", duration=length, at=length))
    return number_all(made, session)


def log_of(meeting: Meeting) -> list[ev.DurableEvent]:
    """Return a log that folds to what people see of a meeting: its turns as decided, names, gaps, bookmarks."""
    start = meeting.session or ev.Session(title="", started="")
    made: list[ev.DurableEvent] = [start]
    made += [ev.Final(turn=turn, at=turn.end) for turn in meeting.turns]
    made += [*meeting.gaps, *meeting.bookmarks]
    changes = tuple(ev.Change(number, name) for number, name in meeting.speakers.items() if name)
    if changes:
        made.append(ev.SpeakerUpdate(changes=changes))
    made.append(ev.End(reason="read", duration=meeting.duration, at=meeting.duration))
    return number_all(made, start.session)


def number_all(events: Iterable[ev.DurableEvent], session: str) -> list[ev.DurableEvent]:
    """Return events with the meeting's id and numbers from 1 on."""
    return [replace(event, session=session, seq=number) for number, event in enumerate(events, 1)]


def renamed(meeting: Meeting, session: str) -> Meeting:
    """Return a meeting under another id."""
    return fold(number_all(log_of(meeting), session))
