import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe import events as ev
from meetscribe.meeting import Meeting, fold
from meetscribe.session.commands import Ack, Command, CommandError, ack_json, decided, error_json, parse


def meeting(*events: ev.DurableEvent) -> Meeting:
    """A meeting with turns t1 (of s1) and t2 (of nobody), and what else happened."""
    said = [
        ev.Session(session="m", title="m", started="2026-11-22T09:00:00+00:00"),
        ev.Final(turn=ev.Turn(id="t1", slot=0, start=0, end=16_000, text="one", speaker_id="s1")),
        ev.Final(turn=ev.Turn(id="t2", slot=1, start=0, end=16_000, text="two")),
        *events,
    ]
    return fold(ev.numbered(event, "m", number) for number, event in enumerate(said))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {"name": "rename", "speaker_id": "s2", "speaker": " Alice  B "},
            {"speaker_id": "s2", "speaker": "Alice B"},
        ),
        ({"name": "rename", "turn": "t1", "speaker": "Bob"}, {"turn": "t1", "speaker": "Bob"}),
        ({"name": "merge", "speaker_id": "s2", "into": "s1"}, {"speaker_id": "s2", "into": "s1"}),
        ({"name": "correct", "turn": "t1", "text": "hello"}, {"turn": "t1", "text": "hello"}),
        ({"name": "bookmark"}, {"note": ""}),
        ({"name": "off_record", "seconds": 30}, {"seconds": 30.0}),
        ({"name": "off_record", "action": "start"}, {"action": "start"}),
        ({"name": "stop", "unknown": 1}, {}),
    ],
)
def test_commands_are_parsed(value: dict, expected: dict) -> None:
    """Every command of the interface is understood; unknown fields are left out."""
    assert parse({"type": "command", "id": "c1", **value}) == Command(id="c1", name=value["name"], **expected)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "bad_command"),
        ({"type": "hello"}, "bad_command"),
        ({"id": 3, "name": "stop"}, "bad_field"),
        ({"name": "dance"}, "unknown_command"),
        ({"name": ["stop"]}, "unknown_command"),
        ({"name": "rename", "speaker": "A"}, "bad_field"),
        ({"name": "merge", "speaker_id": "s1"}, "bad_field"),
        ({"name": "correct", "turn": "t1", "text": ""}, "bad_field"),
        ({"name": "correct", "turn": "t1", "text": "x" * 10_001}, "bad_field"),
        ({"name": "off_record"}, "bad_field"),
        ({"name": "off_record", "seconds": -1}, "bad_field"),
        ({"name": "off_record", "seconds": float("nan")}, "bad_field"),
        ({"name": "off_record", "seconds": True}, "bad_field"),
        ({"name": "off_record", "action": "pause"}, "bad_field"),
    ],
)
def test_what_is_no_command_has_a_code(value: object, code: str) -> None:
    """What cannot be understood is refused with a code and a sentence."""
    with pytest.raises(CommandError) as refused:
        parse(value)
    assert refused.value.code == code
    assert refused.value.message


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_anything_is_a_command_or_refused(value: object) -> None:
    """No JSON value makes the parser fail in another way."""
    with contextlib.suppress(CommandError):
        assert isinstance(parse(value), Command)


def test_a_command_becomes_an_event() -> None:
    """Names, merges, corrections and bookmarks are decisions of a person."""
    now = meeting()
    rename = decided(Command("c", "rename", speaker_id="s1", speaker="Alice"), now, 5)
    assert rename == ev.SpeakerUpdate(at=5, changes=(ev.Change("s1", speaker="Alice"),), by="person")
    whose = decided(Command("c", "rename", turn="t2", speaker="Bob"), now, 5)
    assert whose == ev.SpeakerUpdate(
        at=5, changes=(ev.Change("s2", speaker="Bob", turns=("t2",)),), by="person"
    )
    known = decided(Command("c", "rename", turn="t1", speaker="Bob"), now, 5)
    assert known == ev.SpeakerUpdate(at=5, changes=(ev.Change("s1", speaker="Bob"),), by="person")
    named = meeting(whose)
    merge = decided(Command("c", "merge", speaker_id="s2", into="s1"), named, 5)
    assert merge == ev.SpeakerUpdate(at=5, changes=(ev.Change("s2", into="s1"),), by="person")
    assert decided(Command("c", "correct", turn="t1", text="uno"), now, 5) == ev.Correction(
        at=5, turn="t1", text="uno"
    )
    assert decided(Command("c", "bookmark", note="here"), now, 5) == ev.Bookmark(at=5, note="here")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (Command("c", "rename", speaker_id="s9", speaker="A"), "unknown_speaker"),
        (Command("c", "rename", turn="t9", speaker="A"), "unknown_turn"),
        (Command("c", "merge", speaker_id="s1", into="s9"), "unknown_speaker"),
        (Command("c", "merge", speaker_id="s1", into="s1"), "bad_field"),
        (Command("c", "correct", turn="t9", text="x"), "unknown_turn"),
        (Command("c", "pause"), "not_running"),
    ],
)
def test_commands_about_what_is_not_there_are_refused(command: Command, code: str) -> None:
    """A command names speakers and turns of the meeting."""
    with pytest.raises(CommandError) as refused:
        decided(command, meeting(), 5)
    assert (refused.value.code, refused.value.id) == (code, "c")


def test_what_is_off_the_record_is_not_corrected() -> None:
    """A turn that was taken back does not come back as a correction."""
    hidden = meeting(ev.OffRecord(start=0, end=8_000))
    with pytest.raises(CommandError, match="off the record"):
        decided(Command("c", "correct", turn="t1", text="x"), hidden, 5)


def test_answers_have_the_documented_shape() -> None:
    """Acks and errors are the JSON objects of the interface."""
    assert ack_json(Ack("c1", 42)) == {"type": "ack", "id": "c1", "seq": 42}
    answer = error_json(CommandError("unknown_turn", "there is none"), "c2")
    assert answer == {"type": "error", "id": "c2", "code": "unknown_turn", "message": "there is none"}
