"""What a list says about meetings, without folding their logs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from meetscribe.store.database import Database
from meetscribe.store.lock import is_locked

MeetingState = Literal["ended", "open", "recovering"]
_QUERY = """SELECT moment, id, title, started, duration, seq, ended,
        (SELECT count(*) FROM turns WHERE turns.meeting = meetings.number),
        (SELECT group_concat(speaker, char(0)) FROM (
            SELECT speaker FROM turns WHERE turns.meeting = meetings.number
            GROUP BY speaker ORDER BY min(start), speaker))
    FROM meetings WHERE {} ORDER BY moment DESC, number DESC"""


@dataclass(frozen=True)
class MeetingSummary:
    """What a list says about a meeting; `duration` in samples, speakers by their first turn.

    `state`: `ended`; `open` while somebody records it; `recovering` when it was interrupted and is not finished.
    """

    id: str
    title: str
    started: str
    duration: int
    speakers: tuple[str, ...]
    turns: int
    seq: int
    state: MeetingState


def summaries(
    databases: Iterable[Database], recordings: Path, condition: str = "1", values: tuple[Any, ...] = ()
) -> list[MeetingSummary]:
    """Return the meetings that meet a condition in SQL, the newest first; one that is in two databases once."""
    found: dict[str, tuple[float, MeetingSummary]] = {}
    for database in databases:
        for moment, *row in database.rows(_QUERY.format(condition), values):
            found.setdefault(row[0], (moment, _summary(recordings, *row)))
    return [one for _, one in sorted(found.values(), key=lambda pair: -pair[0])]


def _summary(recordings: Path, meeting_id: str, *row: Any) -> MeetingSummary:
    title, started, duration, seq, ended, turns, speakers = row
    state: MeetingState = "ended"
    if not ended:
        state = "open" if is_locked(recordings / meeting_id) else "recovering"
    shown = tuple(speakers.split("\0")) if speakers else ()
    return MeetingSummary(meeting_id, title, started, duration, shown, turns, seq, state)
