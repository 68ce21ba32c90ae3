"""Meetings for tests of formats."""

import strategies
from hypothesis import strategies as st

from meetscribe import events as ev

NAMES = (ev.Change("s1", "Alice"), ev.Change("s2", "Bob"))


def at(seconds):
    """Samples of a time in seconds."""
    return round(seconds * 16_000)


def turn(number, slot, speaker, start, end, text, channel=None):
    """A turn whose words share its time equally."""
    texts = text.split()
    step = (at(end) - at(start)) // max(1, len(texts)) // 16 * 16
    words = tuple(
        ev.Word(w, at(start) + n * step, at(start) + (n + 1) * step, 0.5) for n, w in enumerate(texts)
    )
    return ev.Turn(
        id=f"t{number}", slot=slot, start=at(start), end=at(end), text=text, words=words, channel=channel,
        speaker_id=speaker,
    )  # fmt: skip


ALICE_AND_BOB = (
    turn(1, 0, "s1", 0.0, 3.2, "Can we move it to Friday & why?"),
    turn(2, 1, "s2", 2.5, 2.9, "mhm"),
    turn(3, 1, "s2", 4.0, 5.25, "I <think> so: yes."),
)


def log(*turns, changes=NAMES, duration=10.0, title="Weekly", session="standup"):
    """The log of a meeting with these turns."""
    events = [ev.Session(title=title, started="2026-11-22T09:00:00+00:00")]
    events += [ev.Final(turn=each, at=each.end) for each in turns]
    events += [ev.SpeakerUpdate(changes=changes)] if changes else []
    return strategies.number([*events, ev.End(reason="eof", duration=at(duration))], session)


_words = st.lists(
    st.sampled_from(["yes", "no,", "Müller", "a<b", "R&D", "it's", "10:30", "x;y"]), min_size=1, max_size=30
)


@st.composite
def conversations(draw):
    """A log in which up to four named people talk, each with pauses of over 0.5 s, over each other at will."""
    turns = []
    people = draw(st.integers(1, 4))
    for person in range(1, people + 1):
        end = 0
        for _ in range(draw(st.integers(1, 3))):
            start = end + draw(st.integers(501, 9000)) / 1000
            end = start + draw(st.integers(50, 20_000)) / 1000
            text = " ".join(draw(_words))
            turns.append(turn(len(turns) + 1, (person - 1) % 2, f"s{person}", start, end, text))
    names = draw(st.permutations(["Alice", "Bob Lee", "Zoë", "Dr: No"]))
    changes = tuple(ev.Change(f"s{n}", name) for n, name in enumerate(names[:people], 1))
    return log(*draw(st.permutations(turns)), changes=changes, duration=100.0)
