"""Events as JSON objects: one shape for JSON lines, WebSocket, MQTT and the store.

Times become seconds with three decimals. `decode(encode(event)) == event` for every event; the name shown
for a speaker is added when an event is sent and is not read back (a log holds ids alone).
Keys that are not known are ignored when reading, so that newer writers can be read.
Not covered: commands and answers to them.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from meetscribe import events as ev
from meetscribe.errors import FormatError
from meetscribe.timeline import to_samples, to_seconds

VERSION = 1
Names = Mapping[str, str | None]  # speaker_id -> the name shown
Json = dict[str, Any]


@dataclass(frozen=True)
class _Codec:
    """How a field's value is written (given the names of speakers) and read."""

    write: Callable[[Any, Names], Any]
    read: Callable[[Any], Any]


def _plain(kind: type | tuple[type, ...]) -> _Codec:
    return _Codec(lambda value, _: value, lambda value: _check(value, kind))


def _check(value: Any, kind: type | tuple[type, ...]) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{value!r} has the wrong type")
    return value


def _or_null(codec: _Codec) -> _Codec:
    return _Codec(
        lambda value, names: None if value is None else codec.write(value, names),
        lambda value: None if value is None else codec.read(value),
    )


def _sequence(codec: _Codec) -> _Codec:
    return _Codec(
        lambda value, names: [codec.write(item, names) for item in value],
        lambda value: tuple(codec.read(item) for item in _check(value, list)),
    )


def _one_of(*choices: str) -> _Codec:
    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"{value!r} is none of {', '.join(choices)}")
        return value

    return _Codec(lambda value, _: value, read)


def _write_word(word: ev.Word) -> Json:
    json_word = {
        "word": word.word,
        "start": to_seconds(word.start),
        "end": to_seconds(word.end),
        "confidence": word.confidence,
    }
    return json_word | ({"estimated": True} if word.estimated else {})


def _read_word(value: Any) -> ev.Word:
    _check(value, dict)
    return ev.Word(
        _TEXT.read(value["word"]),
        _TIME.read(value["start"]),
        _TIME.read(value["end"]),
        _FIGURE.read(value.get("confidence", 1.0)),
        _check(value.get("estimated", False), bool),
    )


def write_turn(turn: ev.Turn, names: Names) -> Json:
    """Return a turn as JSON, with the name that `names` has for its speaker."""
    json_turn = {
        "id": turn.id,
        "slot": turn.slot,
        "channel": turn.channel,
        "speaker_id": turn.speaker_id,
        "speaker": names.get(turn.speaker_id) if turn.speaker_id is not None else None,
        "start": to_seconds(turn.start),
        "end": to_seconds(turn.end),
        "text": turn.text,
        "words": [_write_word(word) for word in turn.words],
        "overlaps": list(turn.overlaps),
    }
    return json_turn | ({"redacted": True} if turn.redacted else {})


def read_turn(value: Any) -> ev.Turn:
    """Return the turn of a JSON object.

    Raises:
        KeyError, TypeError, ValueError: it is not a turn.
    """
    _check(value, dict)
    return ev.Turn(
        id=_TEXT.read(value["id"]),
        slot=_COUNT.read(value["slot"]),
        start=_TIME.read(value["start"]),
        end=_TIME.read(value["end"]),
        text=_TEXT.read(value["text"]),
        words=tuple(_read_word(word) for word in _check(value.get("words", []), list)),
        channel=_or_null(_COUNT).read(value.get("channel")),
        speaker_id=_or_null(_TEXT).read(value.get("speaker_id")),
        overlaps=_sequence(_TEXT).read(value.get("overlaps", [])),
        redacted=_check(value.get("redacted", False), bool),
    )


def _write_change(change: ev.Change, _: Names) -> Json:
    written: Json = {"speaker_id": change.speaker_id, "speaker": change.speaker, "into": change.into}
    written["turns"] = None if change.turns is None else list(change.turns)
    written["confidence"] = change.confidence
    return {key: value for key, value in written.items() if value is not None}


def _read_change(value: Any) -> ev.Change:
    _check(value, dict)
    return ev.Change(
        _TEXT.read(value["speaker_id"]),
        _or_null(_TEXT).read(value.get("speaker")),
        _or_null(_TEXT).read(value.get("into")),
        _or_null(_sequence(_TEXT)).read(value.get("turns")),
        _or_null(_FIGURE).read(value.get("confidence")),
    )


def _read_time(value: Any) -> int:
    return to_samples(_check(value, (int, float)))


