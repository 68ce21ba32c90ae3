"""Hypothesis strategies for events and whole logs."""

from hypothesis import strategies as st

from meetscribe import events as ev

times = st.integers(0, 3 * 3600 * 16_000)
texts = st.text(max_size=20)
turn_ids = st.integers(1, 12).map(lambda number: f"t{number}")
speaker_ids = st.integers(1, 5).map(lambda number: f"s{number}")
names = st.sampled_from(["Alice", "Bob", "Zoë", "Ανδρέας"])
by = st.sampled_from(["tracker", "person"])


def spans(kind, **others):
    """Build `kind` with a start before its end."""
    return st.tuples(times, times, st.fixed_dictionaries(others)).map(
        lambda drawn: kind(start=min(drawn[:2]), end=max(drawn[:2]), **drawn[2])
    )


words = spans(ev.Word, word=texts, confidence=st.floats(0, 1), estimated=st.booleans())
turns = spans(
    ev.Turn,
    id=turn_ids,
    slot=st.integers(0, 1),
    text=texts,
    words=st.lists(words, max_size=4).map(tuple),
    channel=st.none() | st.integers(0, 3),
    speaker_id=st.none() | speaker_ids,
    overlaps=st.lists(turn_ids, max_size=2).map(tuple),
    redacted=st.booleans(),
)
changes = st.builds(
    ev.Change,
    speaker_ids,
    st.none() | names,
    st.none() | speaker_ids,
    st.none() | st.lists(turn_ids, max_size=3).map(tuple),
    st.none() | st.floats(0, 1),
)
durable = st.one_of(
    st.builds(
        ev.Session,
        title=texts,
        started=texts,
        sources=st.lists(texts, max_size=2).map(tuple),
        model=st.none() | texts,
        at=times,
    ),
    st.builds(ev.Final, turn=turns, at=times),
    st.builds(ev.SpeakerUpdate, changes=st.lists(changes, max_size=3).map(tuple), by=by, at=times),
    st.builds(ev.Correction, turn=turn_ids, text=texts, by=by, redacted=st.booleans(), at=times),
    spans(ev.Gap, reason=texts, channel=st.none() | st.integers(0, 3), at=times),
    st.builds(ev.Bookmark, note=texts, at=times),
    spans(ev.OffRecord, at=times),
    st.builds(ev.Status, state=st.sampled_from(ev.STATES), reason=st.none() | texts, at=times),
    st.builds(ev.End, reason=texts, duration=times, at=times),
)
ephemeral = st.one_of(
    st.builds(ev.Partial, turn=turns, revision=st.integers(0, 99), stable=st.integers(0, 9), at=times),
    st.builds(ev.TurnStart, turn=turn_ids, slot=st.integers(0, 1), start=times, at=times),
    st.builds(ev.TurnEnd, turn=turn_ids, slot=st.integers(0, 1), end=times, at=times),
    st.builds(ev.Level, levels=st.lists(st.floats(-400, 0), max_size=4).map(tuple), at=times),
    st.builds(ev.Lag, behind=times, at=times),
    st.builds(ev.Progress, done=times, total=st.none() | times, at=times),
)


def number(events, session="m"):
    """Number events as a session does."""
    numbered, last = [], 0
    for event in events:
        numbered.append(ev.numbered(event, session, last))
        last += isinstance(event, ev.DurableEvent)
    return numbered


logs = st.lists(durable, max_size=12).map(number)
streams = st.lists(durable | ephemeral, max_size=12).map(number)
