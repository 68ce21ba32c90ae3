"""The meetings of a server: one recogniser for all, each with its listeners and its audio inputs.

Not covered: sockets (`native.py`), files on disk (`archive.py`), how many may come (`admission.py` says, the hub
asks).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from meetscribe.apps.serve.admission import Admission
from meetscribe.apps.serve.archive import Archive, Kept, SafeRecorder, slug, summary
from meetscribe.apps.serve.inputs import Inputs, Register
from meetscribe.apps.serve.messages import Hello
from meetscribe.errors import MeetscribeError
from meetscribe.events import DurableEvent, Event, Session
from meetscribe.formats import wire
from meetscribe.lm.hotwords import MOST_PHRASES
from meetscribe.lm.wording import Wording
from meetscribe.meeting import Meeting
from meetscribe.session.commands import Ack, Command
from meetscribe.session.ports import AudioSource, EventLog, EventSink, Recognition, worded
from meetscribe.session.session import MeetingSession, SessionSettings
from meetscribe.session.speakers import SpeakerSettings
from meetscribe.sources.lanes import ClientsSource
from meetscribe.timeline import to_seconds

Commanded = Callable[[Command], Awaitable[Ack]]
NewSinks = Callable[[str, EventLog, Commanded], list[EventSink]]
"""Makes what else takes a meeting's events: from its id, its log and what carries out commands."""

_CACHED = 512  # events whose text is kept for the next listener


class FullError(MeetscribeError):
    """The machine cannot carry another meeting; the sentence says why."""


class ShownNames(Mapping[str, str | None]):
    """The names of a meeting's speakers as they are now."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting

    def __getitem__(self, speaker_id: str) -> str | None:
        return self._meeting.name(speaker_id)

    def __iter__(self) -> Iterator[str]:
        return iter(self._meeting.speakers)

    def __len__(self) -> int:
        return len(self._meeting.speakers)


@dataclass(eq=False)
class LiveMeeting:
    """A meeting that goes on; `inputs` is None where the server has a source of its own."""

    session: MeetingSession
    channels: int
    inputs: Inputs | None = None
    recorder: SafeRecorder | None = None
    listeners: int = 0
    register: Register | None = None
    task: "asyncio.Task[None] | None" = None
    ending: str | None = None  # why the server ends it
    _texts: dict[int, tuple[Event, str, float]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Return the meeting's id."""
        return self.session.start.session

    @property
    def recorded(self) -> int:
        """Return up to where its audio is safe."""
        return self.session.heard if self.recorder is None else self.recorder.synced

    def text(self, event: Event) -> tuple[str, float]:
        """Return an event as it is sent, made once for all listeners, and when that was (monotonic clock)."""
        known = self._texts.get(id(event))
        if known is not None and known[0] is event:
            return known[1:]
        made = time.monotonic()
        text = wire.dumps(event, ShownNames(self.session.meeting))
        self._texts[id(event)] = (event, text, made)
        while len(self._texts) > _CACHED:
            del self._texts[next(iter(self._texts))]
        return text, made

    def summary(self) -> dict[str, Any]:
        """Return what `/api/sessions` says of it."""
        about = summary(self.session.meeting, running=True)
        inputs = 1 if self.inputs is None else len(self.inputs.active)
        duration = to_seconds(self.session.heard)
        return about | {
            "state": self.session.state,
            "duration": duration,
            "listeners": self.listeners,
            "inputs": inputs,
        }


