"""What people ask of a meeting: commands as they come in, checked, and the answers to them.

The same from every surface: keys, sockets, MQTT, and `meetscribe` on a meeting of the past. `decided` makes the event
of a command that changes only the log (`rename`, `merge`, `correct`, `bookmark`); the others need a running session.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

from meetscribe.errors import MeetscribeError
from meetscribe.events import Bookmark, Change, Correction, DurableEvent, SpeakerUpdate
from meetscribe.meeting import Meeting

LONGEST_TEXT = 10_000  # characters of a text, a name or a note
_MOST_SECONDS = 24 * 3600.0

Name = Literal["rename", "merge", "correct", "pause", "resume", "bookmark", "off_record", "stop"]
Action = Literal["start", "stop"]


@dataclass(frozen=True)
class Command:
    """One command; which fields it has depends on its name.

    `rename`: speaker, and speaker_id or a turn whose speaker is meant. `merge`: speaker_id, into.
    `correct`: turn, text. `bookmark`: note. `off_record`: seconds back, or action.
    """

    id: str
    name: Name
    speaker_id: str | None = None
    speaker: str | None = None
    into: str | None = None
    turn: str | None = None
    text: str | None = None
    note: str = ""
    seconds: float | None = None
    action: Action | None = None


@dataclass(frozen=True)
class Ack:
    """The command was carried out; `seq` is the event that came of it."""

    id: str
    seq: int


class CommandError(MeetscribeError):
    """A command cannot be carried out; `code` is for programs, the message for people."""

    exit_code = 2

    def __init__(self, code: str, message: str, id: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.id = code, message, id


_NEEDS: dict[str, tuple[str, ...]] = {
    "rename": ("speaker",),
    "merge": ("speaker_id", "into"),
    "correct": ("turn", "text"),
    "pause": (),
    "resume": (),
    "bookmark": (),
    "off_record": (),
    "stop": (),
}
_TAKES = {"rename": ("speaker_id", "turn"), "bookmark": ("note",), "off_record": ("seconds", "action")}


def parse(value: Any) -> Command:
    """Return the command of a JSON object.

    Raises:
        CommandError: `bad_command` (no object, no name), `unknown_command` or `bad_field`.
    """
    if not isinstance(value, dict) or value.get("type", "command") != "command":
        raise CommandError("bad_command", 'a command is a JSON object with "type": "command"')
    id = value.get("id", "")
    if not isinstance(id, str) or len(id) > 200:
        raise CommandError("bad_field", "the id of a command is a text of at most 200 characters")
    name = value.get("name")
    if not isinstance(name, str) or name not in _NEEDS:
        known = ", ".join(_NEEDS)
        raise CommandError("unknown_command", f"{str(name)[:60]!r} is no command; known are {known}", id)
    fields: dict[str, Any] = {}
    for field in (*_NEEDS[name], *_TAKES.get(name, ())):
        if value.get(field) is not None:
            fields[field] = _checked(field, value[field], id)
        elif field in _NEEDS[name]:
            raise CommandError("bad_field", f"{name!r} needs {field!r}", id)
    if name == "rename" and ("speaker_id" in fields) == ("turn" in fields):
        raise CommandError("bad_field", "'rename' needs either 'speaker_id' or 'turn'", id)
    if name == "off_record" and ("seconds" in fields) == ("action" in fields):
        raise CommandError("bad_field", "'off_record' needs either 'seconds' or 'action' (start, stop)", id)
    return Command(id=id, name=name, **fields)  # type: ignore[arg-type]


def _checked(field: str, value: Any, id: str) -> Any:
    """Return the value of a field, texts without space around them."""
    if field == "seconds":
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not good or not 0 < value <= _MOST_SECONDS:
            raise CommandError("bad_field", "'seconds' is a number above 0, at most a day", id)
        return float(value)
    if field == "action":
        if value not in ("start", "stop"):
            raise CommandError("bad_field", "'action' is 'start' or 'stop'", id)
        return value
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise CommandError("bad_field", f"{field!r} is a text of at most {LONGEST_TEXT} characters", id)
    value = " ".join(value.split())
    if not value and field != "note":
        raise CommandError("bad_field", f"{field!r} is empty", id)
    return value


def decided(command: Command, meeting: Meeting, at: int) -> DurableEvent:
    """Return the event of a command that changes only the log.

    Args:
        command: `rename`, `merge`, `correct` or `bookmark`.
        meeting: what it is about.
        at: the meeting time.

    Raises:
        CommandError: it names what the meeting does not have, or needs a meeting that is going on.
    """
    match command.name:
        case "rename":
            return SpeakerUpdate(at=at, changes=(_renamed(command, meeting),), by="person")
        case "merge":
            speaker, into = _speaker(command, meeting, command.speaker_id), command.into
            into = _speaker(command, meeting, into)
            if meeting.resolve(speaker) == meeting.resolve(into):
                raise CommandError("bad_field", f"{speaker} and {into} are the same already", command.id)
            return SpeakerUpdate(at=at, changes=(Change(speaker, into=into),), by="person")
        case "correct":
            turn = _turn(command, meeting)
            return Correction(at=at, turn=turn, text=command.text or "")
        case "bookmark":
            return Bookmark(at=at, note=command.note)
    raise CommandError("not_running", f"{command.name!r} needs a meeting that is going on", command.id)


def _renamed(command: Command, meeting: Meeting) -> Change:
    """Return the change of a rename; a turn whose speaker nobody knows gets a new one."""
    if command.speaker_id is not None:
        return Change(_speaker(command, meeting, command.speaker_id), speaker=command.speaker)
    turn = _turn(command, meeting)
    known = next(one.speaker_id for one in meeting.turns if one.id == turn)
    if known is not None:
        return Change(known, speaker=command.speaker)
    numbers = [int(speaker[1:]) for speaker in meeting.speakers if speaker[1:].isdecimal()]
    return Change(f"s{max(numbers, default=0) + 1}", speaker=command.speaker, turns=(turn,))


def _speaker(command: Command, meeting: Meeting, speaker: str | None) -> str:
    known = {turn.speaker_id for turn in meeting.heard.values()} | set(meeting.speakers)
    if speaker is None or (speaker not in known and speaker not in meeting.merges):
        there = ", ".join(meeting.speakers) or "none yet"
        message = f"there is no speaker {str(speaker)[:60]!r} in this meeting; there are: {there}"
        raise CommandError("unknown_speaker", message, command.id)
    return speaker


def _turn(command: Command, meeting: Meeting) -> str:
    turn = meeting.heard.get(command.turn or "")
    if turn is None:
        message = f"there is no finished turn {str(command.turn)[:60]!r} in this meeting"
        raise CommandError("unknown_turn", message, command.id)
    hidden = any(turn.interval.touches(off) for off in meeting.off_record)
    if turn.redacted or hidden:
        message = f"turn {turn.id} is off the record: there is nothing to change"
        raise CommandError("off_record", message, command.id)
    return turn.id


def ack_json(ack: Ack) -> dict[str, Any]:
    """Return the answer to a command that was carried out."""
    return {"type": "ack", "id": ack.id, "seq": ack.seq}


def error_json(error: CommandError, id: str = "") -> dict[str, Any]:
    """Return the answer to a command that was not."""
    return {"type": "error", "id": error.id or id, "code": error.code, "message": error.message}
