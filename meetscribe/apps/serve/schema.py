"""What goes over the wire, for machines: JSON Schema of every message, AsyncAPI of where they go.

`python -m meetscribe.apps.serve.schema` writes both files of `published/`, which the package carries and the
server gives out; a
test keeps files, code and events alike. Keys that are not listed may come: newer writers can be read.
Not covered: HTTP answers of other services' shapes.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from meetscribe.apps.serve.messages import Encoding, Role
from meetscribe.events import STATES, By
from meetscribe.formats.wire import VERSION
from meetscribe.session.commands import Action, Name

Json = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Json = {"type": "string"}
_ID: Json = {"type": "string", "minLength": 1}
_COUNT: Json = {"type": "integer", "minimum": 0}
_TIME: Json = {"type": "number", "minimum": 0, "description": "seconds from the start of the meeting"}
_BY: Json = {"enum": list(get_args(By))}
_FLAG: Json = {"type": "boolean"}

OFFLINE = "offline"
"""The message on an MQTT status topic that is no event: the broker's last will, or that the meeting is over."""


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(schema: Json) -> Json:
    return {"type": "array", "items": schema}


def _ref(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}


def _object(required: Json, optional: Json | None = None) -> Json:
    return {"type": "object", "properties": required | (optional or {}), "required": list(required)}


_PARTS: dict[str, Json] = {
    "word": _object(
        {
            "word": _TEXT,
            "start": _TIME,
            "end": _TIME,
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        },
        {"estimated": {"const": True}},
    ),
    "turn": _object(
        {
            "id": _ID,
            "slot": _COUNT,
            "channel": _or_null(_COUNT),
            "speaker_id": _or_null(_ID),
            "speaker": _or_null(_TEXT),
            "start": _TIME,
            "end": _TIME,
            "text": _TEXT,
            "words": _list(_ref("word")),
            "overlaps": _list(_ID),
        },
        {"redacted": {"const": True}},
    ),
    "change": _object(
        {"speaker_id": _ID},
        {
            "speaker": _TEXT,
            "into": _ID,
            "turns": _list(_ID),
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        },
    ),
    "audio": _object(
        {"encoding": {"enum": list(get_args(Encoding))}, "sample_rate": {"type": "integer", "minimum": 8000}},
        {
            "channels": {"type": "integer", "minimum": 1, "maximum": 8},
            "stream": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
            "position": _COUNT,
            "name": _TEXT,
        },
    ),
}

_DURABLE: dict[str, Json] = {
    "session": {"title": _TEXT, "started": _TEXT, "sources": _list(_TEXT), "model": _or_null(_TEXT)},
    "final": {"turn": _ref("turn")},
    "speaker_update": {"changes": _list(_ref("change")), "by": _BY},
    "correction": {"turn": _ID, "text": _TEXT, "by": _BY},
    "gap": {"channel": _or_null(_COUNT), "start": _TIME, "end": _TIME, "reason": _TEXT},
    "bookmark": {"note": _TEXT},
    "off_record": {"start": _TIME, "end": _TIME},
    "status": {"state": {"enum": list(STATES)}, "reason": _or_null(_TEXT)},
    "end": {"reason": _TEXT, "duration": _TIME},
}
_EPHEMERAL: dict[str, Json] = {
    "partial": {"turn": _ref("turn"), "revision": _COUNT, "stable": _COUNT},
    "turn_start": {"turn": _ID, "slot": _COUNT, "start": _TIME},
    "turn_end": {"turn": _ID, "slot": _COUNT, "end": _TIME},
    "level": {"levels": _list({"type": "number", "description": "dBFS"})},
    "lag": {"behind": _TIME},
    "progress": {"done": _TIME, "total": _or_null(_TIME)},
}
_OPTIONAL: dict[str, Json] = {"correction": {"redacted": {"const": True}}}
EVENTS = (*_DURABLE, *_EPHEMERAL)


def _event(name: str) -> Json:
    number = "seq" if name in _DURABLE else "after_seq"
    shared = {
        "type": {"const": name},
        "version": {"const": VERSION},
        "session": _TEXT,
        number: _COUNT,
        "at": _TIME,
    }
    return _object(shared | (_DURABLE | _EPHEMERAL)[name], _OPTIONAL.get(name))


