"""What the screen shows of a meeting, kept up to date event by event.

Each event changes the pages of the turns that it is about and nothing else, so that the ten-thousandth costs what the
first one did. Who is called what comes from the fold of the durable events (`meeting.py`).
Pure: no terminal, no clock: the meeting time is that of the latest event.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, replace

from meetscribe import events as ev
from meetscribe.apps.live.transcript.layout import Marker, Said
from meetscribe.apps.live.transcript.pages import Pages
from meetscribe.meeting import Meeting, fold, shown_speaker
from meetscribe.timeline import Interval, clock, to_seconds

OFF_RECORD = "off the record"
"""The reason of `paused` for a meeting that is off the record, and what the screen shows as its state."""
_SAYINGS: dict[ev.State, str] = {
    "listening": "listening again",
    "paused": "paused",
    "degraded": "degraded",
    "device_lost": "device lost",
    "recovering": "recovering",
    "stopped": "stopped",
}


@dataclass(frozen=True)
class Condition:
    """The state that is shown, and why; `off the record` is one of its own."""

    name: str
    reason: str | None = None


class View:
    """A meeting as the screen shows it."""

    def __init__(self) -> None:
        self.meeting = Meeting()
        self.pages = Pages(self.label)
        self.now = 0
        self.behind: int | None = None
        self.levels: tuple[float, ...] = ()
        self._order: list[tuple[int, str]] = []  # start and id of finished turns
        self._open: dict[str, tuple[int | None, int]] = {}  # turns in progress, and their channel and slot
        self._numbers: dict[str, int] = {}  # of speakers, in the order in which they were first heard
        self._had_trouble = False

    def take(self, *events: ev.Event) -> None:
        """Take events, in order; durable ones that are known already change nothing."""
        known = self.meeting.seq
        self.meeting = fold(events, self.meeting)
        for event in events:
            if not isinstance(event, ev.DurableEvent) or not 0 < event.seq <= known:
                self._take(event)

    def _take(self, event: ev.Event) -> None:
        """Show what an event changed; the meeting is already that after the last event."""
        self.now = max(self.now, event.at)
        match event:
            case ev.Partial(turn=turn, stable=stable):
                self._show_partial(turn, stable)
            case ev.TurnEnd(turn=name):
                self._forget(name)
            case ev.Final(turn=turn):
                self._finish(turn.id)
            case ev.SpeakerUpdate(changes=changes):
                self._change_speakers(changes)
            case ev.Correction(turn=name):
                self._finish(name)
            case ev.Level(levels=levels):
                self.levels = levels
            case ev.Lag(behind=behind):
                self.behind = behind
            case _:
                self._take_marker(event)

    def _take_marker(self, event: ev.Event) -> None:
        """Take an event that stands between turns."""
        match event:
            case ev.Gap(start=start, end=end, reason=reason, channel=channel):
                where = f" of {self.channel_name(channel)}" if channel is not None else ""
                text = f"{to_seconds(end - start):.1f} s{where} missing: {reason}"
                self.pages.mark(Marker(start, "gap", text))
            case ev.Bookmark(at=at, note=note):
                self.pages.mark(Marker(at, "bookmark", note or "bookmark"))
            case ev.OffRecord(start=start, end=end):
                self._hide(Interval(start, max(start, end)))
            case ev.Status(at=at, state=state, reason=reason):
                self._mark_state(at, state, reason)
            case ev.End(at=at, reason=reason):
                for name in list(self._open):
                    self._forget(name)
                self.pages.mark(Marker(at, "end", f"end of the meeting: {reason}"))

    @property
    def title(self) -> str:
        """Return what the meeting is called."""
        return self.meeting.session.title if self.meeting.session else ""

    @property
    def condition(self) -> Condition:
        """Return the state to be shown."""
        if self.meeting.end is not None:
            return Condition("stopped", self.meeting.end.reason)
        status = self.meeting.status
        if status is None:
            return Condition("listening" if self.meeting.session else "starting")
        if status.state == "paused" and OFF_RECORD in (status.reason or ""):
            return Condition(OFF_RECORD, "nothing is recorded or written down; o goes on")
        return Condition(status.state, status.reason)

    @property
    def finished(self) -> list[str]:
        """Return the ids of the finished turns that can be seen, by start."""
        return [name for _, name in self._order]

    def neighbour(self, turn: str | None, step: int) -> str | None:
        """Return the finished turn that is `step` turns further on than `turn`; for None, from the end."""
        if not self._order:
            return None
        if turn is None:
            return self._order[max(len(self._order) + step, 0)][1] if step < 0 else None
        held = self.pages.said(turn)
        place = bisect_left(self._order, (held.turn.start, turn)) if held else len(self._order)
        return self._order[min(max(place + step, 0), len(self._order) - 1)][1]

    def label(self, turn: ev.Turn) -> str:
        """Return what a turn's speaker is called."""
        return shown_speaker(turn, {turn.speaker_id or "": self.meeting.name(turn.speaker_id)})

    def number(self, turn: ev.Turn) -> int:
        """Return the number of a turn's speaker, in the order in which they were first heard; the slot's if unknown."""
        return turn.slot if turn.speaker_id is None else self._numbers.get(turn.speaker_id, 0)

    def _number(self, turn: ev.Turn) -> None:
        if turn.speaker_id is not None:
            self._numbers.setdefault(turn.speaker_id, len(self._numbers))

    def channel_name(self, channel: int) -> str:
        """Return what an input channel is called."""
        sources = self.meeting.session.sources if self.meeting.session else ()
        return sources[channel] if channel < len(sources) else f"channel {channel}"

    def _show_partial(self, turn: ev.Turn, stable: int) -> None:
        """Show a turn in progress; one that its slot left without an end (the engine died) is given up."""
        if turn.id in self.meeting.heard:
            return
        place = turn.channel, turn.slot
        for name in [name for name, where in self._open.items() if where == place and name != turn.id]:
            self._forget(name)
        self._open[turn.id] = place
        if turn.speaker_id is not None:
            turn = replace(turn, speaker_id=self.meeting.resolve(turn.speaker_id))
        self._number(turn)
        self.pages.put(Said(turn, stable, False))

    def _forget(self, name: str) -> None:
        """Show a turn in progress no longer: its final comes next, if it has one."""
        if self._open.pop(name, None) is not None:
            self.pages.remove(name)

    def _finish(self, name: str) -> None:
        """Show a finished turn as it is now."""
        self._open.pop(name, None)
        held = self.pages.said(name)
        if held is not None and held.final:
            del self._order[bisect_left(self._order, (held.turn.start, name))]
        turn = self.meeting.turn(name)
        if turn is None:
            return
        if turn.redacted or not turn.text.strip():
            self.pages.remove(name)
            return
        self._number(turn)
        self.pages.put(Said(turn, len(turn.text.split()), True))
        insort(self._order, (turn.start, name))

    def _change_speakers(self, changes: Iterable[ev.Change]) -> None:
        """Show the turns of those speakers anew, and the turns that were given to them."""
        touched = {self.meeting.resolve(change.speaker_id) for change in changes}
        touched.update(change.speaker_id for change in changes)
        given = {turn for change in changes for turn in change.turns or ()}
        for name in self.finished:
            held = self.pages.said(name)
            if held and (name in given or held.turn.speaker_id in touched):
                self._finish(name)
        for name in list(self._open):
            held = self.pages.said(name)
            if held and held.turn.speaker_id in touched:
                self._show_partial(held.turn, held.firm)

    def _hide(self, hidden: Interval) -> None:
        """Take away what went off the record, and say so."""
        for name in self.finished:
            held = self.pages.said(name)
            if held and held.turn.interval.touches(hidden):
                self._finish(name)
        for name in list(self._open):
            held = self.pages.said(name)
            if held and held.turn.interval.touches(hidden):
                self._forget(name)
        duration = to_seconds(hidden.duration)
        text = f"off the record, {duration:.0f} s up to {clock(hidden.end)}: nothing of it is kept"
        self.pages.mark(Marker(hidden.start, "off_record", text))

    def _mark_state(self, at: int, state: ev.State, reason: str | None) -> None:
        """Say in the transcript that the state changed, unless it is the first one."""
        if state == "listening" and not self._had_trouble:
            return
        self._had_trouble = True
        text = _SAYINGS[state] + (f": {reason}" if reason else "")
        self.pages.mark(Marker(at, f"state {state}", text))
