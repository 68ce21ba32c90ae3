import contextlib
import json

import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st

from meetscribe import events as ev
from meetscribe.errors import FormatError
from meetscribe.formats import wire

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(strategies.streams)
def test_what_is_written_reads_back_equal(events):
    """decode(encode(e)) == e for every event, as objects and as lines."""
    for event in events:
        assert wire.decode(wire.encode(event, {"s1": "Alice"})) == event
        assert wire.loads(wire.dumps(event)) == event
        assert "\n" not in wire.dumps(event)


def test_a_final_looks_as_documented():
    """The documented example of a final is what is written."""
    turn = ev.Turn(
        id="t17",
        slot=0,
        speaker_id="s2",
        start=1441920,
        end=1482240,
        text="Can we move it to Friday?",
        words=(ev.Word("Can", 1441920, 1444800, 0.94),),
        overlaps=("t16",),
    )
    event = ev.Final(session="2026-11-22-standup", seq=41, at=1491200, turn=turn)
    documented = json.loads(
        '{"type": "final", "version": 1, "session": "2026-11-22-standup", "seq": 41, "at": 93.2,'
        ' "turn": {"id": "t17", "slot": 0, "channel": null, "speaker_id": "s2", "speaker": "Alice",'
        ' "start": 90.12, "end": 92.62, "text": "Can we move it to Friday?",'
        ' "words": [{"word": "Can", "start": 90.12, "end": 90.30, "confidence": 0.94}],'
        ' "overlaps": ["t16"]}}'
    )
    documented["turn"]["end"] = 92.64
    assert wire.encode(event, {"s2": "Alice"}) == documented


@given(strategies.streams, st.data())
def test_a_broken_event_is_refused_with_a_sentence(events, data):
    """Replacing any value of an event by nonsense gives an equal shape or a FormatError, nothing else."""
    for event in events:
        written = wire.encode(event)
        key = data.draw(st.sampled_from(sorted(written)))
        written[key] = data.draw(json_values)
        with contextlib.suppress(FormatError):
            assert isinstance(wire.decode(written), ev.Event)


@given(json_values)
def test_nonsense_is_refused(value):
    """What is no event at all is refused with a sentence."""
    with pytest.raises(FormatError, match="not a type of event"):
        wire.decode(value)


@pytest.mark.parametrize("line", ["", "{", "[]", "null", '{"type": "final"}', "[" * 10_000])
def test_lines_that_are_no_events_are_refused(line):
    """Bad JSON and bad events raise the same kind of error."""
    with pytest.raises(FormatError):
        wire.loads(line)


def test_unknown_keys_are_ignored():
    """A newer writer may add keys."""
    event = ev.Bookmark(session="m", seq=1, note="here")
    assert wire.decode(wire.encode(event) | {"colour": "red"}) == event
