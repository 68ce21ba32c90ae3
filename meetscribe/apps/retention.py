"""What is done with old meetings before a new one begins: deleted after so many days, if the settings say so.

Nothing is deleted of a meeting whose start nobody knows, or that is being recorded, and no recording of one that was
interrupted: its transcript would never be finished.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from meetscribe.apps.config import Settings
from meetscribe.store.store import Store


def apply_retention(
    store: Store, settings: Settings, say: Callable[[str], None], now: datetime | None = None
) -> None:
    """Delete meetings and recordings that are older than the settings allow, and say which."""
    now = now or datetime.now(UTC)
    if settings.retention_days is not None:
        old = [meeting.id for meeting in store.older_than(now - timedelta(days=settings.retention_days))]
        if old:
            store.delete(*old)
            say(f"deleted, older than {settings.retention_days} days (retention_days): {', '.join(old)}")
    if settings.audio_retention_days is not None:
        older = store.older_than(now - timedelta(days=settings.audio_retention_days))
        gone = [
            meeting.id for meeting in older if meeting.state == "ended" and store.delete_audio(meeting.id)
        ]
        if gone:
            days = settings.audio_retention_days
            say(f"recordings deleted, older than {days} days (audio_retention_days): {', '.join(gone)}")
