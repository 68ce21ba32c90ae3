import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st

from meetscribe import events as ev
from meetscribe.errors import SequenceError
from meetscribe.meeting import Meeting, apply, fold
from meetscribe.timeline import Interval


def turn(name, start, end, speaker=None, text="hello", **more):
    return ev.Turn(
        id=name, slot=0, start=start * 16000, end=end * 16000, text=text, speaker_id=speaker, **more
    )


def meeting(*events):
    return fold(strategies.number(events))


def update(by, *changes):
    return ev.SpeakerUpdate(by=by, changes=changes)


@given(strategies.streams, st.data())
def test_snapshot_plus_changes_is_the_full_fold(events, data):
    """A snapshot taken anywhere, plus the events after it, is the fold of everything."""
    cut = data.draw(st.integers(0, len(events)))
    assert fold(events[cut:], start=fold(events[:cut])) == fold(events)


@given(strategies.logs, st.data())
def test_an_event_that_comes_twice_changes_nothing(events, data):
    """What was applied already (a redelivery) is ignored."""
    full = fold(events)
    if events:
        assert apply(full, data.draw(st.sampled_from(events))) == full


@given(strategies.logs.filter(lambda log: len(log) > 1), st.data())
def test_a_hole_in_the_log_is_an_error(events, data):
    """A missing event is noticed, not papered over."""
    gone = data.draw(st.integers(0, len(events) - 2))
    with pytest.raises(SequenceError, match="missing"):
        fold(events[:gone] + events[gone + 1 :])


@given(strategies.logs)
def test_turns_are_in_order_and_none_is_lost(events):
    """Every final turn is shown once, by start; speakers shown are those that exist."""
    folded = fold(events)
    finals = {event.turn.id for event in events if isinstance(event, ev.Final)}
    assert sorted(shown.id for shown in folded.turns) == sorted(finals)
    assert [t.start for t in folded.turns] == sorted(t.start for t in folded.turns)
    assert {t.speaker_id for t in folded.turns} - {None} <= set(folded.speakers)


@given(strategies.logs)
def test_off_the_record_leaves_no_text(events):
    """No turn that shares time with an off-record stretch has text or words, whatever came later."""
    folded = fold(events)
    hidden = [Interval(e.start, e.end) for e in events if isinstance(e, ev.OffRecord)]
    for shown in folded.turns:
        if any(shown.interval.touches(stretch) for stretch in hidden):
            assert shown.redacted
            assert not shown.text
            assert not shown.words


@given(strategies.logs)
def test_what_a_person_decided_outranks_the_tracker(events):
    """Names, texts and turns that a person set stay as the last person said."""
    folded = fold(events)
    names, texts, turns = {}, {}, {}
    for event in events:
        if isinstance(event, ev.Correction) and event.by == "person" and not event.redacted:
            texts[event.turn] = event.text
        if isinstance(event, ev.SpeakerUpdate) and event.by == "person":
            names |= {change.speaker_id: change.speaker for change in event.changes if change.speaker}
            turns |= {turn: change.speaker_id for change in event.changes for turn in change.turns or ()}
    assert all(folded.names[key].value == value for key, value in names.items())
    for shown in folded.turns:
        if shown.id in texts and not shown.redacted:
            assert shown.text == texts[shown.id]
        if shown.id in turns:
            assert shown.speaker_id == folded.resolve(turns[shown.id])


@given(strategies.logs)
def test_merges_never_go_in_circles(events):
    """Every speaker resolves to one who was not merged into anybody."""
    folded = fold(events)
    for speaker in folded.merges:
        assert folded.resolve(speaker) not in folded.merges


def test_a_merge_moves_turns_and_keeps_the_name():
    """Merged speakers share one id, and a name given before the merge is not lost."""
    folded = meeting(
        ev.Final(turn=turn("t1", 0, 1, "s1")),
        ev.Final(turn=turn("t2", 1, 2, "s2")),
        update("person", ev.Change("s2", speaker="Alice")),
        update("person", ev.Change("s2", into="s1")),
        ev.Final(turn=turn("t3", 2, 3, "s2")),
    )
    assert [shown.speaker_id for shown in folded.turns] == ["s1", "s1", "s1"]
    assert folded.speakers == {"s1": "Alice"}


def test_the_tracker_does_not_merge_away_somebody_whom_a_person_named():
    """A named speaker stays when the tracker thinks better of it."""
    folded = meeting(
        ev.Final(turn=turn("t1", 0, 1, "s1")),
        ev.Final(turn=turn("t2", 1, 2, "s2")),
        update("person", ev.Change("s2", speaker="Bob")),
        update("tracker", ev.Change("s2", into="s1")),
    )
    assert folded.speakers == {"s1": None, "s2": "Bob"}


def test_overlaps_are_mutual():
    """A turn that ended before it could know of the other shows the overlap all the same."""
    folded = meeting(ev.Final(turn=turn("t1", 0, 2)), ev.Final(turn=turn("t2", 1, 3, overlaps=("t1",))))
    assert [shown.overlaps for shown in folded.turns] == [("t2",), ("t1",)]


def test_duration_is_the_end_or_what_is_known():
    """A meeting that ended says how long it was; one that goes on has lasted up to its last turn."""
    going_on = (ev.Final(turn=turn("t1", 0, 2)),)
    assert meeting(*going_on).duration == 32000
    assert meeting(*going_on, ev.End(reason="eof", duration=64000)).duration == 64000
    assert Meeting().duration == 0
