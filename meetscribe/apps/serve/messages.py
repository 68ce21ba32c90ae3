"""What a native client may say, as frozen values, and what it is answered, as JSON. Pure.

Reading is strict about what it uses and blind to what it does not know, so that newer clients can talk to this server.
Not covered: events (`formats/wire.py`), commands (`session/commands.py`), who may connect (`access.py`).
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

from meetscribe.errors import InputError
from meetscribe.formats.wire import VERSION, Json
from meetscribe.lm.hotwords import usable, what_is_wrong
from meetscribe.session import commands

Role = Literal["listen", "audio", "both"]
Encoding = Literal["pcm_s16le", "opus"]

NORMAL, GOING_AWAY, PROTOCOL_ERROR, POLICY, TOO_BIG, INTERNAL, TRY_LATER = (
    1000,
    1001,
    1002,
    1008,
    1009,
    1011,
    1013,
)

LONGEST_TEXT = 64 * 1024  # characters of a text message
LOWEST_RATE, HIGHEST_RATE, MOST_CHANNELS = 8_000, 192_000, 8
OPUS_RATE, OPUS_CHANNELS = 48_000, 2
LONGEST_TITLE = 200
MOST_HOTWORDS = 200
_STREAM = re.compile(r"[A-Za-z0-9_-]{8,64}")


class MessageError(InputError):
    """A message that cannot be used; `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class AudioFormat:
    """How a client's audio comes.

    `stream` names it across reconnects (None: it cannot be resumed, and frames have no position); `position` is the
    oldest sample per channel, at `sample_rate`, that the client still has; `name` is what people read.
    """

    encoding: Encoding
    sample_rate: int
    channels: int
    stream: str | None = None
    position: int = 0
    name: str = ""


@dataclass(frozen=True)
class Hello:
    """A client's first message; `after_seq` None asks for a snapshot instead of the past.

    `hotwords` are listened for in the meeting that its audio begins.
    """

    version: Any
    role: Role
    after_seq: int | None
    token: str | None
    audio: AudioFormat | None
    title: str = ""
    hotwords: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bye:
    """The client's audio is over."""


Message = Hello | Bye | commands.Command


def parse(text: str) -> Message:
    """Return what a text message says.

    Raises:
        MessageError: it is no JSON object, of an unknown type, or a field is wrong.
        CommandError: it is a command that does not exist, or its fields are wrong.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MessageError("bad_json", "this is not JSON; every text message is one JSON object") from error
    if not isinstance(value, dict):
        raise MessageError("bad_json", "every text message is one JSON object with a `type`")
    match value.get("type"):
        case "hello":
            return _hello(value)
        case "command":
            return commands.parse(value)
        case "bye":
            return Bye()
        case other:
            known = "hello, command, bye"
            raise MessageError(
                "unknown_type", f"{str(other)[:60]!r} is not a type of message; known are {known}"
            )


def _hello(value: Json) -> Hello:
    role = value.get("role", "listen")
    if role not in get_args(Role):
        raise _bad("role", "one of listen, audio, both")
    after = value.get("after_seq")
    audio = value.get("audio")
    if role != "listen" and audio is None:
        raise _bad("audio", f"an object, as the role is {role!r}")
    return Hello(
        version=value.get("version"),
        role=role,
        after_seq=None if after is None else _whole(value, "after_seq", 0, 1 << 53),
        token=_text(value, "token", 4096) or None,
        audio=None if audio is None or role == "listen" else _audio(audio),
        title=_text(value, "title", LONGEST_TITLE),
        hotwords=_hotwords(value.get("hotwords")),
    )


def _hotwords(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MOST_HOTWORDS:
        raise _bad("hotwords", f"a list of at most {MOST_HOTWORDS} phrases")
    for phrase in value:
        wrong = what_is_wrong(phrase) if isinstance(phrase, str) else "every phrase is a text"
        if wrong is not None:
            raise _bad("hotwords", f"phrases that can be listened for; {wrong}")
    return usable(value)


def _audio(value: Any) -> AudioFormat:
    if not isinstance(value, dict):
        raise _bad("audio", "an object")
    encoding = value.get("encoding", "pcm_s16le")
    if encoding not in get_args(Encoding):
        raise _bad("audio.encoding", "one of pcm_s16le, opus")
    stream = value.get("stream")
    if stream is not None and not (isinstance(stream, str) and _STREAM.fullmatch(stream)):
        raise _bad("audio.stream", "8 to 64 letters, digits, - and _")
    opus = encoding == "opus"
    lowest, highest = (OPUS_RATE, OPUS_RATE) if opus else (LOWEST_RATE, HIGHEST_RATE)
    return AudioFormat(
        encoding=encoding,
        sample_rate=_whole(value, "sample_rate", lowest, highest),
        channels=_whole({"channels": 1} | value, "channels", 1, OPUS_CHANNELS if opus else MOST_CHANNELS),
        stream=stream,
        position=_whole({"position": 0} | value, "position", 0, 1 << 53),
        name=_text(value, "name", LONGEST_TITLE),
    )


def _bad(field: str, wanted: str) -> MessageError:
    return MessageError("bad_field", f"`{field}` must be {wanted}")


def _whole(value: Json, field: str, lowest: int, highest: int) -> int:
    number = value.get(field)
    if isinstance(number, bool) or not isinstance(number, int) or not lowest <= number <= highest:
        raise _bad(field, f"a whole number from {lowest} to {highest}" if lowest < highest else f"{lowest}")
    return number


def _text(value: Json, field: str, longest: int) -> str:
    text = value.get(field)
    if text is None:
        return ""
    if not isinstance(text, str) or len(text) > longest:
        raise _bad(field, f"a text of at most {longest} characters")
    return text


def error_json(code: str, message: str, command: str | None = None) -> Json:
    """Return an `error` message; `command` is the id of the command that it answers."""
    return {"type": "error", "version": VERSION, "id": command, "code": code, "message": message}


def audio_ack_json(session: str, stream: str, position: int) -> Json:
    """Return an `audio_ack`: all of a stream before this sample (per channel, at its rate) is safe on disk."""
    about = {"type": "audio_ack", "version": VERSION, "session": session}
    return about | {"stream": stream, "position": position}
