"""Meetings that were interrupted, finished from their recordings."""

import asyncio
from collections.abc import Callable

from meetscribe.apps.recogniser import Recogniser
from meetscribe.errors import InputError
from meetscribe.session.recovery import Recovery
from meetscribe.store.store import Store


def recover(store: Store, meeting_id: str, recogniser: Callable[[], Recogniser]) -> int:
    """Finish a meeting that was interrupted; returns how many samples of it were still to be transcribed.

    Raises:
        InputError: it ended, or is being recorded.
    """
    if store.summary(meeting_id).state == "ended":
        raise InputError(f"{meeting_id!r} ended as it should; there is nothing to recover")
    kept = store.resume(meeting_id)
    try:
        loaded = recogniser()
        recovery = Recovery(kept, store.folder(meeting_id), loaded.recognition(), loaded.speakers)
        left = recovery.left
        asyncio.run(recovery.run())
    finally:
        kept.close()
    return left
