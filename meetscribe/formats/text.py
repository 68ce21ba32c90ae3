"""Plain text for people: one line per turn, with the speaker's name where somebody is known.

People who talk at once stay on lines of their own. Not covered: reading it back.
"""

from meetscribe.meeting import Meeting


def encode(meeting: Meeting) -> str:
    """Return the transcript; empty where nobody spoke."""
    speakers = meeting.speakers
    lines = []
    for turn in meeting.turns:
        text = " ".join(turn.text.split()) if not turn.redacted else "[off the record]"
        if not text:
            continue
        who = speakers.get(turn.speaker_id) or turn.speaker_id if turn.speaker_id else None
        lines.append(f"{who}: {text}\n" if who else f"{text}\n")
    return "".join(lines)
