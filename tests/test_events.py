import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st

from meetscribe import events as ev


@given(st.lists(strategies.durable | strategies.ephemeral))
def test_numbers_have_no_holes(events):
    """Durable events are numbered 1, 2, 3 …; ephemeral ones carry the number of the last durable one."""
    numbered = strategies.number(events, "standup")
    durable = [event for event in numbered if isinstance(event, ev.DurableEvent)]
    assert [event.seq for event in durable] == list(range(1, len(durable) + 1))
    last = 0
    for event in numbered:
        assert event.session == "standup"
        last = event.seq if isinstance(event, ev.DurableEvent) else last
        assert not isinstance(event, ev.EphemeralEvent) or event.after_seq == last


@given(strategies.turns)
def test_redaction_keeps_times_and_place_only(turn):
    """A redacted turn has no text and no words, and everything else as it was."""
    hidden = turn.redact()
    assert (hidden.text, hidden.words, hidden.redacted) == ("", (), True)
    kept = ("id", "slot", "channel", "speaker_id", "start", "end", "overlaps")
    assert all(getattr(hidden, name) == getattr(turn, name) for name in kept)


def test_a_bare_event_cannot_be_numbered():
    """An event that is neither durable nor ephemeral is a programming error."""
    with pytest.raises(TypeError, match="neither"):
        ev.numbered(ev.Event(), "m", 0)
