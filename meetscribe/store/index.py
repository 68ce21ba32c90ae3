"""The index of turns as people see them: after corrections, names, merges, and without what is off the record.

It follows from the log and is brought up to date in the transaction that adds an event; SQLite's triggers carry the
texts over to FTS5. A search never fails on its words: they are quoted, and no syntax of FTS5 is left in them.
Not covered: words that sound or are spelt alike, and languages that write no spaces.
"""

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from meetscribe import events as ev
from meetscribe.errors import UsageError
from meetscribe.meeting import Meeting, shown_speaker
from meetscribe.store.database import Database
from meetscribe.timeline import Interval

_INSERT = """INSERT INTO turns (meeting, turn, speaker, start, "end", text) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (meeting, turn) DO UPDATE
    SET speaker = excluded.speaker, start = excluded.start, "end" = excluded."end", text = excluded.text"""
_SEARCH = """SELECT meetings.moment, meetings.id, meetings.title,
        turns.turn, turns.speaker, turns.start, turns."end", turns.text, snippet(words, 0, ?, ?, '…', 24)
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


def update(connection: sqlite3.Connection, number: int, meeting: Meeting, event: ev.DurableEvent) -> None:
    """Carry an event over to the index of meeting `number`, which is `meeting` after it."""
    match event:
        case ev.Final(turn=ev.Turn(id=turn_id)) | ev.Correction(turn=turn_id):
            heard = meeting.heard.get(turn_id)
            changed = [] if heard is None else [meeting.decided(heard)]
        case ev.SpeakerUpdate(changes=changes):
            changed = _affected(meeting, changes)
        case ev.OffRecord(start=start, end=end):
            hidden = Interval(start, max(start, end))
            turns = (turn for turn in meeting.heard.values() if turn.interval.touches(hidden))
            changed = [meeting.decided(turn) for turn in turns]
        case _:
            return
    names = {turn.speaker_id: meeting.name(turn.speaker_id) for turn in changed if turn.speaker_id}
    rows = [(number, t.id, shown_speaker(t, names), t.start, t.end, t.text) for t in changed]
    connection.executemany(_INSERT, rows)


def _affected(meeting: Meeting, changes: Iterable[ev.Change]) -> list[ev.Turn]:
    """Return the turns that may look different after changes: given to somebody else, or of whom was changed."""
    given = {turn for change in changes for turn in change.turns or ()}
    speakers = {meeting.resolve(change.speaker_id) for change in changes}
    decided = (meeting.decided(turn) for turn in meeting.heard.values())
    return [turn for turn in decided if turn.id in given or turn.speaker_id in speakers]


def search(databases: Iterable[Database], words: str, limit: int, marks: tuple[str, str]) -> list[Hit]:
    """Return the turns that hold all words, of the newest meeting first, then by time.

    Raises:
        UsageError: there is no word to search for.
    """
    values = (*marks, query(words), limit)
    found: dict[tuple[str, str], tuple[float, Hit]] = {}
    for database in databases:
        for moment, *row in database.rows(_SEARCH, values):
            hit = Hit(*row)
            found.setdefault((hit.meeting, hit.turn), (moment, hit))
    ordered = sorted(found.values(), key=lambda pair: (-pair[0], pair[1].meeting, pair[1].start))
    return [hit for _, hit in ordered[:limit]]


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
