"""A meeting that follows a script, for tests of the screen, its benchmark and its pictures.

It numbers events and answers commands as a real meeting does, but nobody listens and nothing is recorded.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence

from meetscribe import events as ev
from meetscribe.meeting import Meeting, apply
from meetscribe.session.commands import Ack, Command, CommandError, decided
from meetscribe.session.fanout import Fanout, Subscription
from meetscribe.timeline import SAMPLE_RATE, to_samples

_PARTIAL_LAG = SAMPLE_RATE // 2  # samples from a word's end to the partial that shows it
_FINAL_LAG = SAMPLE_RATE  # samples from a turn's end to its final
_LOOSE = 3  # words at the end of a partial that may change


def turn(name: str, slot: int, start: float, end: float, text: str, speaker: str | None = None) -> ev.Turn:
    """Return a turn from `start` to `end` (seconds), its words evenly spread; `word?` is one of low confidence."""
    texts, first, last = text.split(), to_samples(start), to_samples(end)
    edges = [first + (last - first) * n // max(len(texts), 1) for n in range(len(texts) + 1)]
    words = tuple(
        ev.Word(word.removesuffix("??"), a, b, 0.3 if word.endswith("??") else 0.95)
        for word, a, b in zip(texts, edges[:-1], edges[1:], strict=True)
    )
    text = " ".join(word.word for word in words)
    return ev.Turn(id=name, slot=slot, start=first, end=last, text=text, words=words, speaker_id=speaker)


def spoken(turns: Iterable[ev.Turn]) -> list[ev.Event]:
    """Return the events of turns as they are heard, by time: a start, a partial for each word, an end, a final."""
    events = [event for said in turns for event in _spoken(said)]
    return sorted(events, key=lambda event: event.at)


def _spoken(said: ev.Turn) -> Iterator[ev.Event]:
    for count, word in enumerate(said.words, 1):
        heard, at = said.words[:count], word.end + _PARTIAL_LAG
        text = " ".join(one.word for one in heard)
        now = ev.Turn(said.id, said.slot, said.start, word.end, text, heard, said.channel, said.speaker_id)
        if count == 1:
            yield ev.TurnStart(at=at, turn=said.id, slot=said.slot, start=said.start)
        yield ev.Partial(at=at, turn=now, revision=count, stable=max(count - _LOOSE, 0))
    yield ev.TurnEnd(at=said.end + _FINAL_LAG, turn=said.id, slot=said.slot, end=said.end)
    yield ev.Final(at=said.end + _FINAL_LAG, turn=said)


class ScriptedMeeting:
    """Gives events at once, or at `speed` times their pace; after them it waits for `stop` if `waits`."""

    def __init__(self, events: Sequence[ev.Event], speed: float | None = None, waits: bool = True) -> None:
        self._events, self._speed, self._waits = events, speed, waits
        self._fanout = Fanout()
        self._log: list[ev.DurableEvent] = []
        self._stopped = asyncio.Event()
        self._off_since: int | None = None
        self._now = 0
        self.meeting = Meeting()
        self.commands: list[Command] = []
        self.say: Callable[[str], None] = lambda sentence: None

    @property
    def log(self) -> list[ev.DurableEvent]:
        """Return the durable events so far."""
        return list(self._log)

    async def read_log(self) -> list[ev.DurableEvent]:
        """Return the durable events so far, as the screen asks for them."""
        return self.log

    def subscribe(self, after_seq: int = 0) -> Subscription:
        """Return a reader of the events after `after_seq`."""
        return self._fanout.subscribe(self._log[after_seq:])

    def publish(self, *events: ev.Event) -> None:
        """Give events to every reader now."""
        for event in events:
            self._now = max(self._now, event.at)
            numbered = ev.numbered(event, "scripted", len(self._log))
            if isinstance(numbered, ev.DurableEvent):
                self._log.append(numbered)
                self.meeting = apply(self.meeting, numbered)
            self._fanout.publish(numbered)

    async def run(self) -> list[ev.DurableEvent]:
        """Play the script, then wait to be stopped."""
        for event in self._events:
            if self._stopped.is_set():
                break
            if self._speed is not None and event.at > self._now:
                await asyncio.sleep((event.at - self._now) / SAMPLE_RATE / self._speed)
            self.publish(event)
        if self._waits:
            await self._stopped.wait()
        self.publish(ev.End(at=self._now, reason="end of the script", duration=self._now))
        self._fanout.end()
        return self._log

    async def command(self, command: Command) -> Ack:
        """Carry out a command, as a real meeting does.

        Raises:
            CommandError: it cannot be carried out.
        """
        self.commands.append(command)
        if self.meeting.end is not None:
            raise CommandError("ended", "the meeting has ended", command.id)
        match command.name:
            case "stop":
                self.publish(ev.Status(at=self._now, state="stopped", reason="stopped"))
                self._stopped.set()
            case "pause" | "resume":
                state: ev.State = "paused" if command.name == "pause" else "listening"
                self.publish(ev.Status(at=self._now, state=state))
            case "off_record":
                self._go_off_record(command)
            case _:
                self.publish(decided(command, self.meeting, self._now))
        return Ack(command.id, len(self._log))

    def _go_off_record(self, command: Command) -> None:
        if command.action == "start":
            self._off_since = self._now
            self.publish(ev.Status(at=self._now, state="paused", reason="off the record"))
            return
        back = to_samples(command.seconds or 0.0)
        start = self._now - back if self._off_since is None else self._off_since
        self.publish(ev.OffRecord(at=self._now, start=max(start, 0), end=self._now))
        if self._off_since is not None:
            self._off_since = None
            self.publish(ev.Status(at=self._now, state="listening"))
