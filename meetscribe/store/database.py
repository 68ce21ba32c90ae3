"""The SQLite file under the store: connection, schema, transactions, and making sure that what is gone is gone.

A write that returned is on the disk (WAL, `synchronous=FULL`). Several processes may hold the file: each write is one
short transaction, and waits for the others' up to `PATIENCE` seconds.
SQLite's FTS5 here has no secure delete, and pages may keep copies of rows that moved; so after something was taken
away, `scrub` rebuilds the index, vacuums and empties the write-ahead log. That this is due is part of the transaction
that takes away: a process that dies in between leaves it to the next one.
Not covered: what the tables mean (`log.py`, `index.py`, `store.py`), and disks that keep old blocks.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from meetscribe.errors import InputError, StorageError

PATIENCE = 30.0  # seconds that a statement waits for another process
_RETRY = 0.02  # seconds between two tries to empty the write-ahead log

# Statements that lead from one version of the schema to the next; never change one that was released, add to the end.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE meetings (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            title TEXT NOT NULL,
            started TEXT NOT NULL,
            moment REAL NOT NULL,                   -- `started` as seconds since 1970, to sort by
            seq INTEGER NOT NULL DEFAULT 0,         -- of the last event
            duration INTEGER NOT NULL DEFAULT 0,    -- samples known so far
            ended INTEGER NOT NULL DEFAULT 0
        )""",
        """CREATE TABLE events (
            meeting INTEGER NOT NULL REFERENCES meetings (number) ON DELETE CASCADE,
            seq INTEGER NOT NULL,
            type TEXT NOT NULL,                     -- as in the JSON
            turn TEXT,                              -- of a final or a correction
            event TEXT NOT NULL,                    -- JSON of `formats/wire.py`, without names
            PRIMARY KEY (meeting, seq)
        )""",
        "CREATE INDEX events_of_turns ON events (meeting, turn) WHERE turn IS NOT NULL",
        "CREATE INDEX corrections ON events (meeting, turn) WHERE type = 'correction'",
        """CREATE TABLE turns (                     -- as people see them; follows from the events
            number INTEGER PRIMARY KEY,
            meeting INTEGER NOT NULL REFERENCES meetings (number) ON DELETE CASCADE,
            turn TEXT NOT NULL,
            speaker TEXT NOT NULL,
            start INTEGER NOT NULL,
            "end" INTEGER NOT NULL,
            text TEXT NOT NULL,
            UNIQUE (meeting, turn)
        )""",
        """CREATE VIRTUAL TABLE words USING fts5 (
            text, content = 'turns', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2'
        )""",
        """CREATE TRIGGER turns_insert AFTER INSERT ON turns BEGIN
            INSERT INTO words (rowid, text) VALUES (new.number, new.text);
        END""",
        """CREATE TRIGGER turns_delete AFTER DELETE ON turns BEGIN
            INSERT INTO words (words, rowid, text) VALUES ('delete', old.number, old.text);
        END""",
        """CREATE TRIGGER turns_update AFTER UPDATE OF text ON turns BEGIN
            INSERT INTO words (words, rowid, text) VALUES ('delete', old.number, old.text);
            INSERT INTO words (rowid, text) VALUES (new.number, new.text);
        END""",
        # What must still be done after something was taken away: 'scrub', or 'remove' and a folder of meetings/.
        "CREATE TABLE duties (duty TEXT NOT NULL, folder TEXT NOT NULL DEFAULT '', UNIQUE (duty, folder))",
    ),
)


class Database:
    """One connection to the file at `path`, which is made if it is not there and `create`; any thread may use it.

    Raises:
        StorageError: the file cannot be opened.
        InputError: it was written by a newer version.
    """

    def __init__(self, path: Path, create: bool = True) -> None:
        self.path = path
        address = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
        self._lock = threading.RLock()
        with self._explained():
            self._connection = sqlite3.connect(
                address, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
            try:
                for pragma in (
                    "journal_mode = WAL",
                    "synchronous = FULL",
                    "foreign_keys = ON",
                    "secure_delete = ON",
                ):
                    self._connection.execute(f"PRAGMA {pragma}")
                path.chmod(0o600)  # SQLite gives the files beside it the same mode
                self._migrate()
            except FileNotFoundError as error:
                self._connection.close()
                raise StorageError(f"{path}: another program has moved it away; try again") from error
            except BaseException:
                self._connection.close()
                raise

    def _migrate(self) -> None:
        if self._version() == len(MIGRATIONS):
            return
        with self.writing() as connection:
            version = self._version()  # again: another process may have been faster
            if version > len(MIGRATIONS):
                raise InputError(
                    f"{self.path}: a newer meetscribe wrote it (version {version} of its schema, this one knows "
                    f"{len(MIGRATIONS)}); update meetscribe, or choose another --data-dir"
                )
            for statements in MIGRATIONS[version:]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _version(self) -> int:
        return self._connection.execute("PRAGMA user_version").fetchone()[0]

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside a transaction: all of it is on the disk afterwards, or none.

        Raises:
            StorageError: the disk is full, broken or not writable.
        """
        with self._lock, self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query; nothing stays open that would keep others from tidying up."""
        with self._lock, self._explained():
            return self._connection.execute(query, values).fetchall()

    def scrub(self) -> bool:
        """Make what was taken away impossible to find in the files; False if others would not let go in time.

        Then the duty stays, and whoever opens the store next tries again.
        """
        with self._lock, self._explained():
            self._connection.execute("INSERT INTO words (words) VALUES ('rebuild')")
            self._connection.execute("VACUUM")
            if not self._empty_log():
                return False
            self._connection.execute("DELETE FROM duties WHERE duty = 'scrub'")
            return True

    def _empty_log(self) -> bool:
        """Move everything from the write-ahead log into the file and cut the log to nothing."""
        deadline = time.monotonic() + PATIENCE
        while True:
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy or time.monotonic() > deadline:
                return not busy
            time.sleep(_RETRY)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn SQLite's errors into sentences."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as error:
            raise StorageError(f"{self.path}: {_explain(error)}") from error


def _explain(error: sqlite3.DatabaseError) -> str:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_FULL"):
        return "the disk is full; free some space"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"it cannot be written ({error}); check its permissions or choose another --data-dir"
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program has kept it for too long; close that one and try again"
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return f"this is no good database ({error}); move it away to begin a new one"
    return f"it cannot be used ({error}); check the disk"
