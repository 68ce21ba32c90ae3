import json

import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st

from meetscribe import events as ev
from meetscribe.errors import FormatError, UsageError
from meetscribe.formats import json_document, jsonl, seglst, text
from meetscribe.formats.registry import FORMATS, by_name, by_path
from meetscribe.meeting import fold


def simple(*turns, changes=()):
    """A log with a session, these turns, and changes to speakers."""
    events = [ev.Session(title="standup", started="2026-11-22T09:00:00+00:00")]
    events += [ev.Final(turn=turn) for turn in turns]
    events += [ev.SpeakerUpdate(changes=changes)] if changes else []
    return strategies.number([*events, ev.End(reason="eof", duration=160_000)], "standup")


ALICE = ev.Turn(id="t1", slot=0, start=0, end=32_000, text="Can we move it?", speaker_id="s1")
OTHER = ev.Turn(id="t2", slot=1, start=16_000, end=20_000, text="mhm", overlaps=("t1",))


@given(strategies.logs)
def test_lines_read_back_as_the_log(events):
    """The events of a log come back from JSON lines."""
    assert jsonl.decode(jsonl.encode(events)) == events


def test_a_bad_line_is_named():
    """The error says which line is wrong."""
    with pytest.raises(FormatError, match="line 2"):
        jsonl.decode("\n{\n")


@given(strategies.logs)
def test_a_document_reads_back_with_the_same_turns(events):
    """Turns, names, gaps and duration survive a JSON document."""
    before = fold(events)
    after = json_document.decode(json_document.encode(before))
    assert after.turns == before.turns
    assert after.duration == before.duration
    assert [(g.channel, g.start, g.end, g.reason) for g in after.gaps] == [
        (g.channel, g.start, g.end, g.reason) for g in before.gaps
    ]
    speakers = {turn.speaker_id for turn in before.turns} - {None}
    assert {s: after.name(s) for s in speakers} == {s: before.name(s) or None for s in speakers}


@given(strategies.logs)
def test_segments_read_back_with_times_texts_and_slots(events):
    """What SegLST can hold comes back from it."""
    before = [turn for turn in fold(events).turns if turn.text]
    after = [turn for meeting in seglst.decode(seglst.encode(fold(events))) for turn in meeting.turns]

    def key(turn):
        return (turn.start, turn.end, turn.slot, turn.channel is None, turn.channel or 0, turn.text)

    assert sorted(map(key, after)) == sorted(map(key, before))


def test_segments_of_two_at_once_stay_apart():
    """Turns that overlap are two segments with two speakers, named, numbered or by slot."""
    log = simple(ALICE, OTHER, changes=(ev.Change("s1", "Alice"),))
    segments = json.loads(seglst.encode(fold(log)))
    assert [(s["speaker"], s["words"]) for s in segments] == [("Alice", "Can we move it?"), ("B", "mhm")]
    assert [(s["start_time"], s["end_time"]) for s in segments] == [(0.0, 2.0), (1.0, 1.25)]
    assert {s["session_id"] for s in segments} == {"standup"}
    (meeting,) = seglst.decode(seglst.encode(fold(log)))
    assert [turn.speaker_id for turn in meeting.turns] == ["s1", None]
    assert meeting.speakers == {"s1": "Alice"}


def test_text_has_a_line_per_turn_and_says_who():
    """Before the text stands the name, else the speaker's id, else the letter of the slot."""
    assert text.encode(fold(simple(ALICE, OTHER))) == "s1: Can we move it?\nB: mhm\n"
    named = simple(ALICE, OTHER, changes=(ev.Change("s1", "Alice"),))
    assert text.encode(fold(named)) == "Alice: Can we move it?\nB: mhm\n"


def test_somebody_called_like_a_slot_stays_somebody():
    """A person named A in slot 0 comes back as that person, and slot A as nobody."""
    somebody = ev.Turn(id="t1", slot=0, start=0, end=16_000, text="hello", speaker_id="s1")
    nobody = ev.Turn(id="t2", slot=0, start=32_000, end=48_000, text="hello")
    log = simple(somebody, nobody, changes=(ev.Change("s1", "A"),))
    (meeting,) = seglst.decode(seglst.encode(fold(log)))
    assert [turn.speaker_id for turn in meeting.turns] == ["s1", None]
    assert meeting.speakers == {"s1": "A"}


