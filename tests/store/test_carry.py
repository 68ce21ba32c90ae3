import stored_meetings as made
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe import events as ev
from meetscribe.meeting import fold, shown_speaker
from meetscribe.store.carry import carry_over


def meeting(*events):
    return fold(strategies.number([made.start("m"), *events]))


def after(old, *new):
    """The meeting that the new turns make with what was carried over."""
    carried = carry_over(old, new)
    return meeting(*(ev.Final(turn=turn) for turn in new), *carried.events), carried


def said(folded):
    return [(shown_speaker(turn, folded.speakers), turn.text) for turn in folded.turns]


OLD = meeting(
    ev.Final(turn=made.turn("t1", 0, 4, "we move the budget to friday", "s1")),
    ev.Final(turn=made.turn("t2", 1, 3, "no please do not", "s2")),
    ev.Final(turn=made.turn("t3", 5, 8, "fine then next weak", "s1")),
    made.person(ev.Change("s1", speaker="Alice"), ev.Change("s2", speaker="Bob")),
    ev.Correction(turn="t3", text="fine, then next week"),
)


def test_names_and_corrections_find_their_turns_among_other_ids():
    """Speakers numbered otherwise and turns cut a little otherwise keep names and texts."""
    folded, carried = after(
        OLD,
        made.turn("t1", 0.1, 4.1, "we move the budgets to friday", "s7"),
        made.turn("t2", 1.1, 3.2, "no please don't", "s1"),
        made.turn("t3", 5.1, 7.9, "fine then next peak", "s7"),
    )
    assert said(folded) == [
        ("Alice", "we move the budgets to friday"),
        ("Bob", "no please don't"),
        ("Alice", "fine, then next week"),
    ]
    assert (carried.names, carried.corrections, carried.kept_as_bookmarks) == (2, 1, 0)


def test_of_two_who_talk_at_once_each_keeps_their_own_name():
    """Turns that share all their time are told apart by their words, also where nobody told speakers apart."""
    both = [
        made.turn("t1", 1, 3, "no please do not", slot=0),
        made.turn("t2", 1, 3, "move the budget", slot=1),
    ]
    folded, _ = after(OLD, *both)
    assert said(folded) == [("Bob", "no please do not"), ("Alice", "move the budget")]


def test_nobody_gets_an_id_that_the_new_log_has_used_for_others():
    """A reader of its turns alone would take those others for them."""
    turns = [made.turn("t1", 1, 3, "no please do not"), made.turn("t2", 5, 8, "fine", "s9")]
    named = [
        change.speaker_id
        for used in ((), ("s2",))
        for update in carry_over(OLD, turns, used).events
        if isinstance(update, ev.SpeakerUpdate)
        for change in update.changes
        if change.speaker == "Bob"
    ]
    assert named == ["s2", "s1"]


def test_a_person_who_was_split_is_put_together():
    """Two new speakers who both are Alice become one."""
    folded, _ = after(OLD, made.turn("t1", 0, 4, "we move", "s3"), made.turn("t2", 5, 8, "fine", "s4"))
    assert {turn.speaker_id for turn in folded.turns} == {"s3"}
    assert folded.speakers == {"s3": "Alice"}


def test_a_correction_that_fits_no_turn_becomes_a_bookmark():
    """What somebody wrote is not lost, and stands at its time."""
    folded, carried = after(OLD, made.turn("t1", 0, 30, "everything in one long turn", "s1"))
    assert [(mark.at, mark.note) for mark in folded.bookmarks] == [
        (5 * 16000, "corrected before: fine, then next week")
    ]
    assert (carried.corrections, carried.kept_as_bookmarks) == (0, 1)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=8))
def test_the_same_transcript_keeps_everything(drawn):
    """Redone with the model that made it, a meeting looks as before."""
    turns = [
        made.turn(f"t{number}", number * 2, number * 2 + 1.5, f"words {number}", f"s{speaker}")
        for number, (speaker, _) in enumerate(drawn)
    ]
    fixes = [
        ev.Correction(turn=t.id, text=f"fixed {t.id}")
        for t, (_, fix) in zip(turns, drawn, strict=True)
        if fix
    ]
    names = made.person(*(ev.Change(f"s{speaker}", speaker=f"Name {speaker}") for speaker in range(3)))
    old = meeting(*(ev.Final(turn=turn) for turn in turns), names, *fixes)
    folded, _ = after(old, *turns)
    assert said(folded) == said(old)
