"""What `live` and `serve` do before a meeting: open the store, forget what is too old, say what people should know."""

from collections.abc import Callable

from meetscribe.apps.config import Settings
from meetscribe.apps.retention import apply_retention
from meetscribe.store.store import Store


def open_for_recording(settings: Settings, say: Callable[[str], None], finishes: bool = False) -> Store:
    """Return the store in which new meetings are kept; `say` gets one sentence at a time for stderr.

    Args:
        settings: where it is, and what people are told.
        say: prints a sentence.
        finishes: the caller finishes interrupted meetings by itself, and says so.

    Raises:
        StorageError: the data folder cannot be used.
    """
    store = Store(settings.data_dir)
    apply_retention(store, settings, say)
    for meeting in [] if finishes else store.unfinished():
        say(
            f"meeting {meeting.id!r} was interrupted; `meetscribe recover {meeting.id}` finishes its transcript"
        )
    if settings.notice:
        agreed = f" Everybody agreed on {settings.consent}." if settings.consent else ""
        say(settings.notice + agreed)
    return store
