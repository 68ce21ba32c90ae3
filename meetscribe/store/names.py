"""Another name in past meetings, or none: who was called so is called otherwise, or a speaker without a name.

The events stay, with their numbers and times; only the name in them changes, as for what goes off the record.
Not covered: names that somebody said or typed into a correction, a note or a title.
"""

import sqlite3
from dataclasses import replace

from meetscribe import events as ev
from meetscribe.formats import wire
from meetscribe.meeting import fold, shown_speaker
from meetscribe.store.database import Database
from meetscribe.store.log import note_scrub

_NAMED = "SELECT meeting, seq, event FROM events WHERE type = 'speaker_update'"


def change(database: Database, name: str, new: str | None) -> int:
    """Put another name in its place in all meetings of a database, or none; returns in how many it was."""
    with database.writing() as connection:
        changed = {
            meeting
            for meeting, seq, line in connection.execute(_NAMED).fetchall()
            if _changed(connection, (meeting, seq), line, name, new)
        }
        for meeting in changed:
            _index_anew(connection, meeting)
        if changed:
            note_scrub(connection)
    return len(changed)


def _changed(
    connection: sqlite3.Connection, place: tuple[int, int], line: str, name: str, new: str | None
) -> bool:
    event = wire.loads(line)
    if not isinstance(event, ev.SpeakerUpdate) or all(one.speaker != name for one in event.changes):
        return False
    changes = tuple(
        replace(one, speaker=new, confidence=None if new is None else one.confidence)
        if one.speaker == name
        else one
        for one in event.changes
    )
    text = wire.dumps(replace(event, changes=changes))
    connection.execute("UPDATE events SET event = ? WHERE meeting = ? AND seq = ?", (text, *place))
    return True


def _index_anew(connection: sqlite3.Connection, number: int) -> None:
    lines = connection.execute(
        "SELECT event FROM events WHERE meeting = ? ORDER BY seq", (number,)
    ).fetchall()
    meeting = fold(wire.loads(line) for (line,) in lines)
    shown = [(shown_speaker(turn, meeting.speakers), number, turn.id) for turn in meeting.turns]
    connection.executemany("UPDATE turns SET speaker = ? WHERE meeting = ? AND turn = ?", shown)
