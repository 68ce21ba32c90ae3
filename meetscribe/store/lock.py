"""Who has a meeting: a lock on its folder, which the system takes back when the process dies.

This is how others know a meeting that goes on from one that was interrupted.
Not covered: file systems without locks (some network shares): there nobody is kept out.
"""

import fcntl
import os
import time
import weakref
from pathlib import Path

from meetscribe.errors import InputError

LOCK_FILE = ".lock"
_TRIES, _PAUSE = 50, 0.02  # somebody who only looks holds the lock for a moment


class FolderLock:
    """Says that a meeting is being recorded, as long as this process lives or until `release`.

    Raises:
        InputError: another recording holds it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        self._close = weakref.finalize(self, os.close, file)  # also when nobody has the lock any more
        for left in reversed(range(_TRIES)):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if left:
                    time.sleep(_PAUSE)
                    continue
                self.release()
                raise InputError(
                    f"meeting {folder.name!r} is being recorded by another meetscribe; stop that one first"
                ) from error

    def __enter__(self) -> "FolderLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let go."""
        self._close()


def is_locked(folder: Path) -> bool:
    """Say whether somebody records into a meeting's folder."""
    try:
        file = os.open(folder / LOCK_FILE, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(file)
