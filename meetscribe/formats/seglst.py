"""SegLST, the segment lists of meeteval and the CHiME challenges: a JSON list with one object per turn.

`speaker` is the name, else the speaker_id, else `slot0` or `slot1`, so that two people at once are told apart
even before anybody is known. Not covered: word times (SegLST has one string of words per segment).
"""

import json
from dataclasses import replace
from typing import Any

from meetscribe import events as ev
from meetscribe.errors import FormatError
from meetscribe.meeting import Meeting, fold
from meetscribe.timeline import to_samples, to_seconds


def encode(meeting: Meeting) -> str:
    """Return the segments of a meeting; `[]` where nobody spoke."""
    names = meeting.speakers
    segments = [_segment(meeting.id, turn, names) for turn in meeting.turns if turn.text]
    return json.dumps(segments, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _segment(session: str, turn: ev.Turn, names: dict[str, str | None]) -> dict[str, Any]:
    named = names.get(turn.speaker_id) if turn.speaker_id is not None else None
    return {
        "session_id": session,
        "speaker": named or turn.speaker_id or f"slot{turn.slot}",
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
    ids = _speaker_ids(segments)
    made: list[ev.Event] = [ev.Session(title=session, started="")]
    turns: list[ev.Turn] = []
    for number, segment in enumerate(segments, 1):
        turn = ev.Turn(
            id=f"t{number}",
            slot=int(segment.get("slot") or 0),
            start=to_samples(float(segment["start_time"])),
            end=to_samples(float(segment["end_time"])),
            text=_words(segment["words"]),
            channel=segment.get("channel"),
            speaker_id=ids.get(str(segment.get("speaker"))),
        )
        earlier = tuple(other.id for other in turns if other.interval.touches(turn.interval))
        turn = replace(turn, overlaps=earlier)
        turns.append(turn)
        made.append(ev.Final(turn=turn, at=turn.end))
    changes = tuple(ev.Change(number, name) for name, number in ids.items() if name != number)
    if changes:
        made.append(ev.SpeakerUpdate(changes=changes))
    duration = max(turn.end for turn in turns)
    made.append(ev.End(reason="read", duration=duration, at=duration))
    return fold(ev.numbered(event, session, count) for count, event in enumerate(made))


def _words(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"words are {value!r}, not text")
    return value


def _speaker_ids(segments: list[dict[str, Any]]) -> dict[str, str]:
    """Return an id for every speaker; labels that look like an id stay, `slotN` is nobody."""
    labels = [str(segment["speaker"]) for segment in segments if segment.get("speaker") is not None]
    labels = [label for label in dict.fromkeys(labels) if not _is_numbered(label, "slot")]
    taken = {label for label in labels if _is_numbered(label, "s")}
    free = (f"s{number}" for number in range(1, len(labels) + len(taken) + 1) if f"s{number}" not in taken)
    return {label: label if label in taken else next(free) for label in labels}


def _is_numbered(label: str, prefix: str) -> bool:
    return label.startswith(prefix) and label[len(prefix) :].isdecimal()
