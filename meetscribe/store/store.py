"""The store: all meetings of a data folder.

`DATA/meetscribe.sqlite3` holds the logs, `DATA/meetings/<id>/` the recordings. Several processes may use one folder.
Not covered: what people remember of voices, and encryption.
"""

import re
import shutil
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import IntegrityError
from typing import Literal

from meetscribe.errors import InputError, StorageError, UsageError
from meetscribe.events import DurableEvent, Session
from meetscribe.meeting import Meeting, fold
from meetscribe.store import index, log
from meetscribe.store.database import Database
from meetscribe.store.index import Hit
from meetscribe.store.log import FolderLock, SqliteLog, is_locked

MeetingState = Literal["ended", "open", "recovering"]
_LAST = "last"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SUMMARY = """SELECT id, title, started, duration, seq, ended,
        (SELECT count(*) FROM turns WHERE turns.meeting = meetings.number),
        (SELECT group_concat(speaker, char(0)) FROM (
            SELECT speaker FROM turns WHERE turns.meeting = meetings.number
            GROUP BY speaker ORDER BY min(start), speaker))
    FROM meetings"""


@dataclass(frozen=True)
class MeetingSummary:
    """What a list says about a meeting; `duration` in samples.

    `state`: `ended`; `open` while somebody records it; `recovering` when it was interrupted and is not finished.
    """

    id: str
    title: str
    started: str
    duration: int
    speakers: tuple[str, ...]
    turns: int
    seq: int
    state: MeetingState


