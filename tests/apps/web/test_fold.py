import json

import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe import events as ev
from meetscribe.formats import json_document, jsonl, registry, wire
from meetscribe.meeting import fold
from meetscribe.timeline import to_seconds


def encode(events):
    return [wire.encode(event) for event in events]


def decided(held):
    return {key: {"value": decision.value, "by": decision.by} for key, decision in held.items()}


@settings(max_examples=60)
@given(strategies.streams)
def test_the_page_folds_any_log_as_python_does(node, events):
    """Speakers, names, merges, assigned turns, corrections, duration and state are the same from any log."""
    meeting = fold(events)
    folded = node("fold", encode(events))
    assert folded["seq"] == meeting.seq
    assert folded["duration"] / 1000 == to_seconds(meeting.duration)
    assert folded["speakers"] == meeting.speakers
    assert folded["order"] == list(meeting.speakers)
    for field in ("names", "merges", "assigned", "corrections"):
        assert folded[field] == decided(getattr(meeting, field))
    assert folded["status"] == (meeting.status.state if meeting.status else None)


@settings(max_examples=60)
@given(strategies.streams)
def test_the_page_saves_what_export_writes(node, events):
    """Text, JSON and JSON lines saved in the browser are those that `meetscribe export` writes."""
    made = node("formats", encode(events))
    meeting = fold(events)
    assert made["text"] == registry.by_name("text").encode(events)
    assert json.loads(made["json"]) == json.loads(json_document.encode(meeting))
    if not meeting.off_record:
        ours = [json.loads(line) for line in jsonl.encode(events).split("\n") if line]
        assert [json.loads(line) for line in made["jsonl"].split("\n") if line] == ours


@settings(max_examples=60)
@given(strategies.streams)
def test_what_is_off_the_record_is_in_no_file_saved_from_the_page(node, events):
    """The page's own copy of the log is emptied too: finals that were hidden have no text or words left in it."""
    saved = [json.loads(line) for line in node("formats", encode(events))["jsonl"].split("\n") if line]
    hidden = fold(events).off_record
    for line in saved:
        if line["type"] == "final" and any(wire.read_turn(line["turn"]).interval.touches(h) for h in hidden):
            assert line["turn"]["redacted"]
            assert not line["turn"]["text"]
            assert not line["turn"]["words"]


def test_a_hole_is_noticed(node):
    """The page does not fold over missing events: it throws, and the connection reads them again."""
    events = encode(strategies.number([ev.Bookmark(), ev.Bookmark(), ev.Bookmark()]))
    with pytest.raises(AssertionError, match="missing"):
        node("fold", [events[0], events[2]])


def partial(name, revision=1, start=0, end=16_000):
    turn = ev.Turn(id=name, slot=0, start=start, end=end, text="so far")
    return ev.Partial(turn=turn, revision=revision, stable=0)


def test_a_turn_in_progress_goes_when_it_ended_without_words(node):
    """A partial is shown until its final, or until what follows `turn_end` shows that there is none."""

    def shown(*events):
        return node("partials", encode(strategies.number(events)))

    end = ev.TurnEnd(turn="t1", slot=0, end=16_000)
    assert shown(partial("t1"), partial("t2")) == ["t1", "t2"]
    assert shown(partial("t1"), end) == ["t1"]
    assert shown(partial("t1"), end, partial("t2")) == ["t2"]
    assert shown(partial("t1"), end, ev.Final(turn=partial("t1").turn)) == []
    assert shown(ev.Final(turn=partial("t1").turn), partial("t1")) == []


spoken = st.lists(strategies.turns, max_size=8, unique_by=lambda turn: turn.id).map(
    lambda turns: sorted(turns, key=lambda turn: (turn.start, turn.end, turn.id))
)


@settings(max_examples=60)
@given(spoken)
def test_every_word_has_one_place(node, turns):
    """Each turn stands once, with all its words in order, and no two turns share a lane and a row."""
    groups = node("layout", [wire.write_turn(turn, {}) for turn in turns])
    placed = {place["turn"]: place for group in groups for place in group["places"]}
    assert list(placed) == [turn.id for turn in turns]
    for turn in turns:
        words = [word for piece in placed[turn.id]["pieces"] for word in piece.split()]
        assert words == turn.text.split()
        assert placed[turn.id]["times"] == sorted(placed[turn.id]["times"])
    for group in groups:
        taken = [
            (place["lane"], place["first"] + row)
            for place in group["places"]
            for row in range(max(len(place["pieces"]), 1))
        ]
        assert len(taken) == len(set(taken))
        assert all(lane < group["lanes"] and row < group["rows"] for lane, row in taken)


def turn(name, slot, *words):
    """A turn of words, each (text, start) in seconds; the last one lasts 0.4 s."""
    made = tuple(ev.Word(text, round(start * 16_000), round((start + 0.4) * 16_000)) for text, start in words)
    text = " ".join(word.word for word in made)
    return wire.write_turn(ev.Turn(name, slot, made[0].start, made[-1].end, text, made), {})


def test_what_was_said_at_the_same_time_stands_in_one_row(node):
    """A word thrown in stands beside the words of the other that it was said to, the rest above and below."""
    long = turn("t1", 0, *((f"w{n}", n / 2) for n in range(12)))
    (group,) = node("layout", [long, turn("t2", 1, ("yeah", 2.0))])
    first, second = group["places"]
    assert (first["lane"], second["lane"]) == (0, 1)
    assert first["pieces"] == ["w0 w1 w2 w3", "w4 w5 w6 w7 w8 w9 w10 w11"]
    assert (second["first"], second["pieces"]) == (1, ["yeah"])


def test_two_who_talk_on_get_a_new_row_every_few_seconds(node):
    """Rows stay in step however long both talk."""
    both = [turn(f"t{slot}", slot, *((f"w{n}", n / 2 + slot / 10) for n in range(40))) for slot in (0, 1)]
    (group,) = node("layout", both)
    assert group["rows"] == 4
    assert all(len(place["pieces"]) == 4 for place in group["places"])


def test_those_who_do_not_overlap_stand_apart(node):
    """Turns that follow each other are groups of one row each."""
    groups = node("layout", [turn("t1", 0, ("a", 0.0)), turn("t2", 0, ("b", 1.0)), turn("t3", 1, ("c", 2.0))])
    assert [group["rows"] for group in groups] == [1, 1, 1]
