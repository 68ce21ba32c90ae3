"""Ids of meetings: file-name safe, such as `2026-11-22-standup`, and what people may type instead of one."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

from meetscribe.errors import InputError, UsageError

LAST = "last"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def check(meeting_id: str) -> None:
    """Refuse what cannot be an id.

    Raises:
        InputError: it is no name for a folder, or means something else.
    """
    if not _ID.fullmatch(meeting_id) or meeting_id == LAST:
        raise InputError(
            f"{meeting_id!r} cannot be a meeting's id; use up to 100 letters, digits, '.', '_', '-'"
        )


def stem(started: datetime, title: str) -> str:
    """Return the day and the title in ASCII letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    return f"{started:%Y-%m-%d}-{slug or 'meeting'}"


def moment(started: str) -> float:
    """Return an ISO 8601 time as seconds since 1970, 0 where it is none; without a zone it is UTC."""
    try:
        parsed = datetime.fromisoformat(started)
    except ValueError:
        return 0.0
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def choose(text: str, ids: Sequence[str]) -> str:
    """Return the id that `text` means: itself, the only one that begins so, or the first for `last`.

    Raises:
        InputError: none is meant, or several are.
    """
    if text == LAST and ids:
        return ids[0]
    if text in ids:
        return text
    matching = [meeting_id for meeting_id in ids if text and meeting_id.startswith(text)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        some = ", ".join(matching[:5]) + (", …" if len(matching) > 5 else "")
        raise UsageError(f"{text!r} may mean {some}; give more of the id")
    raise unknown(text)


def unknown(meeting_id: str) -> InputError:
    """Return the error of an id that nothing has."""
    return InputError(f"there is no meeting {meeting_id!r}; `meetscribe list` shows those there are")
