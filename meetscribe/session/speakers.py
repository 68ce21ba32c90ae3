"""The speakers of a meeting in progress: finals get theirs, and what changes for earlier ones becomes an event.

Voices end here: what goes on to readers and to the log has none.
Not covered: how people are told apart (`streaming/speakers.py`), who is remembered (`store/people.py`).
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from meetscribe.events import Change, Final
from meetscribe.meeting import Meeting
from meetscribe.streaming.naming import name_turns
from meetscribe.streaming.remembered import Candidate, Recall, RecallSettings, Remembered
from meetscribe.streaming.second_pass import SecondPassSettings, decide_anew
from meetscribe.streaming.speakers import Heard, Tracker, TrackerSettings

KEPT = 4_000
"""Turns whose voices are kept for a second pass: more than two hours of talk have."""


@dataclass(frozen=True)
class SpeakerSettings:
    """How people are told apart, who is remembered from meetings before, and how many there are (None: find out)."""

    tracker: TrackerSettings = field(default_factory=TrackerSettings)
    recall: RecallSettings = field(default_factory=RecallSettings)
    remembered: tuple[Remembered, ...] = ()
    people: int | None = None


class Speakers:
    """Who is who so far.

    Args:
        settings: how people are told apart.
        meeting: returns the meeting as it is now, whose ids are taken.
        second_pass: keep what a decision over the whole recording needs; names wait for it too, since the more is
            heard of a voice the surer they are.
    """

    def __init__(
        self, settings: SpeakerSettings, meeting: Callable[[], Meeting], second_pass: bool = False
    ) -> None:
        self._settings, self._meeting = settings, meeting
        self._tracker = Tracker(settings.tracker, self._new_id)
        self._recall = Recall(settings.remembered, settings.recall)
        self._heard: deque[Heard] | None = deque(maxlen=KEPT) if second_pass else None
        self._given: set[str] = set()  # ids
        self._embedder = ""

    def hear(self, final: Final) -> tuple[Final, tuple[Change, ...]]:
        """Return a final with its speaker and without its voice, and what changes for others."""
        turn, voice = final.turn, final.voice
        speaker, changes = self._tracker.hear(turn, voice)
        if turn.speaker_id is None and voice is not None and not turn.redacted:
            self._embedder = voice.embedder
            self._keep(Heard.of(turn, voice, speaker), changes)
            merges = {change.speaker_id: change.into for change in changes if change.into is not None}
            self._recall.merged(merges)
            if self._heard is None:
                changes = (*changes, *self._recall.recognise(self._candidates(), voice.embedder))
        return replace(final, turn=replace(turn, speaker_id=speaker), voice=None), changes

    def forget(self, turns: Collection[str]) -> None:
        """Take back what was heard of turns that go off the record."""
        self._tracker.forget(turns)
        if self._heard is not None:
            self._heard = deque((one for one in self._heard if one.turn.id not in turns), maxlen=KEPT)

    def decide_anew(self) -> tuple[Change, ...]:
        """Return what changes when the whole recording is looked at again."""
        if not self._heard:
            return ()
        settings = SecondPassSettings(self._settings.tracker.resemblance, people=self._settings.people)
        changes = decide_anew(list(self._heard), settings, self._new_id)
        return (*changes, *self._named())

    def _named(self) -> tuple[Change, ...]:
        """Return the names of the turns of a whole recording, and of speakers who said nothing long enough."""
        assert self._heard is not None
        by_hand = {speaker for speaker, name in self._meeting().names.items() if name.by == "person"}
        changes = name_turns(self._heard, self._recall, self._embedder, self._new_id, by_hand)
        judged = {one.speaker for one in self._heard if one.seconds >= self._settings.recall.judged}
        rest = [one for one in _groups(self._heard) if one.id in self._recall.given or one.id not in judged]
        return (*changes, *self._recall.recognise(rest, self._embedder))

    def _keep(self, one: Heard, changes: Sequence[Change]) -> None:
        """Keep a turn for the second pass, and note what its coming changed."""
        if self._heard is None:
            return
        self._heard.append(one)
        merged = {change.speaker_id: change.into for change in changes if change.into is not None}
        given = {turn: change.speaker_id for change in changes for turn in change.turns or ()}
        if not merged and not given:
            return
        for old in self._heard:
            old.speaker = given.get(old.turn.id, old.speaker)
            if old.speaker is not None:
                old.speaker = merged.get(old.speaker, old.speaker)

    def _candidates(self) -> Iterator[Candidate]:
        for one in self._tracker.speakers.values():
            yield Candidate(one.id, one.said.voice, one.seconds, frozenset(one.apart))

    def _new_id(self) -> str:
        """Return the next id that neither the tracker, nor a channel, nor a person gave."""
        meeting = self._meeting()
        taken = (
            {turn.speaker_id for turn in meeting.heard.values()} | set(meeting.names) | set(meeting.merges)
        )
        taken |= {decision.value for decision in meeting.assigned.values()} | self._given
        numbers = [int(id[1:]) for id in taken if id is not None and id[1:].isdecimal()]
        self._given.add(f"s{max(numbers, default=0) + 1}")
        return f"s{max(numbers, default=0) + 1}"


def _groups(heard: Collection[Heard]) -> list[Candidate]:
    """Return the speakers of a whole recording."""
    totals: dict[str, Candidate] = {}
    meanwhile: dict[str, set[str]] = {}
    whose = {one.turn.id: one.speaker for one in heard}
    for one in heard:
        if one.speaker is None:
            continue
        known = totals.get(one.speaker)
        total, seconds = one.voice * one.seconds, one.seconds
        if known is not None:
            total, seconds = known.total + total, known.seconds + seconds
        others = {whose.get(other) for other in one.turn.overlaps} - {None, one.speaker}
        meanwhile.setdefault(one.speaker, set()).update(str(other) for other in others)
        totals[one.speaker] = Candidate(one.speaker, total, seconds)
    for name, others in meanwhile.items():
        for other in others:
            meanwhile.setdefault(other, set()).add(name)
    return [replace(one, apart=frozenset(meanwhile.get(name, ()))) for name, one in totals.items()]