class Store:
    """The meetings in `data_dir`, which is made if it is not there.

    Raises:
        StorageError: the folder cannot be used.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        try:
            self._recordings.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageError(
                f"{self._recordings}: it cannot be made ({error.strerror}); choose another --data-dir"
            ) from error
        self._database = Database(data_dir / "meetscribe.sqlite3")
        self._finish_duties()

    @property
    def _recordings(self) -> Path:
        return self.data_dir / "meetings"

    def close(self) -> None:
        """Close the database; logs of this store are of no more use."""
        self._database.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def folder(self, meeting_id: str) -> Path:
        """Return where a meeting's recordings lie; the folder exists while it is recorded."""
        return self._recordings / meeting_id

    def new_meeting_id(self, started: datetime, title: str) -> str:
        """Return an id that no other meeting has, such as `2026-11-22-standup`, and keep it for the caller."""
        stem = f"{started:%Y-%m-%d}-{_slug(title) or 'meeting'}"
        for count in range(1, 10_000):
            meeting_id = stem if count == 1 else f"{stem}-{count}"
            if self._database.rows("SELECT 1 FROM meetings WHERE id = ?", (meeting_id,)):
                continue
            try:
                self.folder(meeting_id).mkdir(mode=0o700)
            except FileExistsError:
                continue
            return meeting_id
        raise InputError(f"there are too many meetings called {stem!r}; give another --title")

    def begin(self, start: Session) -> SqliteLog:
        """Return the log of a new meeting, still empty: `start` is its first event, which the session appends.

        Raises:
            InputError: there is such a meeting, or its id cannot be one.
        """
        if not _ID.fullmatch(start.session) or start.session == _LAST:
            raise InputError(
                f"{start.session!r} cannot be a meeting's id; use up to 100 letters, digits, '.', '_', '-'"
            )
        lock = FolderLock(self.folder(start.session))
        try:
            with self._database.writing() as connection:
                cursor = connection.execute(
                    "INSERT INTO meetings (id, title, started, moment) VALUES (?, ?, ?, ?)",
                    (start.session, start.title, start.started, _moment(start.started)),
                )
            assert cursor.lastrowid is not None
            return SqliteLog(self._database, cursor.lastrowid, start.session, lock)
        except IntegrityError as error:
            lock.release()
            raise InputError(f"there is a meeting {start.session!r} already; choose another id") from error
        except BaseException:
            lock.release()
            raise

    def resume(self, meeting_id: str) -> SqliteLog:
        """Return the log of a meeting that goes on: what is appended follows what is there.

        Raises:
            InputError: there is no such meeting, or another process records it.
        """
        number = self._number(meeting_id)
        return SqliteLog(self._database, number, meeting_id, FolderLock(self.folder(meeting_id)))

    def meetings(self) -> list[MeetingSummary]:
        """Return all meetings, the newest first."""
        return [self._summary(row) for row in self._database.rows(f"{_SUMMARY} ORDER BY moment DESC, id")]

    def summary(self, meeting_id: str) -> MeetingSummary:
        """Return what a list says about one meeting.

        Raises:
            InputError: there is no such meeting.
        """
        number = self._number(meeting_id)
        return self._summary(self._database.rows(f"{_SUMMARY} WHERE number = ?", (number,))[0])

    def unfinished(self) -> list[MeetingSummary]:
        """Return the meetings that were interrupted and that nobody records, the newest first."""
        return [meeting for meeting in self.meetings() if meeting.state == "recovering"]

    def _summary(self, row: tuple) -> MeetingSummary:
        meeting_id, title, started, duration, seq, ended, turns, speakers = row
        state: MeetingState = "ended"
        if not ended:
            state = "open" if is_locked(self.folder(meeting_id)) else "recovering"
        shown = tuple(speakers.split("\0")) if speakers else ()
        return MeetingSummary(meeting_id, title, started, duration, shown, turns, seq, state)

    def find(self, text: str) -> str:
        """Return the id of the meeting that `text` means: an id, a beginning that only one has, or `last`.

        Raises:
            InputError: no meeting is meant, or several are.
        """
        rows = self._database.rows("SELECT id FROM meetings ORDER BY moment DESC, number DESC")
        ids = [meeting_id for (meeting_id,) in rows]
        if text == _LAST and ids:
            return ids[0]
        if text in ids:
            return text
        matching = [meeting_id for meeting_id in ids if text and meeting_id.startswith(text)]
        if len(matching) == 1:
            return matching[0]
        if matching:
            some = ", ".join(matching[:5]) + (", …" if len(matching) > 5 else "")
            raise UsageError(f"{text!r} may mean {some}; give more of the id")
        raise InputError(f"there is no meeting {text!r}; `meetscribe list` shows those there are")

    def log(self, meeting_id: str) -> list[DurableEvent]:
        """Return the events of a meeting; turns hold ids of speakers alone.

        Raises:
            InputError: there is no such meeting.
        """
        return log.read(self._database, self._number(meeting_id))

    def meeting(self, meeting_id: str) -> Meeting:
        """Return a meeting as its log makes it.

        Raises:
            InputError: there is no such meeting.
        """
        return fold(self.log(meeting_id))

    def search(self, words: str, limit: int = 50, marks: tuple[str, str] = ("", "")) -> list[Hit]:
        """Return the turns that hold all the words, of the newest meeting first, then by time.

        "…" is a phrase, `word*` the beginning of a word; capitals and accents do not matter.
        `marks` stand before and after each match in the snippets.

        Raises:
            UsageError: there is no word to search for.
        """
        rows = self._database.rows(index.SEARCH, (*marks, index.query(words), limit))
        return [Hit(*row) for row in rows]

    def delete(self, meeting_id: str) -> None:
        """Delete a meeting and its recordings, so that no file of the store holds anything of it.

        Raises:
            InputError: there is no such meeting, or it is being recorded.
            StorageError: another process does not let go; the rest is done when the store is opened next.
        """
        number = self._number(meeting_id)
        lock = FolderLock(self.folder(meeting_id))
        try:
            with self._database.writing() as connection:
                connection.execute("DELETE FROM turns WHERE meeting = ?", (number,))
                connection.execute("DELETE FROM meetings WHERE number = ?", (number,))
                duties = [("scrub", ""), ("remove", meeting_id)]
                connection.executemany("INSERT OR IGNORE INTO duties (duty, folder) VALUES (?, ?)", duties)
            done = self._finish_duties()
        finally:
            lock.release()
        if not done:
            raise StorageError(
                f"{meeting_id!r} is out of every list, but another meetscribe keeps its traces in the files; "
                "they go when that one has ended and any command is run"
            )

    def _finish_duties(self) -> bool:
        """Do what a deletion or redaction left to be done, also one of a process that died."""
        duties = self._database.rows("SELECT duty, folder FROM duties")
        for duty, folder in duties:
            if duty == "remove":
                self._remove(folder)
        return not duties or self._database.scrub()

    def _remove(self, folder: str) -> None:
        try:
            shutil.rmtree(self._recordings / folder)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise StorageError(
                f"{self._recordings / folder}: it cannot be deleted ({error.strerror}); delete it by hand"
            ) from error
        with self._database.writing() as connection:
            connection.execute("DELETE FROM duties WHERE duty = 'remove' AND folder = ?", (folder,))

    def _number(self, meeting_id: str) -> int:
        rows = self._database.rows("SELECT number FROM meetings WHERE id = ?", (meeting_id,))
        if not rows:
            raise InputError(f"there is no meeting {meeting_id!r}; `meetscribe list` shows those there are")
        return rows[0][0]


def _slug(title: str) -> str:
    """Return a title as part of a file's name: ASCII letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")


def _moment(started: str) -> float:
    """Return an ISO 8601 time as seconds since 1970, 0 where it is none; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(started)
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