def _messages() -> dict[str, Json]:
    """Return the messages that are no events, by the names of their definitions."""
    version = {"const": VERSION}
    greeting = {"type": {"const": "hello"}, "version": version}
    stream = _object({"stream": _or_null(_TEXT), "position": _COUNT, "channel": _COUNT})
    command = {"type": {"const": "command"}, "name": {"enum": list(get_args(Name))}}
    fields = dict.fromkeys(("id", "speaker_id", "speaker", "into", "turn", "text", "note"), _TEXT)
    fields |= {
        "seconds": {"type": "number", "exclusiveMinimum": 0},
        "action": {"enum": list(get_args(Action))},
    }
    return {
        "hello": _object(
            greeting | {"role": {"enum": list(get_args(Role))}},
            {
                "after_seq": _or_null(_COUNT),
                "token": _TEXT,
                "title": _TEXT,
                "hotwords": _list(_TEXT),
                "audio": _ref("audio"),
            },
        ),
        "welcome": _object(
            greeting
            | {"session": _ID, "seq": _COUNT, "live": _FLAG, "snapshot": _or_null({"type": "object"})},
            {"role": _TEXT, "audio": _or_null(stream)},
        ),
        "command": _object(command, fields),
        "ack": _object({"type": {"const": "ack"}, "id": _TEXT, "seq": _COUNT}),
        "error": _object(
            {"type": {"const": "error"}, "id": _or_null(_TEXT), "code": _TEXT, "message": _TEXT},
            {"version": version},
        ),
        "audio_ack": _object(
            {
                "type": {"const": "audio_ack"},
                "version": version,
                "session": _ID,
                "stream": _ID,
                "position": _COUNT,
            }
        ),
        "bye": _object({"type": {"const": "bye"}}),
        OFFLINE: _object(
            {
                "type": {"const": "status"},
                "version": version,
                "session": _ID,
                "state": {"enum": [OFFLINE, "stopped"]},
                "reason": _or_null(_TEXT),
            }
        ),
    }


def json_schema() -> Json:
    """Return the schema of every message; `#/$defs/NAME` is that of one."""
    definitions = _PARTS | {name: _event(name) for name in EVENTS} | _messages()
    names = [name for name in definitions if name not in _PARTS]
    return {
        "$schema": _DIALECT,
        "$id": "urn:meetscribe:messages:1",
        "title": "Messages of meetscribe, version 1",
        "anyOf": [_ref(name) for name in names],
        "$defs": definitions,
    }


def asyncapi() -> Json:
    """Return where messages go: WebSocket and MQTT, as AsyncAPI 3."""
    from_server = (*EVENTS, "welcome", "ack", "error", "audio_ack")
    durable = tuple(name for name in _DURABLE if name != "final")
    channels = {
        "meeting": (
            "/ws/{session}",
            (*from_server, "hello", "command", "bye"),
            "WebSocket; binary frames are audio",
        ),
        "status": ("{base}/{session}/status", ("status", OFFLINE), "MQTT, QoS 1, retained"),
        "partial": ("{base}/{session}/partial", ("partial",), "MQTT, QoS 0"),
        "final": ("{base}/{session}/final", ("final",), "MQTT, QoS 1"),
        "event": ("{base}/{session}/event", durable, "MQTT, QoS 1"),
        "command": ("{base}/{session}/command", ("command",), "MQTT, to the server"),
        "answer": ("{base}/{session}/answer", ("ack", "error"), "MQTT, QoS 1"),
    }
    listed = {
        key: {
            "address": address,
            "description": about,
            "parameters": {name: {} for name in ("base", "session") if f"{{{name}}}" in address},
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        }
        for key, (address, names, about) in channels.items()
    }
    definitions = json_schema()["$defs"]
    spoken = [name for name in definitions if name not in _PARTS]
    schemas = json.loads(json.dumps(definitions).replace("#/$defs/", "#/components/schemas/"))
    messages = {name: {"name": name, "payload": {"$ref": f"#/components/schemas/{name}"}} for name in spoken}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "meetscribe", "version": str(VERSION)},
        "defaultContentType": "application/json",
        "channels": listed,
        "operations": _operations(channels, set(from_server)),
        "components": {"schemas": schemas, "messages": messages},
    }


def _operations(channels: dict[str, tuple[str, tuple[str, ...], str]], from_server: set[str]) -> Json:
    """Return what the server sends and receives on each channel."""
    made: Json = {}
    for key, (_, names, _about) in channels.items():
        for action in ("send", "receive"):
            ours = from_server | {OFFLINE}
            chosen = [name for name in names if (name in ours) == (action == "send")]
            if chosen:
                references = [{"$ref": f"#/channels/{key}/messages/{name}"} for name in chosen]
                channel = {"$ref": f"#/channels/{key}"}
                made[f"{action}_{key}"] = {"action": action, "channel": channel, "messages": references}
    return made


PUBLISHED = {"schema.json": json_schema, "asyncapi.json": asyncapi}


def published(name: str) -> str:
    """Return one of the files that the package carries."""
    return (files("meetscribe") / "apps" / "serve" / "published" / name).read_text(encoding="utf-8")


def _write() -> None:
    folder = Path(__file__).parent / "published"
    for name, make in PUBLISHED.items():
        (folder / name).write_text(json.dumps(make(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write()
