"""A program that shows a scripted meeting on its terminal, as `meetscribe live` shows a real one."""

import sys

from meetscribe import events as ev
from meetscribe.apps.live.app import run
from meetscribe.apps.live.scripted import ScriptedMeeting, spoken, turn

TURNS = (
    turn("t1", 0, 0.5, 4, "Good morning. Have you seen the new rooms on the second floor?", "s1"),
    turn(
        "t2", 0, 4.6, 9.5, "Yes, I was there this morning. They are much bigger and the light is good.", "s2"
    ),
    turn("t3", 1, 7.5, 8, "Yeah.", "s1"),
    turn("t4", 0, 10, 14, "Then we could move before the end of the month and be done with it.", "s1"),
    turn("t5", 1, 11, 15.5, "That would be too early for me. I have to finish my report first.", "s3"),
)

if __name__ == "__main__":
    start = ev.Session(title="Rooms", started="2026-11-25T10:00:00", sources=("microphone",))
    log = run(ScriptedMeeting([start, *spoken(TURNS)]))
    print(f"events: {len(log)}, torch: {'torch' in sys.modules}")
