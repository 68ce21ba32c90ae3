"""Deleting meetings: rows, recordings, and every trace of them in the files.

What is to be done is noted in the transaction that takes the rows away, so that a process that dies leaves it to the
next one.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from meetscribe.errors import StorageError
from meetscribe.store.database import Database


def forget(database: Database, recordings: Path, meeting_ids: Iterable[str]) -> bool:
    """Delete meetings with their folders; False if other processes hold traces, which are then gone later.

    Raises:
        StorageError: the disk is broken, or a folder cannot be deleted.
    """
    chosen = [(meeting_id,) for meeting_id in meeting_ids]
    with database.writing() as connection:
        query = "DELETE FROM turns WHERE meeting = (SELECT number FROM meetings WHERE id = ?)"
        connection.executemany(query, chosen)
        connection.executemany("DELETE FROM meetings WHERE id = ?", chosen)
        duties = [("scrub", ""), *(("remove", meeting_id) for (meeting_id,) in chosen)]
        connection.executemany("INSERT OR IGNORE INTO duties (duty, folder) VALUES (?, ?)", duties)
    return finish(database, recordings)


def finish(database: Database, recordings: Path) -> bool:
    """Do what a deletion or redaction left to be done, also one of a process that died."""
    duties = database.rows("SELECT duty, folder FROM duties")
    for duty, folder in duties:
        if duty == "remove":
            _remove(database, recordings / folder)
    return not duties or database.scrub()


def _remove(database: Database, folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StorageError(f"{folder}: it cannot be deleted ({error.strerror}); delete it by hand") from error
    with database.writing() as connection:
        connection.execute("DELETE FROM duties WHERE duty = 'remove' AND folder = ?", (folder.name,))
