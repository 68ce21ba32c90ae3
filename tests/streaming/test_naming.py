import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.events import Turn, Voice
from meetscribe.streaming.likeness import Likeness
from meetscribe.streaming.naming import name_turns
from meetscribe.streaming.remembered import Recall, RecallSettings, Remembered
from meetscribe.streaming.speakers import Heard

LIKENESS = Likeness(offset=-6.0, score=14.0, length=0.0, score_length=2.0)
AXES = np.eye(8)
ALICE, BOB, STRANGER = 0, 1, 3


def recall(embedder: str = "e") -> Recall:
    voices = {"Alice": ALICE, "Bob": BOB}
    people = [Remembered(name, Voice(tuple(AXES[who]), 20.0, embedder)) for name, who in voices.items()]
    return Recall(people, RecallSettings(LIKENESS))


def meeting(*said: tuple[int, float, str | None], overlaps: frozenset[int] = frozenset()) -> list[Heard]:
    """Return turns of (voice, seconds, speaker); those in `overlaps` are said while the one before is."""
    return [
        Heard(
            Turn(f"t{n}", 0, 0, 16_000, "words", overlaps=(f"t{n - 1}",) if n and n in overlaps else ()),
            AXES[who],
            seconds,
            speaker,
        )
        for n, (who, seconds, speaker) in enumerate(said)
    ]


def named(heard: list[Heard], subject: Recall | None = None, kept: tuple[str, ...] = ()) -> dict[str, str]:
    """Name turns and return the name of each that has one."""
    ids = iter(f"s{number}" for number in range(50, 99))
    changes = name_turns(heard, subject or recall(), "e", lambda: next(ids), kept)
    whose = {one.turn.id: one.speaker for one in heard}
    for change in changes:
        assert all(whose[turn] == change.speaker_id for turn in change.turns or ())
    names = {change.speaker_id: change.speaker for change in changes if change.speaker}
    return {turn: names[speaker] for turn, speaker in whose.items() if speaker in names}


def test_a_strangers_turns_do_not_take_the_name_of_the_speaker_they_were_put_to() -> None:
    """Where the tracker took two people for one, only the turns with her voice are Alice's, of short ones too."""
    heard = meeting(
        (ALICE, 4.0, "s1"),
        (STRANGER, 4.0, "s1"),
        (ALICE, 3.0, "s1"),
        (STRANGER, 3.0, "s1"),
        (ALICE, 3.0, "s1"),
        (STRANGER, 0.8, "s1"),
        (ALICE, 0.8, "s1"),
    )
    assert named(heard) == dict.fromkeys(["t0", "t2", "t4", "t6"], "Alice")
    assert [one.speaker for one in heard] == ["s1", "s50", "s1", "s50", "s1", "s50", "s1"]


def test_a_turn_that_was_put_to_somebody_else_comes_back() -> None:
    """A turn with Alice's voice is hers, whoever's it was, and so is one that was nobody's."""
    heard = meeting(
        (ALICE, 4.0, "s1"), (BOB, 4.0, "s2"), (ALICE, 3.0, "s2"), (BOB, 4.0, "s2"), (ALICE, 3.0, None)
    )
    assert named(heard) == {"t0": "Alice", "t1": "Bob", "t2": "Alice", "t3": "Bob", "t4": "Alice"}
    assert [one.speaker for one in heard] == ["s1", "s2", "s1", "s2", "s1"]


def test_a_speaker_who_is_mostly_somebody_else_keeps_their_id() -> None:
    """One turn of Alice among many of a stranger leaves; the stranger stays who they were."""
    heard = meeting(*[(STRANGER, 4.0, "s1")] * 3, (ALICE, 4.0, "s1"))
    assert named(heard) == {"t3": "Alice"}
    assert [one.speaker for one in heard] == ["s1", "s1", "s1", "s50"]


def test_speakers_whom_people_named_are_left_alone() -> None:
    """What was decided by hand stays, however alike a remembered voice is."""
    heard = meeting((ALICE, 4.0, "s1"), (ALICE, 4.0, "s2"))
    assert named(heard, kept=("s1",)) == {"t1": "Alice"}
    assert [one.speaker for one in heard] == ["s1", "s2"]


def test_nobody_is_named_by_voices_of_another_embedder() -> None:
    """Nor where nobody is remembered."""
    for subject in (recall("another"), Recall((), RecallSettings(LIKENESS))):
        assert named(meeting((ALICE, 4.0, "s1")), subject) == {}


turns = st.lists(
    st.tuples(
        st.sampled_from([ALICE, BOB, STRANGER]),
        st.sampled_from([0.8, 2.5, 5.0]),
        st.sampled_from(["s1", "s2", "s3", None]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(turns, st.sets(st.integers(1, 11)))
def test_nobody_is_named_in_two_turns_at_once(said: list, overlaps: set[int]) -> None:
    """Turns that overlap and had different speakers still have, and every name's turns are of one speaker."""
    heard = meeting(*said, overlaps=frozenset(overlaps))
    before = [one.speaker for one in heard]
    names = named(heard)
    for number in range(1, len(heard)):
        first, second = heard[number - 1].speaker, heard[number].speaker
        if number in overlaps and before[number - 1] != before[number]:
            assert first is None or first != second
    for name in set(names.values()):
        assert len({one.speaker for one in heard if names.get(one.turn.id) == name}) == 1


def test_a_name_is_one_persons() -> None:
    """Who sounds somewhat like Alice has her name, but not beside somebody likelier to be her."""
    mixed = (np.sqrt(0.26) * AXES[ALICE] + np.sqrt(0.74) * AXES[STRANGER])[None].repeat(2, 0)
    alone = meeting((STRANGER, 4.0, "s1"), (STRANGER, 4.0, "s1"))
    beside = meeting((STRANGER, 4.0, "s1"), (STRANGER, 4.0, "s1"), (ALICE, 4.0, "s2"), (ALICE, 4.0, "s2"))
    for heard in (alone, beside):
        for one, voice in zip(heard, mixed, strict=False):
            one.voice = voice
    assert named(alone) == {"t0": "Alice", "t1": "Alice"}
    assert named(beside) == {"t2": "Alice", "t3": "Alice"}
