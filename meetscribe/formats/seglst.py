"""SegLST, the segment lists of meeteval and the CHiME challenges: a JSON list with one object per turn.

`speaker` is the name, else the speaker_id, else the slot's letter (A, B), so that two people at once are told apart
even before anybody is known. `speaker_id` stands beside it, null while nobody is known: an A that is a slot and
somebody called A stay different when read back. Not covered: word times (SegLST has one string of words per segment).
"""

import json
from dataclasses import replace
from itertools import count
from typing import Any

from meetscribe import events as ev
from meetscribe.errors import FormatError
from meetscribe.meeting import Meeting, fold, shown_speaker
from meetscribe.timeline import to_samples, to_seconds


def encode(meeting: Meeting) -> str:
    """Return the segments of a meeting; `[]` where nobody spoke."""
    names = meeting.speakers
    segments = [_segment(meeting.id, turn, names) for turn in meeting.turns if turn.text]
    return json.dumps(segments, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _segment(session: str, turn: ev.Turn, names: dict[str, str | None]) -> dict[str, Any]:
    return {
        "session_id": session,
        "speaker": shown_speaker(turn, names),
        "speaker_id": turn.speaker_id,
        "slot": turn.slot,
        "channel": turn.channel,
        "start_time": to_seconds(turn.start),
        "end_time": to_seconds(turn.end),
        "words": turn.text,
    }


def decode(text: str) -> list[Meeting]:
    """Return one meeting per `session_id`, in the order in which they appear.

    Raises:
        FormatError: it is not a segment list.
    """
    try:
        sessions: dict[str, list[dict[str, Any]]] = {}
        segments = json.loads(text)
        if not isinstance(segments, list):
            raise TypeError("it is no list")
        for segment in segments:
            sessions.setdefault(str(segment["session_id"]), []).append(segment)
        return [_meeting(name, segments) for name, segments in sessions.items()]
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise FormatError(f"not a segment list (SegLST): {error!r}") from error


def _meeting(session: str, segments: list[dict[str, Any]]) -> Meeting:
    """Return the meeting of one session's segments."""
    segments = sorted(segments, key=lambda segment: float(segment["start_time"]))
    ids, names = _speaker_ids(segments)
    made: list[ev.Event] = [ev.Session(title=session, started="")]
    turns: list[ev.Turn] = []
    for number, (segment, speaker_id) in enumerate(zip(segments, ids, strict=True), 1):
        turn = ev.Turn(
            id=f"t{number}",
            slot=int(segment.get("slot") or 0),
            start=to_samples(float(segment["start_time"])),
            end=to_samples(float(segment["end_time"])),
            text=_words(segment["words"]),
            channel=segment.get("channel"),
            speaker_id=speaker_id,
        )
        earlier = tuple(other.id for other in turns if other.interval.touches(turn.interval))
        turn = replace(turn, overlaps=earlier)
        turns.append(turn)
        made.append(ev.Final(turn=turn, at=turn.end))
    changes = tuple(ev.Change(number, name) for number, name in names.items())
    if changes:
        made.append(ev.SpeakerUpdate(changes=changes))
    duration = max(turn.end for turn in turns)
    made.append(ev.End(reason="read", duration=duration, at=duration))
    return fold(ev.numbered(event, session, count) for count, event in enumerate(made))


def _words(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"words are {value!r}, not text")
    return value


def _speaker_ids(segments: list[dict[str, Any]]) -> tuple[list[str | None], dict[str, str]]:
    """Return each segment's speaker by id, and the names of those who have one.

    A segment's own `speaker_id` holds (null: nobody is known). Elsewhere every label is somebody, and gets an id: the
    label itself where it looks like one.
    """
    own = {str(segment["speaker_id"]): segment.get("speaker") for segment in segments if _has_id(segment)}
    names = {number: str(name) for number, name in own.items() if name is not None and name != number}
    others = (segment.get("speaker") for segment in segments if "speaker_id" not in segment)
    labels = [str(label) for label in dict.fromkeys(others) if label is not None]
    taken = {*own, *(label for label in labels if label[:1] == "s" and label[1:].isdecimal())}
    free = (f"s{number}" for number in count(1) if f"s{number}" not in taken)
    ids = {name: number for number, name in names.items()}
    for label in labels:
        if label not in ids:
            ids[label] = label if label in taken else next(free)
    names |= {number: label for label, number in ids.items() if label != number}
    return [_speaker_id(segment, ids) for segment in segments], names


def _has_id(segment: dict[str, Any]) -> bool:
    return segment.get("speaker_id") is not None


def _speaker_id(segment: dict[str, Any], ids: dict[str, str]) -> str | None:
    if "speaker_id" in segment:
        return str(segment["speaker_id"]) if _has_id(segment) else None
    return ids.get(str(segment.get("speaker")))
