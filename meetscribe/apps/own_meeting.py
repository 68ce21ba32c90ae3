"""A meeting of this machine with all that belongs to it: its log and recording in the store, and a worker that thinks.

Meetings that were cut off earlier are finished beside it, by the same worker, as far as it has time for them.
Not covered: the command line (`cli/live.py`), the screen (`live/`), servers (`serve/`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from meetscribe.apps.giving_way import GivingWay
from meetscribe.apps.owners import OwnedRecognition
from meetscribe.errors import MeetscribeError, StorageError
from meetscribe.events import DurableEvent, Session
from meetscribe.session.commands import Ack, Command
from meetscribe.session.fanout import Subscription
from meetscribe.session.ports import AudioSource, EventSink, Recognition
from meetscribe.session.recorder import FileRecorder
from meetscribe.session.recovery import Recovery
from meetscribe.session.session import MeetingSession, SessionSettings
from meetscribe.session.speakers import SpeakerSettings
from meetscribe.store.store import Store
from meetscribe.timeline import clock

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What a new meeting is to be.

    Attributes:
        title: what people call it.
        source: where its audio comes from.
        model: the name of the model.
        settings: how the session runs.
        record: keep the audio.
        speakers: how people are told apart, and who is remembered.
        owners: whose channels they are, by name; empty where nobody says so.
    """

    title: str
    source: AudioSource
    model: str
    settings: SessionSettings = field(default_factory=SessionSettings)
    record: bool = True
    speakers: SpeakerSettings = field(default_factory=SpeakerSettings)
    owners: tuple[str, ...] = ()


class OwnMeeting:
    """A meeting that still has to be run, as `MeetingSession` is for readers and commands.

    Args:
        store: where it is kept.
        plan: what it is to be.
        recognition: who transcribes; closed at the end.
        sinks: makes further outputs, once the meeting runs.
    """

    def __init__(
        self,
        store: Store,
        plan: Plan,
        recognition: Recognition,
        sinks: Callable[[], Sequence[EventSink]] = tuple,
    ) -> None:
        now = datetime.now(UTC).astimezone()
        self.id = store.new_meeting_id(now, plan.title)
        start = Session(
            session=self.id,
            title=plan.title,
            started=now.isoformat(timespec="seconds"),
            sources=tuple(getattr(plan.source, "labels", (plan.source.name,))),
            model=plan.model,
        )
        self._store, self._recognition, self._sinks = store, recognition, sinks
        self._kept = store.begin(start)
        recorder = FileRecorder(store.folder(self.id), plan.source.channels) if plan.record else None
        heard_by = OwnedRecognition(recognition, plan.owners) if plan.owners else recognition
        self.session = MeetingSession(
            start, plan.source, heard_by, (), plan.settings, self._kept, recorder, plan.speakers
        )
        self._after: list[DurableEvent] = []  # the log, once people have decided something after the end
        self.finishes_others = True  # waits for meetings that were cut off
        self.say: Say = lambda sentence: None

    @property
    def log(self) -> list[DurableEvent]:
        """Return the durable events so far, those after the end too."""
        return self._after or self.session.log

    def subscribe(self, after_seq: int = 0) -> Subscription:
        """Return a reader of the events after `after_seq`, and of all that happens."""
        return self.session.subscribe(after_seq)

    async def command(self, command: Command) -> Ack:
        """Carry out a command; after the end, as of any meeting of the past: `log` has what came of it.

        Raises:
            CommandError: it cannot be carried out.
        """
        if self.session.meeting.end is None or command.name == "stop":
            return await self.session.command(command)
        return await asyncio.to_thread(self._decide_after, command)

    def _decide_after(self, command: Command) -> Ack:
        ack = self._store.command(self.id, command)
        self._after = self._store.log(self.id)
        return ack

    async def run(self) -> list[DurableEvent]:
        """Run the meeting to its end and return its log.

        Raises:
            MeetscribeError: the meeting failed; one that never heard anything is not kept.
        """
        self.session.sinks = self._sinks()
        others = asyncio.create_task(self._finish_others(), name="recovery")
        try:
            log = await self.session.run()
            if self.finishes_others:
                await others
            return log
        except MeetscribeError:
            if not self.session.heard:
                self._kept.close()
                self._store.delete(self.id)
            raise
        finally:
            cut_short = not others.done()
            others.cancel()
            with suppress(asyncio.CancelledError):
                await others
            self._kept.close()
            await self._recognition.close()
            if cut_short:
                self._say_what_is_left()

    async def _finish_others(self) -> None:
        when_there_is_time = GivingWay(self._recognition, lambda: self.session.behind)
        async for sentence in finish(self._store, when_there_is_time, speakers=self.session.speakers):
            self.say(sentence)

    def _say_what_is_left(self) -> None:
        for one in self._store.unfinished():
            self.say(
                f"meeting {one.id!r} is not transcribed to its end yet; "
                f"the next start goes on, or `meetscribe recover {one.id}`"
            )


async def finish(
    store: Store,
    recognition: Recognition,
    ids: Sequence[str] | None = None,
    speakers: SpeakerSettings | None = None,
) -> AsyncIterator[str]:
    """Finish meetings that were cut off, one after another; give a sentence before and after each.

    Args:
        store: where they are.
        recognition: who transcribes; it stays open.
        ids: which ones, None for all.
        speakers: how people are told apart.

    Raises:
        MeetscribeError: one of `ids` cannot be finished; where all were asked for, that is a sentence.
    """
    for id in [one.id for one in store.unfinished()] if ids is None else ids:
        try:
            kept = store.resume(id)
        except MeetscribeError as error:
            if ids is not None:
                raise
            yield f"meeting {id!r} cannot be finished: {error}"
            continue
        try:
            recovery = Recovery(kept, store.folder(id), recognition, speakers)
            yield f"meeting {id!r} was interrupted; {clock(recovery.left)} of it is transcribed now"
            log = await recovery.run()
            yield f"meeting {id!r} is complete, {len(log)} events"
        except (MeetscribeError, ValueError) as error:
            if ids is not None and isinstance(error, StorageError):
                raise
            yield f"meeting {id!r} cannot be finished: {error}"
        finally:
            kept.close()
