"""Plain text for people: one line per turn, with the speaker's name, or id, or the slot's letter (A, B).

People who talk at once stay on lines of their own, by start. Not covered: times, and reading it back.
"""

from meetscribe.meeting import Meeting, shown_speaker


def encode(meeting: Meeting) -> str:
    """Return the transcript; empty where nobody spoke."""
    speakers = meeting.speakers
    lines = []
    for turn in meeting.turns:
        text = " ".join(turn.text.split()) if not turn.redacted else "[off the record]"
        if text:
            lines.append(f"{shown_speaker(turn, speakers)}: {text}\n")
    return "".join(lines)
