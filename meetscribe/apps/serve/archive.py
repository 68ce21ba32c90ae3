"""Where a server's meetings are kept, behind one small interface: the hub does not care whether there is a disk.

Not covered: how logs and recordings are written (`store/`, `session/recorder.py`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from meetscribe.errors import InputError
from meetscribe.events import DurableEvent, Session, numbered
from meetscribe.formats.wire import Json
from meetscribe.meeting import Meeting, fold
from meetscribe.session.commands import Ack, Command, decided
from meetscribe.session.log import MemoryLog
from meetscribe.session.ports import EventLog, Recorder
from meetscribe.timeline import to_seconds


class UnknownMeetingError(InputError):
    """There is no meeting of this name."""


@dataclass(frozen=True)
class Kept:
    """Where one meeting is written: its log, its audio, and who its inputs are (None: not kept)."""

    log: EventLog
    recorder: "SafeRecorder | None" = None
    register: Path | None = None


class SafeRecorder(Recorder, Protocol):
    """A recorder that says what would survive a power cut."""

    @property
    def synced(self) -> int:
        """Return the position up to which audio is on the disk."""
        ...


class Recording(Protocol):
    """The audio of one meeting, to be listened to."""

    @property
    def channels(self) -> int:
        """Return how many channels there are."""
        ...

    def read(self, channel: int, start: int, end: int) -> NDArray[np.float32]:
        """Return samples of one channel; what was not kept is silence."""
        ...


class Archive(Protocol):
    """The meetings of a server, those that go on and those of the past."""

    def new_id(self, started: datetime, title: str) -> str:
        """Return a name that no meeting has."""
        ...

    def begin(self, start: Session, channels: int) -> Kept:
        """Make room for a new meeting."""
        ...

    def find(self, name: str) -> str:
        """Return the id of a meeting of the past: its own, a unique prefix, or `last`.

        Raises:
            UnknownMeetingError: there is none.
        """
        ...

    def log(self, meeting: str) -> Sequence[DurableEvent]:
        """Return the events of a meeting."""
        ...

    def summaries(self) -> Sequence[Json]:
        """Return what `/api/sessions` says of all meetings, newest first."""
        ...

    def recording(self, meeting: str) -> "Recording | None":
        """Return the audio of a meeting, None where none was kept."""
        ...

    def command(self, meeting: str, command: Command) -> Ack:
        """Carry out a command on a meeting of the past.

        Raises:
            CommandError: it cannot be carried out.
        """
        ...


def slug(title: str) -> str:
    """Return what of a title may stand in a meeting's id."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "meeting"


def summary(meeting: Meeting, *, running: bool) -> Json:
    """Return what `/api/sessions` says of a meeting."""
    start = meeting.session
    return {
        "id": meeting.id,
        "title": start.title if start else "",
        "started": start.started if start else "",
        "state": "stopped"
        if meeting.end or not running
        else (meeting.status.state if meeting.status else "listening"),
        "running": running,
        "duration": to_seconds(meeting.duration),
        "seq": meeting.seq,
        "listeners": 0,
        "inputs": 0,
    }


class MemoryArchive:
    """Meetings that last as long as the process, without their audio."""

    def __init__(self) -> None:
        self._logs: dict[str, MemoryLog] = {}

    def new_id(self, started: datetime, title: str) -> str:
        """Return the date and the title, and a number where that is taken."""
        name = f"{started:%Y-%m-%d}-{slug(title)}"
        number = 2
        while (chosen := name if number == 2 else f"{name}-{number - 1}") in self._logs:
            number += 1
        return chosen

    def begin(self, start: Session, channels: int) -> Kept:
        """Make a log in memory."""
        del channels
        self._logs[start.session] = log = MemoryLog()
        return Kept(log)

    def find(self, name: str) -> str:
        """Return the id of a meeting."""
        if name == "last" and self._logs:
            return list(self._logs)[-1]
        matching = [name] if name in self._logs else [id for id in self._logs if id.startswith(name)]
        if len(matching) != 1 or not name:
            raise UnknownMeetingError(f"there is no meeting {name[:60]!r}")
        return matching[0]

    def log(self, meeting: str) -> Sequence[DurableEvent]:
        """Return the events of a meeting."""
        return self._logs[meeting].since(0)

    def summaries(self) -> Sequence[Json]:
        """Return what `/api/sessions` says of all meetings, newest first."""
        return [summary(fold(log.since(0)), running=False) for log in reversed(self._logs.values())]

    def recording(self, meeting: str) -> "Recording | None":
        """Return nothing: no audio is kept."""

    def command(self, meeting: str, command: Command) -> Ack:
        """Carry out a command on a meeting that has ended."""
        log = self._logs[meeting]
        known = fold(log.since(0))
        event = decided(command, known, known.duration)
        made = numbered(event, meeting, known.seq)
        assert isinstance(made, DurableEvent)
        log.append(made)
        return Ack(command.id, made.seq)
