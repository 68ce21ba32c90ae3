"""Meetings in the store: an `Archive` on disk, and what a killed server left behind.

Not covered: meetings of other programs (`meetscribe live`): their interrupted ones are for `meetscribe recover`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from meetscribe.apps.serve.archive import Kept, Recording, UnknownMeetingError
from meetscribe.errors import InputError
from meetscribe.events import DurableEvent, Session
from meetscribe.formats.wire import Json
from meetscribe.meeting import fold
from meetscribe.session.commands import Ack, Command
from meetscribe.session.ports import EventLog
from meetscribe.session.recorder import FileRecorder
from meetscribe.session.recorder import Recording as DiskRecording
from meetscribe.store.store import Store
from meetscribe.store.summary import MeetingSummary
from meetscribe.timeline import to_seconds

REGISTER = "inputs.json"
"""The file in a meeting's folder that says whose audio it hears; only a server's meetings have it."""


class StoreArchive:
    """The meetings of a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._store = Store(data_dir)

    def new_id(self, started: datetime, title: str) -> str:
        """Return a name that no meeting has."""
        return self._store.new_meeting_id(started, title)

    def begin(self, start: Session, channels: int) -> Kept:
        """Make room for a new meeting."""
        log = self._store.begin(start)
        return self._kept(log, start.session, channels)

    def interrupted(self) -> Iterator[tuple[Session, Path]]:
        """Give the meetings that a server was holding when it was killed, and who their inputs were."""
        for one in self._store.unfinished():
            register = self._store.folder(one.id) / REGISTER
            if register.exists():
                yield self._start(one), register

    def resume(self, start: Session, channels: int) -> Kept:
        """Open a meeting that goes on.

        Raises:
            InputError: another process holds it.
        """
        return self._kept(self._store.resume(start.session), start.session, channels)

    def find(self, name: str) -> str:
        """Return the id of a meeting of the past."""
        try:
            return self._store.find(name)
        except InputError as error:
            raise UnknownMeetingError(str(error)) from error

    def log(self, meeting: str) -> Sequence[DurableEvent]:
        """Return the events of a meeting."""
        return self._store.log(meeting)

    def since(self, meeting: str, seq: int) -> list[DurableEvent]:
        """Return the events of a meeting with a higher number."""
        return [event for event in self._store.log(meeting) if event.seq > seq]

    def summaries(self) -> Sequence[Json]:
        """Return what `/api/sessions` says of all meetings, newest first."""
        return [_summary(one) for one in self._store.meetings()]

    def recording(self, meeting: str) -> Recording | None:
        """Return the audio of a meeting, None where none was kept."""
        recording = DiskRecording(self._store.folder(meeting))
        return recording if recording.channels else None

    def command(self, meeting: str, command: Command) -> Ack:
        """Carry out a command on a meeting of the past."""
        return self._store.command(meeting, command)

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _kept(self, log: EventLog, meeting: str, channels: int) -> Kept:
        folder = self._store.folder(meeting)
        return Kept(log, FileRecorder(folder, channels), folder / REGISTER)

    def _start(self, one: MeetingSummary) -> Session:
        start = fold(self._store.log(one.id)).session
        return start or Session(session=one.id, title=one.title, started=one.started)


def _summary(one: MeetingSummary) -> Json:
    return {
        "id": one.id,
        "title": one.title,
        "started": one.started,
        "state": {"ended": "stopped", "open": "listening", "recovering": "recovering"}[one.state],
        "running": False,
        "duration": to_seconds(one.duration),
        "seq": one.seq,
        "listeners": 0,
        "inputs": 0,
    }
