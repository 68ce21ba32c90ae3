"""A whole meeting as one JSON document: `version`, `session`, `duration`, `model`, `turns`, `gaps`."""

import json
from typing import Any

from meetscribe import events as ev
from meetscribe.errors import FormatError
from meetscribe.formats import wire
from meetscribe.meeting import Meeting, fold
from meetscribe.timeline import to_samples, to_seconds


def encode(meeting: Meeting) -> str:
    """Return the document, indented."""
    names = meeting.speakers
    document = {
        "version": wire.VERSION,
        "session": meeting.id,
        "duration": to_seconds(meeting.duration),
        "model": meeting.session.model if meeting.session else None,
        "turns": [wire.write_turn(turn, names) for turn in meeting.turns],
        "gaps": [_write_gap(gap) for gap in meeting.gaps],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _write_gap(gap: ev.Gap) -> dict[str, Any]:
    start, end = to_seconds(gap.start), to_seconds(gap.end)
    return {"channel": gap.channel, "start": start, "end": end, "reason": gap.reason}


def decode(text: str) -> Meeting:
    """Return the meeting of a document.

    Raises:
        FormatError: it is not such a document.
    """
    try:
        document = json.loads(text)
        return fold(_events(document))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise FormatError(f"not a transcript in JSON: {error!r}") from error


def _events(document: dict[str, Any]) -> list[ev.Event]:
    """Return a log that folds to the document's meeting."""
    if document["version"] != wire.VERSION:
        raise ValueError(f"version {document['version']!r} is not {wire.VERSION}")
    name, duration = document["session"], to_samples(document["duration"])
    turns = document["turns"]
    names = {turn["speaker_id"]: turn["speaker"] for turn in turns if turn.get("speaker")}
    made: list[ev.Event] = [ev.Session(title=name, started="", model=document.get("model"))]
    made += [ev.Final(turn=wire.read_turn(turn), at=to_samples(turn["end"])) for turn in turns]
    made += [
        ev.Gap(
            start=to_samples(gap["start"]),
            end=to_samples(gap["end"]),
            reason=gap["reason"],
            channel=gap["channel"],
        )
        for gap in document.get("gaps", [])
    ]
    if names:
        changes = tuple(ev.Change(speaker, shown) for speaker, shown in names.items())
        made.append(ev.SpeakerUpdate(changes=changes))
    made.append(ev.End(reason="read", duration=duration, at=duration))
    return [ev.numbered(event, name, count) for count, event in enumerate(made)]