class Hub:
    """All meetings of a server.

    Args:
        recognition: who transcribes, for all.
        archive: where meetings are kept.
        model: the name of the recogniser's model.
        log: says what happens, never what was said.
        new_sinks: what else takes events.
        wording: what the text of a meeting that begins now is to be like.
        speakers: how people are told apart in it, and who is remembered.
    """

    def __init__(
        self,
        recognition: Recognition,
        archive: Archive,
        model: str,
        log: Any,
        new_sinks: NewSinks = lambda meeting, log, commanded: [],
        wording: Callable[[], Wording] = Wording,
        speakers: Callable[[], SpeakerSettings] = SpeakerSettings,
    ) -> None:
        self.recognition, self.archive, self.model = recognition, archive, model
        self.admission = Admission(None)
        self._log, self._new_sinks, self._wording = log, new_sinks, wording
        self.speakers = speakers
        self._live: dict[str, LiveMeeting] = {}
        self._closing = False
        self._others = 0

    def worded(self, hotwords: tuple[str, ...] = (), raw: bool = False, digits: bool = False) -> Recognition:
        """Return who transcribes what begins now.

        Args:
            hotwords: its own, beside the server's.
            raw: without marks and capitals, whatever the settings say.
            digits: numbers as digits, whatever the settings say.
        """
        wording = self._wording()
        if raw:
            wording = replace(wording, punctuation=False)
        if digits:
            wording = replace(wording, numerals="digits")
        every = tuple(dict.fromkeys((*hotwords, *wording.hotwords)))[:MOST_PHRASES]
        return worded(self.recognition, replace(wording, hotwords=every))

    @property
    def live(self) -> list[LiveMeeting]:
        """Return the meetings that go on, the newest first."""
        return list(reversed(self._live.values()))

    @property
    def streams(self) -> int:
        """Return how many streams are transcribed now."""
        return sum(meeting.channels for meeting in self._live.values()) + self._others

    @property
    def lag(self) -> int:
        """Return by how many samples the meeting that is furthest behind is."""
        return max((meeting.session.behind for meeting in self._live.values()), default=0)

    def find(self, name: str) -> LiveMeeting | None:
        """Return a running meeting by its id, a unique prefix or its title; the newest for `last`; None: none."""
        if name in self._live:
            return self._live[name]
        if name == "last":
            return next(iter(self.live), None)
        matching = [
            one for id, one in self._live.items() if id.startswith(name) or id.endswith(f"-{slug(name)}")
        ]
        return matching[0] if len(matching) == 1 and name else None

    def reserve(self, streams: int) -> None:
        """Count streams that are transcribed besides meetings.

        Raises:
            FullError: the machine cannot carry them.
        """
        self._check_room(streams)
        self._others += streams

    def _check_room(self, streams: int) -> None:
        refusal = self.admission.refusal(self.streams, streams, self.lag)
        if self._closing or refusal is not None:
            raise FullError(refusal or "the server is going")

    def release(self, streams: int) -> None:
        """Take notice that streams have ended."""
        self._others -= streams

    def begin(self, source: AudioSource, title: str) -> LiveMeeting:
        """Start a meeting that hears a source of the server's own, whatever the machine carries: a person asked for it.

        Raises:
            FullError: the server is going.
        """
        if self._closing:
            raise FullError("the server is going")
        return self._begin(source, title, None)

    def begin_for(self, hello: Hello) -> LiveMeeting:
        """Start a meeting for a client's audio; it has to join still.

        Raises:
            FullError: the machine cannot carry it.
        """
        assert hello.audio is not None
        self._check_room(hello.audio.channels)
        source = ClientsSource(hello.audio.name or "client", hello.audio.channels)
        return self._begin(source, hello.title or "meeting", source, hello.hotwords)

    def _begin(
        self,
        source: AudioSource,
        title: str,
        clients: ClientsSource | None,
        hotwords: tuple[str, ...] = (),
    ) -> LiveMeeting:
        now = datetime.now(UTC).astimezone()
        start = Session(
            session=self.archive.new_id(now, title),
            title=title,
            started=now.isoformat(timespec="seconds"),
            sources=(source.name,),
            model=self.model,
        )
        kept = self.archive.begin(start, source.channels)
        return self._run(start, source, clients, kept, hotwords)

    def resume(self, start: Session, register: Register, resume: "Callable[[Session, int], Kept]") -> None:
        """Go on with a meeting that was running when the server was killed.

        What was recorded is transcribed to its end; clients whose audio it heard have their time to come back. Without
        any it ends then.
        """
        inputs = register.inputs
        try:
            kept = resume(start, register.channels)
        except MeetscribeError as error:
            self._log.warning("a meeting cannot go on", meeting=start.session, error=str(error))
            return
        recorded = 0 if kept.recorder is None else kept.recorder.length
        source = ClientsSource(", ".join(start.sources) or "client", register.channels, recorded)
        meeting = self._run(start, source, source, kept)
        assert meeting.inputs is not None
        meeting.inputs.restore(inputs)
        self._log.info("meeting goes on", meeting=meeting.id, inputs=len(inputs))

    def _run(
        self,
        start: Session,
        source: AudioSource,
        clients: ClientsSource | None,
        kept: Kept,
        hotwords: tuple[str, ...] = (),
    ) -> LiveMeeting:
        async def commanded(command: Command) -> Ack:
            return await self._live[start.session].session.command(command)

        session = MeetingSession(
            start,
            source,
            self.worded(hotwords),
            self._new_sinks(start.session, kept.log, commanded),
            SessionSettings(mixed=source.channels == 1),
            kept.log,
            kept.recorder,
            self.speakers(),
        )
        inputs, register = None, None
        if kept.register is not None:
            register = Register(kept.register)
            register.begin(source.channels)
        if clients is not None:
            inputs = Inputs(clients, register)
        meeting = LiveMeeting(session, source.channels, inputs, kept.recorder, register=register)
        self._live[meeting.id] = meeting
        meeting.task = asyncio.create_task(self._hold(meeting), name=f"meeting {meeting.id}")
        return meeting

    async def _hold(self, meeting: LiveMeeting) -> None:
        """Run a meeting to its end, and forget it; it can still be read from the archive."""
        self._log.info("meeting begins", meeting=meeting.id, channels=meeting.channels)
        try:
            await meeting.session.run()
        except MeetscribeError as error:
            self._log.warning("meeting failed", meeting=meeting.id, error=str(error))
        except Exception as error:
            self._log.error("meeting broke", meeting=meeting.id, error=f"{type(error).__name__}: {error}")
        finally:
            if meeting.inputs is not None:
                meeting.inputs.close()
            if meeting.register is not None and meeting.session.meeting.end is not None:
                meeting.register.forget()
            self._live.pop(meeting.id, None)
            self._log.info("meeting ends", meeting=meeting.id, events=meeting.session.meeting.seq)

    def past(self, name: str) -> list[DurableEvent]:
        """Return the events of a meeting of the past.

        Raises:
            UnknownMeetingError: there is none.
        """
        return list(self.archive.log(self.archive.find(name)))

    async def close(self, reason: str, patience: float) -> None:
        """End all meetings, the last turns finished; what is not done after `patience` seconds is left to recovery."""
        self._closing = True
        tasks = [meeting.task for meeting in self.live if meeting.task is not None]
        for meeting in self.live:
            meeting.ending = reason
            meeting.session.stop(reason)
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=patience)
            for task in left:
                self._log.warning(
                    "a meeting could not be finished in time; it is recovered at the next start"
                )
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        await self.recognition.close()
