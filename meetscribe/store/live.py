"""The logs of meetings that go on: a database of its own in the meeting's folder, moved into the store's when it ends.

So nothing that is done with meetings of the past (a deletion vacuums the whole file) keeps a meeting waiting that is
being recorded, and what goes off the record in it is gone at once, however much the store holds.
A process that dies before or in the middle of the move leaves it to whoever opens the store next.
"""

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from meetscribe.errors import InputError, StorageError
from meetscribe.events import Session
from meetscribe.store import forget, ids
from meetscribe.store.database import Database
from meetscribe.store.lock import FolderLock, is_locked

LOG_FILE = "log.sqlite3"
_COLUMNS = "id, title, started, moment, seq, duration, ended"


def insert(database: Database, start: Session) -> int:
    """Make room for a meeting in a database and return its number there."""
    with database.writing() as connection:
        cursor = connection.execute(
            "INSERT INTO meetings (id, title, started, moment) VALUES (?, ?, ?, ?)",
            (start.session, start.title, start.started, ids.moment(start.started)),
        )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


class LiveLogs:
    """The meetings below `recordings` that are not in `main` yet."""

    def __init__(self, recordings: Path, main: Database) -> None:
        self._recordings, self._main = recordings, main
        self._open: dict[str, Database] = {}  # those that this process writes

    def file(self, meeting_id: str) -> Path:
        """Return where a meeting's log lies while it goes on."""
        return self._recordings / meeting_id / LOG_FILE

    def open(self, meeting_id: str) -> Database:
        """Return the database of a meeting, to write to it."""
        if meeting_id not in self._open:
            self._open[meeting_id] = Database(self.file(meeting_id))
        return self._open[meeting_id]

    @contextmanager
    def reading(self, meeting_id: str) -> Iterator[Database | None]:
        """Give the database of a meeting, None where it has no log of its own."""
        if meeting_id in self._open:
            yield self._open[meeting_id]
            return
        database = self._existing(meeting_id)
        try:
            yield database
        finally:
            if database is not None:
                database.close()

    @contextmanager
    def all(self) -> Iterator[list[Database]]:
        """Give the databases of all meetings that go on, or were interrupted."""
        with ExitStack() as opened:
            found = [
                opened.enter_context(self.reading(file.parent.name))
                for file in sorted(self._recordings.glob(f"*/{LOG_FILE}"))
            ]
            yield [database for database in found if database is not None]

    def _existing(self, meeting_id: str) -> Database | None:
        file = self.file(meeting_id)
        if not file.exists():
            return None
        try:
            return Database(file, create=False)
        except StorageError:
            if file.exists():
                raise
            return None  # it ended between the look and the opening

    def move(self, meeting_id: str) -> int:
        """Move a meeting into the store's database; returns its number there.

        Raises:
            StorageError: the disk is full or broken; the meeting stays where it is.
        """
        live = self.open(meeting_id)
        number = self._copy(live)
        self.drop(meeting_id)
        file = self.file(meeting_id)
        for path in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
            path.unlink(missing_ok=True)
        return number

    def tidy(self) -> None:
        """Finish what processes left that died: words that must go, and meetings that ended and were not moved."""
        for file in sorted(self._recordings.glob(f"*/{LOG_FILE}")):
            try:
                ended = self._left_ended(file)
            except StorageError:
                if file.exists():
                    raise
                continue  # its own process moved it meanwhile
            if ended:
                with contextlib.suppress(InputError, StorageError), FolderLock(file.parent):
                    if file.exists():  # its own process may have been faster
                        self.move(file.parent.name)

    def _left_ended(self, file: Path) -> bool:
        """Let the words go that must go; say whether this meeting ended and nobody is about to move it."""
        with self.reading(file.parent.name) as database:
            if database is None or is_locked(file.parent):
                return False
            forget.finish(database, self._recordings)
            return bool(database.rows("SELECT 1 FROM meetings WHERE ended"))

    def drop(self, meeting_id: str) -> None:
        """Close a meeting's database, if this process has it open."""
        if (database := self._open.pop(meeting_id, None)) is not None:
            database.close()

    def close(self) -> None:
        """Close all databases."""
        for meeting_id in list(self._open):
            self.drop(meeting_id)

    def _copy(self, live: Database) -> int:
        meeting = live.rows(f"SELECT {_COLUMNS} FROM meetings")[0]
        events = live.rows("SELECT seq, type, turn, event FROM events ORDER BY seq")
        turns = live.rows('SELECT turn, speaker, start, "end", text FROM turns ORDER BY number')
        with self._main.writing() as connection:
            known = connection.execute("SELECT number FROM meetings WHERE id = ?", meeting[:1]).fetchone()
            if known is not None:  # a process died between the copy and the removal
                return known[0]
            cursor = connection.execute(
                f"INSERT INTO meetings ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", meeting
            )
            number = cursor.lastrowid
            assert number is not None
            connection.executemany(
                "INSERT INTO events (meeting, seq, type, turn, event) VALUES (?, ?, ?, ?, ?)",
                [(number, *row) for row in events],
            )
            connection.executemany(
                'INSERT INTO turns (meeting, turn, speaker, start, "end", text) VALUES (?, ?, ?, ?, ?, ?)',
                [(number, *row) for row in turns],
            )
        return number
