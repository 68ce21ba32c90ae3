"""The store: all meetings of a data folder.

`DATA/meetscribe.sqlite3` holds the logs, `DATA/meetings/<id>/` the recordings, and the log of a meeting that goes on.
Several processes may use one folder.
Not covered: what people remember of voices, and encryption.
"""

import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from meetscribe.errors import InputError, StorageError
from meetscribe.events import DurableEvent, Session, numbered
from meetscribe.meeting import Meeting, fold
from meetscribe.session.commands import Ack, Command, CommandError, decided
from meetscribe.session.recorder import Recording
from meetscribe.store import corrections, forget, ids, index, log, names
from meetscribe.store.database import Database
from meetscribe.store.index import Hit
from meetscribe.store.live import LiveLogs, insert
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
        self._live = LiveLogs(self._recordings, self._database)
        forget.finish(self._database, self._recordings)
        self._live.tidy()

    @property
    def _recordings(self) -> Path:
        return self.data_dir / "meetings"

    def close(self) -> None:
        """Close the database; logs of this store are of no more use, and others may have their meetings."""
        for lock in list(self._held):
            lock.release()
        self._live.close()
        self._database.close()

    @contextmanager
    def _all(self) -> Iterator[list[Database]]:
        """Give all databases, those of meetings that go on first: who ends meanwhile is found in one or in both."""
        with self._live.all() as live:
            yield [*live, self._database]

    @contextmanager
    def _place(self, meeting_id: str) -> Iterator[tuple[Database, int]]:
        """Give the database that a meeting is in, and its number there.

        Raises:
            InputError: there is no such meeting.
        """
        with self._live.reading(meeting_id) as live:
            for database in (self._database, *([] if live is None else [live])):
                rows = database.rows("SELECT number FROM meetings WHERE id = ?", (meeting_id,))
                if rows:
                    yield database, rows[0][0]
                    return
        raise ids.unknown(meeting_id)

    def _has(self, meeting_id: str) -> bool:
        try:
            with self._place(meeting_id):
                return True
        except InputError:
            return False

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def folder(self, meeting_id: str) -> Path:
        """Return where a meeting's recordings lie; the folder exists while it is recorded."""
        return self._recordings / meeting_id

    def audio(self, meeting_id: str) -> Recording:
        """Return the recording of a meeting, without channels where there is none.

        Raises:
            InputError: there is no such meeting.
        """
        self.summary(meeting_id)
        return Recording(self.folder(meeting_id))

    def new_meeting_id(self, started: datetime, title: str) -> str:
        """Return an id that no other meeting has, such as `2026-11-22-standup`, and keep it for the caller."""
        stem = ids.stem(started, title)
        for count in range(1, 10_000):
            meeting_id = stem if count == 1 else f"{stem}-{count}"
            if self._has(meeting_id):
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
            if self._has(start.session):
                raise InputError(f"there is a meeting {start.session!r} already; choose another id")
            live = self._live.open(start.session)
            return self._log(live, insert(live, start), start.session, lock)
        except BaseException:
            lock.release()
            raise

    def resume(self, meeting_id: str) -> SqliteLog:
        """Return the log of a meeting that goes on: what is appended follows what is there.

        A process that died before the first event left the title and the start, of which that event is made.

        Raises:
            InputError: there is no such meeting, or another process records it.
        """
        one = self.summary(meeting_id)
        lock = FolderLock(self.folder(meeting_id))
        try:
            if self._live.file(meeting_id).exists():
                self._live.open(meeting_id)
            with self._place(meeting_id) as (database, number):
                kept = self._log(database, number, meeting_id, lock)
            if kept.meeting.session is None:
                kept.append(Session(session=meeting_id, seq=1, title=one.title, started=one.started))
        except BaseException:
            lock.release()
            raise
        return kept

    def _log(self, database: Database, number: int, meeting_id: str, lock: FolderLock) -> SqliteLog:
        self._held.add(lock)
        if database is self._database:
            return SqliteLog(database, number, meeting_id, lock)
        return SqliteLog(
            database, number, meeting_id, lock, lambda: (self._database, self._live.move(meeting_id))
        )

    def meetings(self) -> list[MeetingSummary]:
        """Return all meetings, the newest first."""
        return self._summaries("1")

    def summary(self, meeting_id: str) -> MeetingSummary:
        """Return what a list says about one meeting.

        Raises:
            InputError: there is no such meeting.
        """
        found = self._summaries("id = ?", meeting_id)
        if not found:
            raise ids.unknown(meeting_id)
        return found[0]

    def unfinished(self) -> list[MeetingSummary]:
        """Return the meetings that were interrupted and that nobody records, the newest first."""
        return [meeting for meeting in self._summaries("NOT ended") if meeting.state == "recovering"]

    def _summaries(self, condition: str, *values: Any) -> list[MeetingSummary]:
        with self._all() as databases:
            return summaries(databases, self._recordings, condition, values)

    def write_anew(self, meeting_id: str, events: Sequence[DurableEvent]) -> None:
        """Put another log in the place of a meeting's, all of it or nothing: a transcript made with another model.

        What only the old log held is in no file of the store afterwards.

        Raises:
            InputError: there is no such meeting, or it is being recorded.
            SequenceError: the events are no whole log.
            StorageError: another process does not let go; the rest is done when the store is opened next.
        """
        with FolderLock(self.folder(meeting_id)), self._place(meeting_id) as (database, number):
            log.replace_all(database, number, events)
            done = forget.finish(database, self._recordings)
        if not done:
            raise StorageError(
                f"{meeting_id}: its new transcript is kept, but another meetscribe keeps traces of the old one in "
                "the files; they go when that one has ended and any command is run"
            )

    def older_than(self, moment: datetime) -> list[MeetingSummary]:
        """Return the meetings that are known to have begun before `moment` and that nobody records, newest first."""
        older = self._summaries("0 < moment AND moment < ?", moment.timestamp())
        return [meeting for meeting in older if meeting.state != "open"]

    def find(self, text: str) -> str:
        """Return the id of the meeting that `text` means: an id, a beginning that only one has, or `last`.

        Raises:
            InputError: no meeting is meant, or several are.
        """
        with self._all() as databases:
            rows = [row for one in databases for row in one.rows("SELECT moment, number, id FROM meetings")]
        return ids.choose(text, list(dict.fromkeys(row[-1] for row in sorted(rows, reverse=True))))

    def log(self, meeting_id: str) -> list[DurableEvent]:
        """Return the events of a meeting; turns hold ids of speakers alone.

        Raises:
            InputError: there is no such meeting.
        """
        with self._place(meeting_id) as (database, number):
            return log.read(database, number)

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
        self.summary(meeting_id)
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
        with self._all() as databases:
            return corrections.corrected_words(databases, limit)

    def search(self, words: str, limit: int = 50, marks: tuple[str, str] = ("", "")) -> list[Hit]:
        """Return the turns that hold all the words, of the newest meeting first, then by time.

        "…" is a phrase, `word*` the beginning of a word; capitals and accents do not matter.
        `marks` stand before and after each match in the snippets.

        Raises:
            UsageError: there is no word to search for.
        """
        with self._all() as databases:
            return index.search(databases, words, limit, marks)

    def delete(self, *meeting_ids: str) -> None:
        """Delete meetings and their recordings, so that no file of the store holds anything of them.

        Raises:
            InputError: there is no such meeting, or it is being recorded; then none is deleted.
            StorageError: another process does not let go; the rest is done when the store is opened next.
        """
        for meeting_id in meeting_ids:
            self.summary(meeting_id)
        with ExitStack() as held:
            for meeting_id in meeting_ids:
                held.enter_context(FolderLock(self.folder(meeting_id)))
                self._live.drop(meeting_id)
            done = forget.forget(self._database, self._recordings, meeting_ids)
        if not done:
            raise StorageError(
                f"{', '.join(meeting_ids)}: gone from every list, but another meetscribe keeps traces in the files; "
                "they go when that one has ended and any command is run"
            )

    def none_is_recorded(self) -> None:
        """Make sure that no meeting goes on, whose names would be left behind.

        Raises:
            InputError: one is being recorded.
        """
        going_on = [meeting.id for meeting in self.meetings() if meeting.state == "open"]
        if going_on:
            raise InputError(
                f"{going_on[0]!r} is being recorded; rename or forget somebody when it has ended"
            )

    def change_name(self, name: str, new: str | None) -> int:
        """Put another name in its place in all meetings, whoever gave it, or none; returns in how many it was.

        Raises:
            InputError: a meeting is being recorded, which may hold it; then nothing has changed.
            StorageError: another process does not let go; the rest is done when the store is opened next.
        """
        self.none_is_recorded()
        with self._all() as databases:
            counts = [names.change(database, name, new) for database in databases]
            done = [
                forget.finish(one, self._recordings) for one, n in zip(databases, counts, strict=True) if n
            ]
        if not all(done):
            raise StorageError(
                f"{name}: gone from every list, but another meetscribe keeps traces in the files; "
                "they go when that one has ended and any command is run"
            )
        return sum(counts)

    def delete_audio(self, meeting_id: str) -> bool:
        """Delete a meeting's recordings and keep its transcript; say whether there were any.

        Raises:
            InputError: there is no such meeting, or it is being recorded.
        """
        self.summary(meeting_id)
        with FolderLock(self.folder(meeting_id)):
            files = list(self.folder(meeting_id).glob("audio-*"))
            for file in files:
                file.unlink()
        return bool(files)
