"""One meeting from its first block to its end: source → recorder and backlog → streams → numbered log → readers.

The session alone numbers events. Missing audio becomes a `gap`, and short gaps silence, so that times stay true.
Whoever thinks may be lost and comes again: recording goes on, the state shows it, and what was missed is heard again
(`follower.py`). When the source fails, what it gave is transcribed to the end before the error is raised.
A log that has events already is a meeting that goes on: what its recorder holds and its log does not is heard first.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from meetscribe.errors import EngineLost, RecordingError, StorageError
from meetscribe.events import (
    Change,
    DurableEvent,
    End,
    Event,
    Final,
    Lag,
    OffRecord,
    Partial,
    Progress,
    Session,
    SpeakerUpdate,
    State,
    Status,
    TurnEnd,
    TurnStart,
    numbered,
)
from meetscribe.meeting import Meeting, apply, fold
from meetscribe.session.backlog import LONGEST_SILENCE, Backlog
from meetscribe.session.commands import Ack, Command, CommandError, decided
from meetscribe.session.condition import Condition
from meetscribe.session.course import Course
from meetscribe.session.fanout import LIMIT, Fanout, Subscription
from meetscribe.session.follower import Follower
from meetscribe.session.intake import Intake
from meetscribe.session.log import LogKeeper, MemoryLog
from meetscribe.session.marks import Mark, Marks, loads
from meetscribe.session.ports import AudioSource, EventLog, EventSink, Recognition, Recorder
from meetscribe.session.sharing import Sharing
from meetscribe.session.speakers import Speakers, SpeakerSettings
from meetscribe.timeline import SAMPLE_RATE, Interval, clock, to_samples

_PATIENCE = SAMPLE_RATE // 2  # samples that a patient session takes before they are transcribed
_CAUGHT_UP = 2 * SAMPLE_RATE


@dataclass(frozen=True)
class SessionSettings:
    """How a session runs.

    Attributes:
        patient: the source waits for the transcript: a recording that is read as fast as that is possible.
        quiet: levels and the first state are not told, as nobody watches.
        ended: the reason of the end, where the source simply ends.
        mixed: one stream hears the mean of all channels; otherwise each channel has its own.
        stall: seconds without audio that are shown.
        lag: samples behind the audio that are shown.
        limit: durable events that may wait for one reader.
    """

    patient: bool = False
    quiet: bool = False
    ended: str = "end of the audio"
    mixed: bool = True
    stall: float = 2.0
    lag: int = 2 * SAMPLE_RATE
    limit: int = LIMIT


@dataclass
class MeetingSession:
    """A meeting in progress; `start` (a `session` event) names it."""

    start: Session
    source: AudioSource
    recognition: Recognition
    sinks: Sequence[EventSink] = ()
    settings: SessionSettings = field(default_factory=SessionSettings)
    kept: EventLog = field(default_factory=MemoryLog)
    recorder: Recorder | None = None
    speakers: SpeakerSettings = field(default_factory=SpeakerSettings)

    def __post_init__(self) -> None:
        self._keeper = LogKeeper(self.kept)
        self.meeting: Meeting = fold(self._keeper.since(0))
        self._goes_on = self.meeting.session is not None
        self._fanout = Fanout()
        self._condition = Condition()
        self._sharing = Sharing()
        self._speakers = Speakers(self.speakers, lambda: self.meeting, self.settings.patient)
        self._turns = max((_number(turn) for turn in self.meeting.heard), default=0)
        self._backlog = self._new_backlog()
        self._followers = [self._follower(channel) for channel in self._channels()]
        self._intake = Intake(
            self.source, self._backlog, self.recorder, self, tells_levels=not self.settings.quiet
        )
        self._marks = ""
        self._changing = asyncio.Lock()  # held by what people decide, one after another
        self._stop_reason: str | None = None
        self._stopping = asyncio.Event()
        self._moved = asyncio.Event()
        self._lag_shown = 0
        self._lag_time = 0.0

    @property
    def log(self) -> list[DurableEvent]:
        """Return the durable events so far."""
        return self._keeper.since(0)

    @property
    def state(self) -> State:
        """Return the state that people see."""
        return "stopped" if self.meeting.end is not None else self._condition.state

    @property
    def heard(self) -> int:
        """Return the position after the last audio that was taken."""
        return self._backlog.end

    @property
    def behind(self) -> int:
        """Return how many samples are not transcribed yet."""
        return self._backlog.end - min(follower.heard for follower in self._followers)

    def subscribe(self, after_seq: int = 0, limit: int | None = None) -> Subscription:
        """Return a new reader of the events after `after_seq`, and of all that happens."""
        return self._fanout.subscribe(self._keeper.since(after_seq), limit or self.settings.limit)

    def stop(self, reason: str = "stopped") -> None:
        """End the meeting: the last turn is finished, then `run` returns."""
        if self._stop_reason is None:
            self._stop_reason = reason
            self.say("meeting", "stopped", reason)
            self._stopping.set()

    async def run(self) -> list[DurableEvent]:
        """Run the meeting to its end and return its log.

        Raises:
            MeetscribeError: the source failed; the log holds what it gave until then.
            StorageError: the end of the log is not on the disk.
        """
        readers = [(sink, self.subscribe(self.meeting.seq, limit=1 << 62)) for sink in self.sinks]
        serving = [asyncio.create_task(self._serve(*reader), name="sink") for reader in readers]
        try:
            failure = await self._hold()
        finally:
            self._fanout.end()
            served = await asyncio.gather(*serving, return_exceptions=True)
            if self.recorder is not None:
                await asyncio.to_thread(self.recorder.close)
        await self._keeper.retry()  # what was compressed has made room
        for failed in (failure, *served, self._unwritten()):
            if isinstance(failed, BaseException):
                raise failed
        return self.log

    def _unwritten(self) -> StorageError | None:
        """Return what has become of a log that could not be written to its end, None where it was."""
        waiting = self._keeper.waiting
        if not waiting:
            return None
        id, taken_back = self.start.session, ""
        if self._keeper.is_forgetting:
            taken_back = (
                f"; words that were taken back are still there: `meetscribe delete {id}` takes them away"
            )
        return StorageError(
            f"meeting {id!r}: {self._keeper.trouble}, and ends there at {clock(waiting[0].at)}; when there is room, "
            f"`meetscribe recover {id}` adds what was recorded{taken_back}"
        )

    async def command(self, command: Command) -> Ack:
        """Carry out a command; its effect comes as an event to every reader.

        Raises:
            CommandError: it cannot be carried out.
        """
        async with self._changing:
            if self.meeting.end is not None or self._stop_reason is not None:
                raise CommandError("ended", "the meeting has ended", command.id)
            await self._carry_out(command)
            return Ack(command.id, self.meeting.seq)

    async def _carry_out(self, command: Command) -> None:
        match command.name:
            case "stop":
                self.stop("stopped")
            case "pause":
                self._leave("paused", command)
                await self._backlog.announce()
            case "resume":
                self._return(command)
            case "off_record":
                await self._off_record(command)
            case _:
                self.publish(decided(command, self.meeting, self._intake.now))

    def publish(self, event: Event) -> None:
        """Number an event, keep it if it is durable, and give it to every reader."""
        if isinstance(event, (Final, Partial)):
            found = self._sharing.place(event, self.meeting.off_record)
            if found is None:
                return
            event = found
        changes: tuple[Change, ...] = ()
        if isinstance(event, Final):
            event, changes = self._speakers.hear(event)
        event = numbered(event, self.start.session, self.meeting.seq)
        if isinstance(event, DurableEvent):
            self._keeper.append(event)
            self.meeting = apply(self.meeting, event)
        self._fanout.publish(event)
        if isinstance(event, (TurnStart, TurnEnd)):
            self._mark()
        if changes:
            self.publish(SpeakerUpdate(at=event.at, changes=changes))

    def lost(self, error: EngineLost) -> None:
        """Take notice that the engine is gone; it is being started again."""
        self.say("engine", "degraded", f"{error}; it is started again, recording goes on")

    async def taken(self) -> None:
        """Let the source wait for the transcript, where it is to be patient."""
        while self.settings.patient and self._waiting > _PATIENCE:
            self._moved.clear()
            await self._moved.wait()

    @property
    def _waiting(self) -> int:
        """Return how many samples no stream was given yet."""
        return self._backlog.end - min(follower.position for follower in self._followers)

    def moved(self) -> None:
        """Take notice that audio was handed on to a stream."""
        self._backlog.release(min(min(follower.resume, follower.position) for follower in self._followers))
        if self.settings.patient or self.source.length is not None:
            done = min(follower.position for follower in self._followers)
            self.publish(Progress(at=done, done=done, total=self.source.length))
        self._moved.set()

    # -- the course of a meeting

    async def _hold(self) -> Exception | None:
        """Run the meeting; return what the source failed with."""
        if not self._goes_on:
            self.publish(self.start)
        if self._goes_on:
            self.say("recovery", "recovering", "what was recorded is transcribed")
        elif not self.settings.quiet:
            self.publish(Status(at=self._intake.now, state=self._condition.state))
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._watch(), name="watch")
                following = [group.create_task(one.run(), name="follow") for one in self._followers]
                failure = await self._intake.run(self._stopping)
                self._intake.come_back()
                await self._backlog.finish()
                await asyncio.gather(*following)
                watching.cancel()
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        await self._keeper.retry()
        self._check_condition()
        if self.settings.patient and (changes := self._speakers.decide_anew()):
            self.publish(SpeakerUpdate(at=self._backlog.end, changes=changes))
        reason = self.settings.ended if failure is None else "the audio failed"
        async with self._changing:  # what was being decided is done, and nothing is decided after the end
            reasons = self._stop_reason or reason, self._keeper.trouble
            now = self._backlog.end
            self.publish(End(at=now, reason="; ".join(filter(None, reasons)), duration=now))
        return failure

    # -- what people decide

    def _leave(self, reason: str, command: Command) -> None:
        """Neither record nor transcribe from here on."""
        if self._intake.away is not None:
            raise CommandError("already_paused", f"the meeting is {self._intake.away} already", command.id)
        self._intake.leave(reason)

    def _return(self, command: Command) -> None:
        if self._intake.away is None:
            raise CommandError("not_paused", "the meeting is not paused", command.id)
        self._intake.come_back()

    async def _off_record(self, command: Command) -> None:
        """Stop keeping anything, go on again, or take back what was said."""
        if command.action == "start":
            self._leave("off the record", command)
            await self._backlog.announce()
        elif command.action == "stop":
            self._return(command)
        else:
            end = self._intake.now
            await self._take_back(Interval(max(end - to_samples(command.seconds or 0.0), 0), end), command)

    async def _take_back(self, hidden: Interval, command: Command) -> None:
        """Erase what was said: audio and text, in memory and on disk. What is left is transcribed again.

        Raises:
            CommandError: `disk`: nobody is shown it any more, but it could not be erased on the disk.
        """
        for follower in self._followers:
            await follower.halt()
        try:
            trouble = await self._erase(hidden)
            self._backlog.erase(hidden.start, hidden.end)
            turns = {id for id, turn in self.meeting.heard.items() if turn.interval.touches(hidden)}
            self._speakers.forget(turns)
            self._fanout.redact(turns)
            await self._keeper.redact(turns)
            self.meeting = fold(self._keeper.since(0))
            self.publish(OffRecord(at=hidden.end, start=hidden.start, end=hidden.end))
        finally:
            for follower in self._followers:
                follower.go_on()
        if self._keeper.is_forgetting:
            trouble = (
                f"its words are still on the disk: {self._keeper.trouble}; they go as soon as there is room"
            )
        if trouble is not None:
            raise CommandError("disk", f"nobody is shown it any more, but {trouble}", command.id)

    async def _erase(self, hidden: Interval) -> str | None:
        """Erase recorded sound; return why it is still there, None where it is gone."""
        try:
            if self.recorder is not None:
                await asyncio.to_thread(self.recorder.erase, hidden.start, hidden.end)
        except RecordingError as error:
            return str(error)
        return None

    # -- state

    def say(self, part: str, state: State, reason: str | None = None) -> None:
        """Let a part of the meeting say how it is; people hear of it where that changes anything."""
        if self._condition.say(part, state, reason):
            shown = Status(at=self._intake.now, state=self._condition.state, reason=self._condition.reason)
            self.publish(shown)

    async def _watch(self) -> None:
        """Look at what no event tells: how far behind the transcript is, and whether audio still comes."""
        clock = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0.25)
            if self._keeper.trouble is not None:
                await self._keeper.retry()
            self._check_condition()
            self._mark()
            if self.settings.patient:
                continue
            self._tell_lag(clock.time())
            silent = self._intake.silent_for(clock.time())
            if silent > self.settings.stall and not self._backlog.has_ended:
                self.say("stall", "degraded", f"no audio comes from {self.source.name}")

    def _check_condition(self) -> None:
        """Take back complaints whose reason is gone."""
        for follower in self._followers:
            behind = follower.behind_since
            if behind is not None and follower.heard >= behind - _CAUGHT_UP:
                follower.behind_since = None
        if all(follower.behind_since is None for follower in self._followers):
            self.say("engine", "listening")
        if self.behind <= _CAUGHT_UP:
            self.say("recovery", "listening")
        trouble = self._keeper.trouble
        self.say("log", "listening" if trouble is None else "degraded", trouble)

    def _tell_lag(self, now: float) -> None:
        behind = self.behind
        shown = behind if behind > self.settings.lag else 0
        if (shown or self._lag_shown) and now - self._lag_time >= 1.0:
            self._lag_shown, self._lag_time = shown, now
            self.publish(Lag(at=self._intake.now, behind=shown))

    # -- events

    async def _serve(self, sink: EventSink, reader: Subscription) -> None:
        """Give a sink its events; one that fails ends the meeting."""
        try:
            async for event in reader:
                await sink.emit(event)
        except Exception:
            self.stop("an output failed")
            raise
        finally:
            await sink.close()

    def _channels(self) -> list[int | None]:
        return [None] if self.settings.mixed else list(range(self.source.channels))

    def _new_backlog(self) -> Backlog:
        """Return the audio so far: none, or what a meeting that goes on has recorded."""
        recorded = 0 if self.recorder is None else self.recorder.length
        hidden = [Interval(gap.start, gap.end) for gap in self.meeting.gaps if gap.channel is None]
        hidden += self.meeting.off_record
        holes = [one for one in hidden if one.duration > LONGEST_SILENCE]
        end = max(recorded, self.meeting.duration)
        return Backlog(self.source.channels, self.recorder, end, holes)

    def _follower(self, channel: int | None) -> Follower:
        finals = [turn for turn in self.meeting.heard.values() if turn.channel == channel]
        course = Course(channel, self._new_id, finals)
        follower = Follower(channel, self._backlog, self.recognition, course, self)
        known = None if self.recorder is None else loads(self.recorder.read_marks())
        mark = Mark() if known is None else known.streams.get(channel, Mark())
        follower.position = mark.resume(finals)
        return follower

    def _mark(self) -> None:
        """Write how far the meeting was transcribed, for another start after this process was killed."""
        if self.recorder is None:
            return
        streams = {
            one.channel: Mark(one.heard, {id: turn.start for id, turn in one.course.open.items()})
            for one in self._followers
        }
        text = Marks(self.settings.mixed, streams).dumps()
        if text != self._marks:
            self._marks = text
            self.recorder.write_marks(text)

    def _new_id(self) -> str:
        self._turns += 1
        return f"t{self._turns}"


def _number(turn: str) -> int:
    """Return the number in a turn's id."""
    return int(turn[1:]) if turn[1:].isdecimal() else 0
