"""The store: all meetings of a data folder.

`DATA/meetscribe.sqlite3` holds the logs, `DATA/meetings/<id>/` the recordings. Several processes may use one folder.
Not covered: what people remember of voices, and encryption.
"""

import shutil
import weakref
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from sqlite3 import IntegrityError

from meetscribe.errors import InputError, StorageError
from meetscribe.events import DurableEvent, Session, numbered
from meetscribe.meeting import Meeting, fold
from meetscribe.session.commands import Ack, Command, CommandError, decided
from meetscribe.store import corrections, ids, index, log
from meetscribe.store.database import Database
from meetscribe.store.index import Hit
from meetscribe.store.lock import FolderLock
from meetscribe.store.log import SqliteLog
from meetscribe.store.summary import MeetingSummary, summaries


class Store:
    """The meetings in `data_dir`, which is made if it is not there.

    Raises:
        StorageError: the folder cannot be used.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        try:
            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._recordings.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageError(
                f"{self._recordings}: it cannot be made ({error.strerror}); choose another --data-dir"
            ) from error
        self._database = Database(data_dir / "meetscribe.sqlite3")
        self._held: weakref.WeakSet[FolderLock] = weakref.WeakSet()  # by the logs of this store
        self._finish_duties()

    @property
    def _recordings(self) -> Path:
        return self.data_dir / "meetings"

    def close(self) -> None:
        """Close the database; logs of this store are of no more use, and others may have their meetings."""
        for lock in list(self._held):
            lock.release()
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
        stem = ids.stem(started, title)
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
        ids.check(start.session)
        lock = FolderLock(self.folder(start.session))
        try:
            with self._database.writing() as connection:
                cursor = connection.execute(
                    "INSERT INTO meetings (id, title, started, moment) VALUES (?, ?, ?, ?)",
                    (start.session, start.title, start.started, ids.moment(start.started)),
                )
            assert cursor.lastrowid is not None
            return self._log(cursor.lastrowid, start.session, lock)
        except IntegrityError as error:
            lock.release()
            raise InputError(f"there is a meeting {start.session!r} already; choose another id") from error
        except BaseException:
            lock.release()
            raise

    def resume(self, meeting_id: str) -> SqliteLog:
        """Return the log of a meeting that goes on: what is appended follows what is there.

        A process that died before the first event left the title and the start, of which that event is made.

        Raises:
            InputError: there is no such meeting, or another process records it.
        """
        number = self._number(meeting_id)
        kept = self._log(number, meeting_id, FolderLock(self.folder(meeting_id)))
        if kept.meeting.session is None:
            one = self.summary(meeting_id)
            kept.append(Session(session=meeting_id, seq=1, title=one.title, started=one.started))
        return kept

    def _log(self, number: int, meeting_id: str, lock: FolderLock) -> SqliteLog:
        self._held.add(lock)
        return SqliteLog(self._database, number, meeting_id, lock)

    def meetings(self) -> list[MeetingSummary]:
        """Return all meetings, the newest first."""
        return summaries(self._database, self._recordings)

    def summary(self, meeting_id: str) -> MeetingSummary:
        """Return what a list says about one meeting.

        Raises:
            InputError: there is no such meeting.
        """
        return summaries(self._database, self._recordings, "number = ?", (self._number(meeting_id),))[0]

    def unfinished(self) -> list[MeetingSummary]:
        """Return the meetings that were interrupted and that nobody records, the newest first."""
        left = summaries(self._database, self._recordings, "NOT ended")
        return [meeting for meeting in left if meeting.state == "recovering"]

    def write_anew(self, meeting_id: str, events: Sequence[DurableEvent]) -> None:
        """Put another log in the place of a meeting's, all of it or nothing: a transcript made with another model.

        Raises:
            InputError: there is no such meeting, or it is being recorded.
            SequenceError: the events are no whole log.
        """
        number = self._number(meeting_id)
        with FolderLock(self.folder(meeting_id)), self._database.writing() as connection:
            connection.execute("DELETE FROM turns WHERE meeting = ?", (number,))
            connection.execute("DELETE FROM events WHERE meeting = ?", (number,))
            log.add(connection, number, Meeting(), events)

    def older_than(self, moment: datetime) -> list[MeetingSummary]:
        """Return the meetings that are known to have begun before `moment` and that nobody records, newest first."""
        older = summaries(
            self._database, self._recordings, "0 < moment AND moment < ?", (moment.timestamp(),)
        )
        return [meeting for meeting in older if meeting.state != "open"]

    def find(self, text: str) -> str:
        """Return the id of the meeting that `text` means: an id, a beginning that only one has, or `last`.

        Raises:
            InputError: no meeting is meant, or several are.
        """
        rows = self._database.rows("SELECT id FROM meetings ORDER BY moment DESC, number DESC")
        return ids.choose(text, [meeting_id for (meeting_id,) in rows])

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

    def command(self, meeting_id: str, command: Command) -> Ack:
        """Carry out a command on a meeting of the past: `rename`, `merge`, `correct` or `bookmark`.

        Raises:
            InputError: there is no such meeting.
            CommandError: the meeting is being recorded (`running`), or what `session.commands.decided` raises.
        """
        self._number(meeting_id)
        try:
            kept = self.resume(meeting_id)
        except InputError as error:
            raise CommandError("running", str(error), command.id) from error
        try:
            event = decided(command, kept.meeting, kept.meeting.duration)
            kept.append(numbered(event, meeting_id, kept.meeting.seq))  # type: ignore[arg-type]
        finally:
            kept.close()
        return Ack(command.id, kept.meeting.seq)

    def corrected_words(self, limit: int = 1000) -> list[str]:
        """Return the words that people put right, the last first: what later meetings should listen for."""
        return corrections.corrected_words(self._database, limit)

    def search(self, words: str, limit: int = 50, marks: tuple[str, str] = ("", "")) -> list[Hit]:
        """Return the turns that hold all the words, of the newest meeting first, then by time.

        "…" is a phrase, `word*` the beginning of a word; capitals and accents do not matter.
        `marks` stand before and after each match in the snippets.

        Raises:
            UsageError: there is no word to search for.
        """
        rows = self._database.rows(index.SEARCH, (*marks, index.query(words), limit))
        return [Hit(*row) for row in rows]

    def delete(self, *meeting_ids: str) -> None:
        """Delete meetings and their recordings, so that no file of the store holds anything of them.

        Raises:
            InputError: there is no such meeting, or it is being recorded; then none is deleted.
            StorageError: another process does not let go; the rest is done when the store is opened next.
        """
        numbers = [(self._number(meeting_id),) for meeting_id in meeting_ids]
        with ExitStack() as held:
            for meeting_id in meeting_ids:
                held.enter_context(FolderLock(self.folder(meeting_id)))
            with self._database.writing() as connection:
                connection.executemany("DELETE FROM turns WHERE meeting = ?", numbers)
                connection.executemany("DELETE FROM meetings WHERE number = ?", numbers)
                duties = [("scrub", ""), *(("remove", meeting_id) for meeting_id in meeting_ids)]
                connection.executemany("INSERT OR IGNORE INTO duties (duty, folder) VALUES (?, ?)", duties)
            done = self._finish_duties()
        if not done:
            raise StorageError(
                f"{', '.join(meeting_ids)}: gone from every list, but another meetscribe keeps traces in the files; "
                "they go when that one has ended and any command is run"
            )

    def delete_audio(self, meeting_id: str) -> bool:
        """Delete a meeting's recordings and keep its transcript; say whether there were any.

        Raises:
            InputError: there is no such meeting, or it is being recorded.
        """
        self._number(meeting_id)
        with FolderLock(self.folder(meeting_id)):
            files = list(self.folder(meeting_id).glob("audio-*"))
            for file in files:
                file.unlink()
        return bool(files)

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
            raise ids.unknown(meeting_id)
        return rows[0][0]