_TEXT, _COUNT, _FIGURE = _plain(str), _plain(int), _plain((int, float))
_TIME = _Codec(lambda value, _: to_seconds(value), _read_time)
_FLAG = _plain(bool)
_TURN = _Codec(write_turn, read_turn)
_BY = _one_of("tracker", "person")
_CHANGE = _Codec(_write_change, _read_change)

_EVENTS: dict[str, tuple[type[ev.Event], dict[str, _Codec]]] = {
    "session": (
        ev.Session,
        {"title": _TEXT, "started": _TEXT, "sources": _sequence(_TEXT), "model": _or_null(_TEXT)},
    ),
    "final": (ev.Final, {"turn": _TURN}),
    "speaker_update": (ev.SpeakerUpdate, {"changes": _sequence(_CHANGE), "by": _BY}),
    "correction": (ev.Correction, {"turn": _TEXT, "text": _TEXT, "by": _BY, "redacted": _FLAG}),
    "gap": (ev.Gap, {"channel": _or_null(_COUNT), "start": _TIME, "end": _TIME, "reason": _TEXT}),
    "bookmark": (ev.Bookmark, {"note": _TEXT}),
    "off_record": (ev.OffRecord, {"start": _TIME, "end": _TIME}),
    "status": (ev.Status, {"state": _one_of(*ev.STATES), "reason": _or_null(_TEXT)}),
    "end": (ev.End, {"reason": _TEXT, "duration": _TIME}),
    "partial": (ev.Partial, {"turn": _TURN, "revision": _COUNT, "stable": _COUNT}),
    "turn_start": (ev.TurnStart, {"turn": _TEXT, "slot": _COUNT, "start": _TIME}),
    "turn_end": (ev.TurnEnd, {"turn": _TEXT, "slot": _COUNT, "end": _TIME}),
    "level": (ev.Level, {"levels": _sequence(_FIGURE)}),
    "lag": (ev.Lag, {"behind": _TIME}),
    "progress": (ev.Progress, {"done": _TIME, "total": _or_null(_TIME)}),
}
_TYPES = {kind: name for name, (kind, _) in _EVENTS.items()}


def encode(event: ev.Event, names: Names | None = None) -> Json:
    """Return an event as a JSON object; `names` gives the name shown for each speaker_id."""
    name = _TYPES[type(event)]
    number = "seq" if isinstance(event, ev.DurableEvent) else "after_seq"
    written = {"type": name, "version": VERSION, "session": event.session, number: getattr(event, number)}
    written["at"] = to_seconds(event.at)
    for key, codec in _EVENTS[name][1].items():
        if codec is not _FLAG or getattr(event, key):  # flags are written where they are set
            written[key] = codec.write(getattr(event, key), names or {})
    return written


def decode(value: Any) -> ev.Event:
    """Return the event of a JSON object.

    Raises:
        FormatError: it is not an event of this version.
    """
    if not isinstance(value, dict) or not isinstance(value.get("type"), str) or value["type"] not in _EVENTS:
        kind = value.get("type") if isinstance(value, dict) else value
        raise FormatError(f"{str(kind)[:60]!r} is not a type of event; known are {', '.join(_EVENTS)}")
    name = value["type"]
    if value.get("version") != VERSION:
        raise FormatError(
            f"a {name!r} event has version {value.get('version')!r}; this reads version {VERSION}"
        )
    kind, codecs = _EVENTS[name]
    number = "seq" if issubclass(kind, ev.DurableEvent) else "after_seq"
    codecs = {"session": _TEXT, number: _COUNT, "at": _TIME} | codecs
    read = {}
    for key, codec in codecs.items():
        try:
            if key in value or key not in _OPTIONAL[name]:
                read[key] = codec.read(value[key])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise FormatError(f"{key!r} of a {name!r} event is missing or wrong ({error})") from error
    return kind(**read)


_OPTIONAL = {
    name: {
        field.name
        for field in fields(kind)
        if field.name in ("channel", "reason", "model", "note", "total", "redacted")
    }
    - ({"reason"} if name in ("gap", "end") else set())
    for name, (kind, _) in _EVENTS.items()
}


def dumps(event: ev.Event, names: Names | None = None) -> str:
    """Return an event as one line of JSON."""
    return json.dumps(encode(event, names), ensure_ascii=False, allow_nan=False)


def loads(line: str | bytes) -> ev.Event:
    """Return the event of one line of JSON.

    Raises:
        FormatError: it is not JSON, or not an event of this version.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"a line is not JSON: {error}") from error
    return decode(value)
