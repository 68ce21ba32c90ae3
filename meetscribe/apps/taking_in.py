"""Recordings and transcripts from elsewhere become meetings of the store, to be found, named, corrected and redone.

What is kept of a recording is what was heard: channels as their layout has them.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from meetscribe.apps.files import read_transcripts
from meetscribe.apps.hearing import as_laid
from meetscribe.apps.recogniser import Recogniser
from meetscribe.apps.transcribe import Task
from meetscribe.errors import MeetscribeError
from meetscribe.events import DurableEvent, End, Session
from meetscribe.formats.registry import Format
from meetscribe.meeting import fold
from meetscribe.session.ports import EventSink
from meetscribe.session.recorder import FileRecorder
from meetscribe.session.session import MeetingSession
from meetscribe.sources.layouts import open_recording
from meetscribe.store.store import Store


def take_in(
    store: Store,
    task: Task,
    title: str | None,
    recogniser: Callable[[], Recogniser],
    sinks: Sequence[EventSink] = (),
) -> tuple[str, str | None]:
    """Make a meeting of a recording; returns its id and what was wrong with its end.

    Raises:
        InputError: nothing of its files can be used.
    """
    laid = open_recording(task.files, task.layout, together=len(task.files) > 1)
    loaded = recogniser()
    hearing = as_laid(laid, loaded)
    started = datetime.fromtimestamp(min(path.stat().st_mtime for path in task.files)).astimezone()
    title = title or task.name
    start = Session(
        session=store.new_meeting_id(started, title),
        title=title,
        started=started.isoformat(timespec="seconds"),
        sources=tuple(path.name for path in task.files),
        model=loaded.name,
    )
    kept = store.begin(start)
    recorder = FileRecorder(store.folder(start.session), laid.source.channels)
    session = MeetingSession(
        start, laid.source, hearing.recognition, sinks, hearing.settings, kept, recorder, loaded.speakers
    )
    try:
        asyncio.run(session.run())
    except MeetscribeError as error:
        if session.heard:
            return start.session, str(error)
        store.delete(start.session)
        raise
    finally:
        kept.close()
    return start.session, None


def take_in_transcript(store: Store, path: Path, known: Format, title: str | None) -> list[str]:
    """Make meetings of a transcript that was written before; returns their ids.

    Raises:
        InputError: it is no such transcript.
    """
    made = []
    for name, log in read_transcripts(path, known).items():
        events = [event for event in log if isinstance(event, DurableEvent)]
        meeting = fold(events)
        first = meeting.session or Session(title=name, started="")
        began = _moment(first.started) or datetime.fromtimestamp(path.stat().st_mtime).astimezone()
        shown = title or first.title or name
        new_id = store.new_meeting_id(began, shown)
        first = replace(
            first, session=new_id, title=shown, started=began.isoformat(timespec="seconds"), seq=1
        )
        rest = [event for event in events if not isinstance(event, Session)]
        if meeting.end is None:
            rest.append(End(at=meeting.duration, reason="read", duration=meeting.duration))
        kept = store.begin(first)
        kept.extend([first, *(replace(event, session=new_id, seq=seq) for seq, event in enumerate(rest, 2))])
        made.append(new_id)
    return made


def _moment(started: str) -> datetime | None:
    try:
        return datetime.fromisoformat(started)
    except ValueError:
        return None
