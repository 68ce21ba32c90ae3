"""SegLST, the segment lists of meeteval and the CHiME challenges: a JSON list with one object per turn.

`speaker` is the name, else the speaker_id, else the slot's letter (A, B), so that two people at once are told apart
even before anybody is known. `speaker_id` stands beside it, null while nobody is known: an A that is a slot and
somebody called A stay different when read back. Not covered: word times (SegLST has one string of words per segment).
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Any

from meetscribe import events as ev
from meetscribe.errors import FormatError
from meetscribe.formats import building
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
        segments = json.loads(text)
        if not isinstance(segments, list):
            raise TypeError("it is no list")
        return meetings(segments)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise FormatError(f"not a segment list (SegLST): {error!r}") from error


def meetings(segments: Iterable[dict[str, Any]]) -> list[Meeting]:
    """Return one meeting per `session_id` of segments.

    Raises:
        AttributeError, KeyError, TypeError, ValueError, OverflowError: something is missing or of the wrong type.
    """
    sessions: dict[str, list[dict[str, Any]]] = {}
    for segment in segments:
        sessions.setdefault(str(segment["session_id"]), []).append(segment)
    return [_meeting(name, segments) for name, segments in sessions.items()]


def _meeting(session: str, segments: list[dict[str, Any]]) -> Meeting:
    """Return the meeting of one session's segments."""
    segments = sorted(segments, key=lambda segment: float(segment["start_time"]))
    ids, names = _speaker_ids(segments)
    turns = [
        ev.Turn(
            id=f"t{number}",
            slot=int(segment.get("slot") or 0),
            start=to_samples(float(segment["start_time"])),
            end=to_samples(float(segment["end_time"])),
            text=_words(segment["words"]),
            channel=segment.get("channel"),
            speaker_id=speaker_id,
        )
        for number, (segment, speaker_id) in enumerate(zip(segments, ids, strict=True), 1)
    ]
    if not any("slot" in segment for segment in segments):
        slots = building.lanes([turn.interval for turn in turns])
        turns = [replace(turn, slot=slot) for turn, slot in zip(turns, slots, strict=True)]
    return fold(building.log_of_turns(session, building.overlapping(turns), names))


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
    taken = {*own, *filter(building.looks_like_id, labels)}
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
