"""A meeting of the past transcribed again with another model; what people decided about it is kept.

Its channels are what they were, unless somebody says what they are; the recording itself stays as it is.
Not covered: meetings whose recording is gone.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from meetscribe.apps.hearing import Hearing, as_before, as_laid
from meetscribe.apps.recogniser import Recogniser
from meetscribe.errors import InputError
from meetscribe.events import (
    Bookmark,
    DurableEvent,
    End,
    Final,
    Gap,
    OffRecord,
    Session,
    SpeakerUpdate,
    Status,
    numbered,
)
from meetscribe.meeting import Meeting, fold
from meetscribe.session.ports import AudioSource, EventSink
from meetscribe.session.recorder import Recording
from meetscribe.session.session import MeetingSession
from meetscribe.sources.layouts import Layout, lay_out
from meetscribe.sources.recorded import RecordedSource
from meetscribe.store.carry import Carried, carry_over
from meetscribe.store.store import Store
from meetscribe.timeline import Interval


@dataclass(frozen=True)
class Redone:
    """What came of transcribing a meeting again."""

    turns: int
    carried: Carried


def redo(
    store: Store,
    meeting_id: str,
    recogniser: Recogniser,
    layout: Layout | None = None,
    sinks: Sequence[EventSink] = (),
) -> Redone:
    """Transcribe a meeting's recording again; its log is written anew, with what people decided.

    Args:
        store: where the meeting is.
        meeting_id: which one.
        recogniser: who hears it.
        layout: what the channels of its recording are; None: what they were.
        sinks: who else hears of it.

    Raises:
        InputError: it has no recording, did not end, or is being recorded.
    """
    log = store.log(meeting_id)
    old, recording = fold(log), store.audio(meeting_id)
    if old.session is None or old.end is None:
        raise InputError(f"{meeting_id!r} has not ended; `meetscribe recover {meeting_id}` finishes it first")
    if not recording.length:
        raise InputError(f"{meeting_id!r} has no recording any more, so that it cannot be heard again")
    start = replace(old.session, model=recogniser.name, seq=0)
    source, hearing = _heard_by(recogniser, old, recording, layout)
    heard = MeetingSession(
        start, source, hearing.recognition, sinks, hearing.settings, speakers=recogniser.speakers
    )
    asyncio.run(heard.run())
    turns = heard.meeting.turns
    seen = [turn for turn in turns if not _is_hidden(turn.interval, old)]
    carried = carry_over(
        old, seen, {turn.speaker_id for turn in heard.meeting.heard.values() if turn.speaker_id}
    )
    events = _anew(start, log, heard.log, carried.events, old.duration)
    store.write_anew(meeting_id, events)
    return Redone(len(turns), carried)


def _heard_by(
    recogniser: Recogniser, old: Meeting, recording: Recording, layout: Layout | None
) -> tuple[AudioSource, Hearing]:
    """Return a meeting's sound, and who hears it; pauses are left out where channels stay what they were."""
    if layout is not None:
        laid = lay_out(lambda: RecordedSource(recording, old.id), layout)
        return laid.source, as_laid(laid, recogniser)
    holes = [Interval(gap.start, gap.end) for gap in old.gaps if gap.channel is None] + list(old.off_record)
    return RecordedSource(recording, old.id, holes), as_before(old, recogniser)


def _is_hidden(interval: Interval, old: Meeting) -> bool:
    return any(interval.touches(hidden) for hidden in old.off_record)


def _anew(
    start: Session,
    before: Sequence[DurableEvent],
    heard: Sequence[DurableEvent],
    decided: Sequence[DurableEvent],
    duration: int,
) -> list[DurableEvent]:
    """Return the new log: what was heard again between what happened then, the end, and what people decided."""
    happened = [event for event in before if isinstance(event, (Gap, Bookmark, OffRecord, Status))]
    events = [event for event in heard if isinstance(event, (Final, SpeakerUpdate))]
    between = sorted([*happened, *events], key=lambda event: event.at)  # stable: finals keep their order
    end = next(event for event in before if isinstance(event, End))
    later = [event if isinstance(event, Bookmark) else replace(event, at=duration) for event in decided]
    every = [start, *between, end, *later]
    return [
        event
        for seq, one in enumerate(every)
        if isinstance(event := numbered(one, start.session, seq), DurableEvent)
    ]
