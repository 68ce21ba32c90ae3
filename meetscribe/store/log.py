"""The log of one meeting in the database: add, read, and empty in place.

`append` returns when the event is on the disk. What is off the record is never written, or emptied in the same
transaction in which it went off the record, whether or not anybody asks for `redact`.
Not covered: emptying recordings (the recorder's work).
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from meetscribe import events as ev
from meetscribe.errors import SequenceError, StorageError
from meetscribe.formats import wire
from meetscribe.meeting import Meeting, apply, fold
from meetscribe.store import index
from meetscribe.store.database import Database
from meetscribe.store.lock import FolderLock


class SqliteLog:
    """The log of meeting `number`, named `session`; made by `Store.begin` and `Store.resume`.

    When the meeting ends, `settle` says where its log lies from then on.
    """

    def __init__(
        self,
        database: Database,
        number: int,
        session: str,
        lock: FolderLock,
        settle: Callable[[], tuple[Database, int]] | None = None,
    ) -> None:
        self.session = session
        self._database, self._number, self._lock, self._settle = database, number, lock, settle
        self._meeting = fold(read(database, number))

    @property
    def meeting(self) -> Meeting:
        """Return the meeting so far."""
        return self._meeting

    def append(self, event: ev.DurableEvent) -> None:
        """Add a numbered event; it is on the disk when this returns.

        Raises:
            SequenceError: it is not the next one.
            StorageError: the disk is full or broken; nothing was added, and the same event may be tried again.
        """
        self.extend((event,))

    def extend(self, events: Iterable[ev.DurableEvent]) -> None:
        """Add events, all or none; the end of the meeting lets others have it.

        Raises:
            SequenceError, StorageError: as for `append`.
        """
        with self._database.writing() as connection:
            meeting, emptied = add(connection, self._number, self._meeting, events)
        self._meeting = meeting
        if emptied:
            with contextlib.suppress(StorageError):  # the events are kept, and what is due is noted
                self._database.scrub()
            self._meeting = fold(self.since(0))
        if meeting.end is not None:
            self._end()

    def _end(self) -> None:
        if self._settle is not None:
            with contextlib.suppress(
                StorageError
            ):  # the log is whole where it is; the next start tries again
                self._database, self._number = self._settle()
                self._settle = None
        self.close()

    def since(self, seq: int) -> Sequence[ev.DurableEvent]:
        """Return the events with a higher number."""
        return read(self._database, self._number, seq)

    def redact(self, turns: Collection[str]) -> None:
        """Empty the finals and corrections of turns, so that the files do not hold their words any more.

        Raises:
            StorageError: the disk is full or broken; traces may be left until the same is tried again.
        """
        with self._database.writing() as connection:
            empty(connection, self._number, turns)
        if self._database.rows("SELECT 1 FROM duties WHERE duty = 'scrub'"):  # of an earlier try, too
            self._database.scrub()
            self._meeting = fold(self.since(0))

    def close(self) -> None:
        """Say that this process does not record the meeting any more."""
        self._lock.release()


def read(database: Database, number: int, after: int = 0) -> list[ev.DurableEvent]:
    """Return the events of a meeting whose number is higher than `after`."""
    rows = database.rows(
        "SELECT event FROM events WHERE meeting = ? AND seq > ? ORDER BY seq", (number, after)
    )
    return [_loads(line) for (line,) in rows]


def _line(written: wire.Json) -> str:
    return json.dumps(written, ensure_ascii=False, allow_nan=False)


def _loads(line: str) -> ev.DurableEvent:
    event = wire.loads(line)
    assert isinstance(event, ev.DurableEvent)
    return event


def replace_all(database: Database, number: int, events: Iterable[ev.DurableEvent]) -> None:
    """Put other events in the place of all events of a meeting; that the files must be scrubbed is noted.

    Raises:
        SequenceError: they are no whole log; then nothing has changed.
    """
    with database.writing() as connection:
        connection.execute("DELETE FROM turns WHERE meeting = ?", (number,))
        connection.execute("DELETE FROM events WHERE meeting = ?", (number,))
        add(connection, number, Meeting(), events)
        note_scrub(connection)


def add(
    connection: sqlite3.Connection, number: int, meeting: Meeting, events: Iterable[ev.DurableEvent]
) -> tuple[Meeting, bool]:
    """Add events to meeting `number`, which is `meeting` so far, inside a transaction.

    Returns the meeting after them, and whether something that was stored had to be emptied.

    Raises:
        SequenceError: one is not the next.
    """
    emptied, duration = False, 0
    for given in events:
        if given.seq != meeting.seq + 1:
            raise SequenceError(
                f"event {given.seq} cannot follow event {meeting.seq} of meeting {given.session!r}"
            )
        event = _without_secrets(meeting, given)
        after = apply(meeting, event)
        turn, written = _turn_of(event), wire.encode(event)
        connection.execute(
            "INSERT INTO events (meeting, seq, type, turn, event) VALUES (?, ?, ?, ?, ?)",
            (number, event.seq, written["type"], turn, _line(written)),
        )
        index.update(connection, number, after, event)
        if isinstance(event, ev.OffRecord):
            emptied |= empty(connection, number, [turn.id for turn in after.turns if turn.redacted])
        elif event is not given and turn is not None:
            emptied |= empty(connection, number, [turn])
        duration = max(duration, _known_until(event))
        meeting = after
    connection.execute(
        "UPDATE meetings SET seq = ?, duration = max(duration, ?), ended = ? WHERE number = ?",
        (meeting.seq, duration, meeting.end is not None, number),
    )
    return meeting, emptied


def empty(connection: sqlite3.Connection, number: int, turns: Collection[str]) -> bool:
    """Empty the finals and corrections of turns in place, inside a transaction; say whether there were any.

    That the files must be scrubbed afterwards is noted in the same transaction.
    """
    changed = False
    for turn in turns:
        rows = connection.execute(
            "SELECT seq, event FROM events WHERE meeting = ? AND turn = ?", (number, turn)
        ).fetchall()
        for seq, line in rows:
            event = _loads(line)
            hidden = _emptied(event)
            if hidden != event:
                connection.execute(
                    "UPDATE events SET event = ? WHERE meeting = ? AND seq = ?",
                    (_line(wire.encode(hidden)), number, seq),
                )
                changed = True
        connection.execute(
            "UPDATE turns SET text = '' WHERE meeting = ? AND turn = ? AND text <> ''", (number, turn)
        )
    if changed:
        note_scrub(connection)
    return changed


def note_scrub(connection: sqlite3.Connection) -> None:
    """Note that the files hold what was taken away."""
    connection.execute("INSERT OR IGNORE INTO duties (duty) VALUES ('scrub')")


def _emptied(event: ev.DurableEvent) -> ev.DurableEvent:
    match event:
        case ev.Final():
            return replace(event, turn=event.turn.redact())
        case ev.Correction():
            return event.redact()
    return event


def _without_secrets(meeting: Meeting, event: ev.DurableEvent) -> ev.DurableEvent:
    """Return the event as it may be written: empty if its turn is off the record already."""
    turn: ev.Turn | None = None
    match event:
        case ev.Final():
            turn = event.turn
        case ev.Correction():
            turn = meeting.heard.get(event.turn)
    if turn is None:
        return event
    hidden = turn.redacted or any(turn.interval.touches(stretch) for stretch in meeting.off_record)
    return _emptied(event) if hidden else event


def _turn_of(event: ev.DurableEvent) -> str | None:
    match event:
        case ev.Final():
            return event.turn.id
        case ev.Correction():
            return event.turn
    return None


def _known_until(event: ev.DurableEvent) -> int:
    match event:
        case ev.Final():
            return event.turn.end
        case ev.Gap():
            return event.end
        case ev.End():
            return event.duration
    return 0
