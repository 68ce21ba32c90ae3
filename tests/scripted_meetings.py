"""Meetings for tests of the screen: two and three people, at once now and then."""

from meetscribe import events as ev
from meetscribe.apps.live.scripted import spoken, turn
from meetscribe.timeline import to_samples

START = ev.Session(title="Moving house", started="2026-11-25T10:00:00+00:00", sources=("microphone",))
NAMES = ev.SpeakerUpdate(changes=(ev.Change("s1", speaker="Alice"), ev.Change("s2", speaker="Bob")))
TURNS = (
    turn("t1", 0, 0.5, 4, "Good morning. Have you seen the new rooms on the second floor?", "s1"),
    turn("t2", 0, 4.6, 9.5, "Yes, I was there this morning. They are bigger and the light?? is good.", "s2"),
    turn("t3", 1, 7.5, 8, "Yeah.", "s1"),
    turn("t4", 0, 10, 14, "Then we could move before the end of the month.", "s1"),
    turn("t5", 1, 11, 15.5, "That would be too early for me. I have to finish my report first.", "s3"),
    turn("t6", 0, 16, 18, "How long will you need?", None),
)
CONVERSATION = (NAMES, *spoken(TURNS))


def at(seconds):
    """Samples."""
    return to_samples(seconds)


def long_meeting(minutes, sentence="and then we talked about the next point on the list for a while"):
    """Turns of a talk of so many minutes: six a minute, a word thrown into each third."""
    turns = []
    for number in range(minutes * 6):
        start = number * 10.0
        turns.append(turn(f"a{number}", 0, start, start + 8.5, f"{number} {sentence}", f"s{number % 4 + 1}"))
        if number % 3 == 0:
            turns.append(turn(f"b{number}", 1, start + 4, start + 4.6, "mhm yes", f"s{(number + 1) % 4 + 1}"))
    return turns


def finals(turns):
    """The finals of turns, in the order in which they close."""
    ordered = sorted(turns, key=lambda said: said.end)
    return [ev.Final(at=said.end + at(1), turn=said) for said in ordered]
