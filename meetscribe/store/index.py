"""The index of turns as people see them: after corrections, names, merges, and without what is off the record.

It follows from the log and is brought up to date in the transaction that adds an event; SQLite's triggers carry the
texts over to FTS5. A search never fails on its words: they are quoted, and no syntax of FTS5 is left in them.
Not covered: words that sound or are spelt alike, and languages that write no spaces.
"""

import re
import sqlite3
from dataclasses import dataclass

from meetscribe import events as ev
from meetscribe.errors import UsageError
from meetscribe.meeting import Meeting, shown_speaker

_INSERT = """INSERT INTO turns (meeting, turn, speaker, start, "end", text) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (meeting, turn) DO UPDATE
    SET speaker = excluded.speaker, start = excluded.start, "end" = excluded."end", text = excluded.text"""
SEARCH = """SELECT meetings.id, meetings.title, turns.turn, turns.speaker, turns.start, turns."end", turns.text,
        snippet(words, 0, ?, ?, '…', 24)
    FROM words JOIN turns ON turns.number = words.rowid JOIN meetings ON meetings.number = turns.meeting
    WHERE words MATCH ?
    ORDER BY meetings.moment DESC, meetings.id, turns.start, turns.number LIMIT ?"""
_TERM = re.compile(r'"([^"]*)"?|(\S+)')


@dataclass(frozen=True)
class Hit:
    """A turn that was searched for: `start` and `end` in samples, `snippet` the words around the match."""

    meeting: str
    title: str
    turn: str
    speaker: str
    start: int
    end: int
    text: str
    snippet: str


@dataclass(frozen=True)
class _Row:
    """A turn as the index holds it."""

    speaker: str
    start: int
    end: int
    text: str


def _row(meeting: Meeting, turn: ev.Turn) -> _Row:
    names = {} if turn.speaker_id is None else {turn.speaker_id: meeting.name(turn.speaker_id)}
    return _Row(shown_speaker(turn, names), turn.start, turn.end, turn.text)


def _rows(meeting: Meeting) -> dict[str, _Row]:
    names = meeting.speakers
    return {
        turn.id: _Row(shown_speaker(turn, names), turn.start, turn.end, turn.text) for turn in meeting.turns
    }


def update(
    connection: sqlite3.Connection, number: int, before: Meeting, after: Meeting, event: ev.DurableEvent
) -> None:
    """Carry one event over to the index of meeting `number`, which was `before` and is `after`."""
    match event:
        case ev.Final(turn=ev.Turn(id=turn_id)) | ev.Correction(turn=turn_id):
            turn = after.turn(turn_id)
            changed = {} if turn is None else {turn_id: _row(after, turn)}
        case ev.SpeakerUpdate() | ev.OffRecord():
            known = _rows(before)
            changed = {turn: row for turn, row in _rows(after).items() if row != known.get(turn)}
        case _:
            return
    connection.executemany(
        _INSERT, [(number, turn, row.speaker, row.start, row.end, row.text) for turn, row in changed.items()]
    )


def query(words: str) -> str:
    """Return the FTS5 query for what a person typed: all words in one turn, "…" a phrase, `word*` a beginning.

    Raises:
        UsageError: there is no word in it.
    """
    terms = []
    for phrase, word in _TERM.findall(words):
        term = phrase or word
        if any(character.isalnum() for character in term):
            quoted = '"' + term.replace('"', '""').replace("\0", " ") + '"'
            terms.append(quoted + ("*" if word.endswith("*") else ""))
    if not terms:
        raise UsageError(f"{words!r} has no word to search for; give at least one")
    return " ".join(terms)
