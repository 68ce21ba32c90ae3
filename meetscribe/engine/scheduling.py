"""How long a process waited for a processor: what tells one that hangs from one that is starved."""

from contextlib import suppress
from pathlib import Path


def seconds_kept_waiting(process: int) -> float:
    """Return how long the threads of a process that can run have waited for a processor, in all.

    It is 0 where the system does not say so (it is Linux that does: `/proc/PID/task/TID/schedstat`, proc(5)), and for
    a process that is gone.
    """
    nanoseconds = 0
    for status in Path(f"/proc/{process}/task").glob("*/schedstat"):
        with suppress(OSError, ValueError, IndexError):  # a thread that ended meanwhile
            nanoseconds += int(status.read_text(encoding="ascii").split()[1])
    return nanoseconds / 1e9
