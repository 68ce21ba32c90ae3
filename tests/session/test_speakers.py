import functools
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.events import Change, DurableEvent, Final, SpeakerUpdate, Turn, Voice, numbered
from meetscribe.formats import wire
from meetscribe.meeting import Meeting, apply, fold
from meetscribe.session.speakers import Speakers, SpeakerSettings
from meetscribe.streaming.likeness import Likeness
from meetscribe.streaming.remembered import RecallSettings, Remembered
from meetscribe.streaming.resemblance import Resemblance
from meetscribe.streaming.speakers import TrackerSettings

LIKENESS = Likeness(offset=-6.0, score=14.0, length=0.0, score_length=2.0)
AXES = np.eye(16)
SETTINGS = SpeakerSettings(TrackerSettings(Resemblance(LIKENESS)), RecallSettings(LIKENESS))


def final(number: int, who: int, seconds: float = 3.0) -> Final:
    rng = np.random.default_rng(number)
    vector = AXES[who] + rng.standard_normal(16) * 0.1
    voice = Voice(tuple(vector / np.linalg.norm(vector)), seconds, "e")
    start = number * 64_000
    turn = Turn(f"t{number}", 0, start, start + int(seconds * 16_000), "words")
    return Final(at=turn.end, turn=turn, voice=voice)


class Held:
    """A meeting as a session holds it."""

    def __init__(self, chosen: SpeakerSettings = SETTINGS, second_pass: bool = False) -> None:
        self.meeting = Meeting()
        self.log: list[DurableEvent] = []
        self.speakers = Speakers(chosen, lambda: self.meeting, second_pass)

    def add(self, event: DurableEvent) -> None:
        event = numbered(event, "m", self.meeting.seq)  # type: ignore[assignment]
        self.log.append(event)
        self.meeting = apply(self.meeting, event)

    def hear(self, event: Final) -> None:
        event, changes = self.speakers.hear(event)
        self.add(event)
        if changes:
            self.add(SpeakerUpdate(changes=changes))

    def names(self) -> dict[str, str | None]:
        return {turn.id: self.meeting.name(turn.speaker_id) for turn in self.meeting.turns}


def test_finals_leave_with_a_speaker_and_without_a_voice() -> None:
    """Nothing of a voice is in an event that goes on to readers and to the log."""
    held = Held()
    held.hear(final(0, 0))
    (event,) = held.log
    assert isinstance(event, Final)
    assert event.voice is None
    assert event.turn.speaker_id == "s1"
    assert "vector" not in wire.dumps(replace(event, voice=final(0, 0).voice))


def test_ids_that_people_gave_are_not_given_again() -> None:
    """A person made s1 of an unknown turn; the first speaker whom the tracker finds is s2."""
    held = Held()
    held.hear(final(0, 0, seconds=0.3))
    held.add(SpeakerUpdate(changes=(Change("s1", "Alice", turns=("t0",)),), by="person"))
    held.hear(final(1, 1))
    assert held.meeting.turn("t1").speaker_id == "s2"  # type: ignore[union-attr]


def test_who_is_remembered_is_named_and_a_stranger_is_not() -> None:
    """The voice of a remembered person gets their name when there was enough of it."""
    people = (Remembered("Alice", Voice(tuple(AXES[0]), 20.0, "e")),)
    held = Held(replace(SETTINGS, remembered=people))
    for number in range(6):
        held.hear(final(number, number % 2))
    assert set(held.names().values()) == {"Alice", None}
    assert all((name == "Alice") == (int(turn[1:]) % 2 == 0) for turn, name in held.names().items())


def test_a_name_given_by_hand_is_never_overwritten() -> None:
    """Whoever was called Bob by a person stays Bob, however sure the memory is that it is Alice."""
    people = (Remembered("Alice", Voice(tuple(AXES[0]), 20.0, "e")),)
    held = Held(replace(SETTINGS, remembered=people, recall=replace(SETTINGS.recall, least=5.0)))
    held.hear(final(0, 0))
    held.add(SpeakerUpdate(changes=(Change("s1", "Bob"),), by="person"))
    for number in range(1, 4):
        held.hear(final(number, 0))
    assert set(held.names().values()) == {"Bob"}


def test_what_goes_off_the_record_is_not_learned_from() -> None:
    """After a turn was taken back, its speaker's voice is what the others say of it."""
    held = Held()
    held.hear(final(0, 0))
    held.hear(final(1, 1))
    before = held.speakers._tracker.speakers["s2"].seconds
    held.hear(final(2, 1))
    held.speakers.forget({"t2"})
    assert held.speakers._tracker.speakers["s2"].seconds == before


def test_a_recording_is_decided_anew_at_its_end() -> None:
    """With a second pass a turn that was too short to be anybody's early on is given to whom it is likest."""
    held = Held(second_pass=True)
    held.hear(final(0, 1, seconds=1.2))
    for number in range(30, 40):
        held.hear(final(number, number % 2))
    assert held.meeting.turn("t0").speaker_id is None  # type: ignore[union-attr]
    held.add(SpeakerUpdate(changes=held.speakers.decide_anew()))
    assert held.meeting.turn("t0").speaker_id == held.meeting.turn("t31").speaker_id  # type: ignore[union-attr]


people_decide = st.lists(
    st.tuples(
        st.integers(0, 11), st.sampled_from(["Alice", "Bob", None]), st.integers(1, 3), st.integers(1, 3)
    ),
    max_size=4,
)


@functools.cache
def untouched() -> tuple[DurableEvent, ...]:
    held = Held()
    for number in range(12):
        held.hear(final(number, number % 3))
    return tuple(held.log)


@settings(max_examples=60, deadline=None)
@given(people_decide, st.integers(0, 20))
def test_renames_and_merges_commute_with_replay(decided: list, cut: int) -> None:
    """What the tracker says does not depend on what people decide, and a log replayed in two pieces is the meeting."""
    held = Held()
    for number in range(12):
        held.hear(final(number, number % 3))
        for when, name, one, other in decided:
            if when == number and number >= 2:
                change = Change(f"s{one}", name) if name else Change(f"s{one}", into=f"s{other}")
                held.add(SpeakerUpdate(changes=(change,), by="person"))
    said = [event for event in held.log if not (isinstance(event, SpeakerUpdate) and event.by == "person")]
    assert [replace(e, seq=0) for e in said] == [replace(e, seq=0) for e in untouched()]
    assert fold(held.log[cut:], fold(held.log[:cut])) == held.meeting == fold(held.log)
    late = [*said, *(event for event in held.log if event not in said)]
    moved = fold(numbered(event, "m", seq) for seq, event in enumerate(late))
    for meeting in (moved, held.meeting):
        assert len(meeting.turns) == 12
    assert {t.id: moved.name(t.speaker_id) for t in moved.turns} == held.names()