def test_segments_of_others_have_speakers_by_their_labels():
    """Without `speaker_id` every label is somebody, the same one everywhere; a label that looks like an id is one."""
    labels = ["A", "s1", "Bob", "A", "s1"]
    rows = [
        {"session_id": "m", "speaker": label, "start_time": n, "end_time": n + 1, "words": "yes"}
        for n, label in enumerate(labels)
    ]
    (meeting,) = seglst.decode(json.dumps(rows))
    ids = [turn.speaker_id for turn in meeting.turns]
    assert ids[1] == ids[4] == "s1"
    assert ids[0] == ids[3]
    assert len({*ids, None}) == 4
    assert [meeting.name(number) or number for number in ids] == labels


def at_once(number, slot, start, end, words):
    """A turn with a word in each equal part of its time."""
    edges = [start + (end - start) * n // len(words) for n in range(len(words) + 1)]
    timed = [ev.Word(w, a, b, 0.5) for w, a, b in zip(words, edges[:-1], edges[1:], strict=True)]
    return ev.Turn(id=f"t{number}", slot=slot, start=start, end=end, text=" ".join(words), words=tuple(timed))


@st.composite
def talk_in_both_slots(draw):
    """The finals of a talk: in a slot turns follow each other, across slots they overlap; in any order."""
    turns = []
    for slot in (0, 1):
        end = 0
        for _ in range(draw(st.integers(1, 4))):
            start = end + draw(st.integers(0, 2000)) * 16
            end = start + draw(st.integers(100, 5000)) * 16
            words = draw(st.lists(st.sampled_from(["yes", "no", "well", "I'm"]), min_size=1, max_size=6))
            turns.append(at_once(len(turns) + 1, slot, start, end, words))
    return draw(st.permutations(turns))


@given(talk_in_both_slots())
def test_two_at_once_survive_every_format_whatever_closes_first(turns):
    """Slots, times, words and texts come back from JSON and JSON lines; SegLST keeps all but the words' times."""
    before = fold(simple(*turns))
    assert json_document.decode(json_document.encode(before)).turns == before.turns
    assert fold(jsonl.decode(jsonl.encode(simple(*turns)))) == before
    (after,) = seglst.decode(seglst.encode(before))

    def key(turn):
        return (turn.start, turn.end, turn.slot, turn.text, turn.speaker_id)

    assert sorted(map(key, after.turns), key=str) == sorted(map(key, before.turns), key=str)
    lines = text.encode(before).splitlines()
    assert lines == [f"{'AB'[turn.slot]}: {turn.text}" for turn in before.turns]


@given(talk_in_both_slots())
def test_segments_read_back_know_who_overlapped(turns):
    """Turns that share time are said to, both ways, and no others."""
    (meeting,) = seglst.decode(seglst.encode(fold(simple(*turns))))
    for one in meeting.turns:
        others = {t.id for t in meeting.turns if t.id != one.id and t.interval.touches(one.interval)}
        assert set(one.overlaps) == others


def test_nobody_speaking_is_empty():
    """Without speech text is empty, JSON has no turns, SegLST is an empty list."""
    silent = fold(simple())
    assert text.encode(silent) == ""
    assert json.loads(seglst.encode(silent)) == []
    assert json.loads(json_document.encode(silent)) == {
        "version": 1,
        "session": "standup",
        "duration": 10.0,
        "model": None,
        "turns": [],
        "gaps": [],
    }


@pytest.mark.parametrize("decode", [json_document.decode, seglst.decode])
@given(data=st.sampled_from(["", "{}", "[1]", "null", '{"version": 2}', '[{"session_id": 1}]', "[" * 9999]))
def test_other_files_are_refused(decode, data):
    """What is not in the format raises a FormatError."""
    with pytest.raises(FormatError):
        decode(data)


def test_formats_are_found_by_name_and_by_longest_extension():
    """`a.seglst.json` is SegLST although `.json` fits as well."""
    assert [by_name(known.name) for known in FORMATS] == list(FORMATS)
    assert by_path("x/a.seglst.json").name == "seglst"
    assert by_path("a.JSON").name == "json"
    with pytest.raises(UsageError, match="choose one of text, json"):
        by_name("pdf")
    with pytest.raises(UsageError, match="extension"):
        by_path("a.pdf")


@given(strategies.logs)
def test_every_format_writes_every_log(events):
    """No log makes a format fail."""
    for known in FORMATS:
        assert isinstance(known.data(events), bytes)
