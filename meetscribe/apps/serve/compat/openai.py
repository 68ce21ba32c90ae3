"""The answers of OpenAI's transcription of files (`/v1/audio/transcriptions`). Pure.

Not covered: the request (`transcriptions.py`); `prompt`, `temperature` and `language`, which change nothing here.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from meetscribe.errors import InputError
from meetscribe.events import DurableEvent, Final, Turn, Word
from meetscribe.formats.registry import by_name
from meetscribe.formats.wire import Json
from meetscribe.meeting import Meeting, fold, shown_speaker
from meetscribe.timeline import to_seconds

FORMATS = ("json", "text", "srt", "vtt", "verbose_json", "diarized_json")
GRANULARITIES = ("word", "segment")
ALIASES = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize")
"""Names of models that programs have built in; they get the model that is there."""


def answer(log: Sequence[DurableEvent], form: str, granularities: Iterable[str]) -> tuple[str, str]:
    """Return the body and its type.

    Raises:
        InputError: there is no such format.
    """
    meeting = fold(log)
    if form == "text":
        return full_text(meeting) + "\n", "text/plain; charset=utf-8"
    if form in ("srt", "vtt"):
        kind = "text/vtt" if form == "vtt" else "application/x-subrip"
        return by_name(form).encode(log), f"{kind}; charset=utf-8"
    if form not in FORMATS:
        raise InputError(f"response_format {form[:40]!r}: choose one of {', '.join(FORMATS)}")
    if form == "verbose_json":
        document = _verbose(meeting, set(granularities))
    elif form == "diarized_json":
        document = _diarized(meeting)
    else:
        document = {"text": full_text(meeting), "usage": usage(meeting)}
    return json.dumps(document, ensure_ascii=False), "application/json"


def full_text(meeting: Meeting) -> str:
    """Return everything that was said, by start."""
    return " ".join(turn.text for turn in meeting.turns if turn.text)


def usage(meeting: Meeting) -> Json:
    """Return what is counted: seconds of audio."""
    return {"type": "duration", "seconds": round(to_seconds(meeting.duration))}


def _verbose(meeting: Meeting, granularities: set[str]) -> Json:
    document: Json = {"task": "transcribe", "language": "english", "duration": to_seconds(meeting.duration)}
    document["text"] = full_text(meeting)
    if "word" in granularities:
        document["words"] = [_word(word) for turn in meeting.turns for word in turn.words]
    if "segment" in granularities or not granularities:
        spoken = [turn for turn in meeting.turns if turn.text]
        document["segments"] = [_segment(number, turn) for number, turn in enumerate(spoken)]
    return document | {"usage": usage(meeting)}


def _word(word: Word) -> Json:
    return {"word": word.word, "start": to_seconds(word.start), "end": to_seconds(word.end)}


def _segment(number: int, turn: Turn) -> Json:
    """Return a segment; what only Whisper's decoder knows has the values of an untroubled one."""
    told: dict[str, Any] = {
        "id": number,
        "seek": 0,
        "start": to_seconds(turn.start),
        "end": to_seconds(turn.end),
    }
    told |= {"text": turn.text, "tokens": [], "temperature": 0.0, "avg_logprob": 0.0}
    return told | {"compression_ratio": 1.0, "no_speech_prob": 0.0}


def _diarized(meeting: Meeting) -> Json:
    spoken = [turn for turn in meeting.turns if turn.text]
    segments = [diarized_segment(number, turn, meeting) for number, turn in enumerate(spoken, 1)]
    text = "\n".join(f"{segment['speaker']}: {segment['text']}" for segment in segments)
    about = {"task": "transcribe", "duration": to_seconds(meeting.duration), "text": text}
    return about | {"segments": segments, "usage": usage(meeting)}


def diarized_segment(number: int, turn: Turn, meeting: Meeting) -> Json:
    """Return a segment with its speaker: the name, else s1, s2, …, else the slot, A or B."""
    told = {"type": "transcript.text.segment", "id": f"seg_{number:03d}"}
    told |= {"start": to_seconds(turn.start), "end": to_seconds(turn.end), "text": turn.text}
    return told | {"speaker": shown_speaker(turn, meeting.speakers)}


def streamed(event: DurableEvent, number: int, meeting: Meeting, *, diarized: bool) -> list[Json]:
    """Return the events of `stream=true` for one event of the log; `number` counts finals from 1."""
    if not isinstance(event, Final) or not event.turn.text:
        return []
    made: list[Json] = [{"type": "transcript.text.delta", "delta": event.turn.text + " "}]
    if diarized:
        made.append(diarized_segment(number, event.turn, meeting))
        made[0]["segment_id"] = f"seg_{number:03d}"
    return made


def stream_end(meeting: Meeting) -> Json:
    """Return the last event of `stream=true`."""
    return {"type": "transcript.text.done", "text": full_text(meeting), "usage": usage(meeting)}


def models(name: str, created: int) -> Json:
    """Return the list of models: the one that is loaded."""
    return {"object": "list", "data": [model(name, created)]}


def model(name: str, created: int) -> Json:
    """Return one model."""
    return {"id": name, "object": "model", "created": created, "owned_by": "meetscribe"}


def error(message: str, code: str, kind: str = "invalid_request_error") -> Json:
    """Return an error in OpenAI's shape."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
