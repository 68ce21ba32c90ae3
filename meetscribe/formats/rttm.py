"""RTTM, who spoke when: one `SPEAKER` line a turn.

Not covered: what was said, slots; white space in names and ids becomes `_`. Channels are counted from 1, and read back
only where a file has several.
"""

from collections.abc import Iterable

from meetscribe.errors import FormatError
from meetscribe.formats.building import Line, meeting_of
from meetscribe.formats.spoken import token
from meetscribe.meeting import Meeting, shown_speaker
from meetscribe.timeline import to_samples, to_seconds


def encode(meeting: Meeting) -> str:
    """Return the lines; empty where nobody spoke."""
    names, file = meeting.speakers, token(meeting.id)
    return "".join(
        f"SPEAKER {file} {1 if turn.channel is None else turn.channel + 1} {to_seconds(turn.start):.3f} "
        f"{to_seconds(turn.interval.duration):.3f} <NA> <NA> {token(shown_speaker(turn, names))} <NA> <NA>\n"
        for turn in meeting.turns
    )


def decode(text: str) -> list[Meeting]:
    """Return one meeting per file name, in the order in which they appear; its turns have no words.

    Raises:
        FormatError: a line is no RTTM; the message says which.
    """
    return grouped(_read(number, line) for number, line in enumerate(text.split("\n"), 1))


def _read(number: int, line: str) -> tuple[str, str, Line] | None:
    fields = line.split()
    if not fields or fields[0].startswith(";") or fields[0] != "SPEAKER":
        return None
    try:
        _, file, channel, start, duration, _, _, speaker = fields[:8]
        begin = float(start)
        return file, channel, Line(to_samples(begin), to_samples(begin + float(duration)), "", speaker)
    except (ValueError, OverflowError) as error:
        raise FormatError(f"line {number} is no RTTM ({error})") from error


def grouped(rows: Iterable[tuple[str, str, Line] | None]) -> list[Meeting]:
    """Return the meetings of rows (file, channel, line); None is a line without a turn.

    Channels count only where a file has several: alone, 1 or A says nothing.
    """
    files: dict[str, list[tuple[str, Line]]] = {}
    for row in rows:
        if row is not None:
            files.setdefault(row[0], []).append(row[1:])
    return [meeting_of(file, _with_channels(lines)) for file, lines in files.items()]


def _with_channels(rows: list[tuple[str, Line]]) -> list[Line]:
    labels = {channel for channel, _ in rows}
    if len(labels) < 2:
        return [line for _, line in rows]
    numbered = all(label.isascii() and label.isdecimal() and label != "0" for label in labels)
    order = {label: int(label) - 1 if numbered else n for n, label in enumerate(sorted(labels))}
    return [
        Line(line.start, line.end, line.text, line.speaker, line.words, order[channel])
        for channel, line in rows
    ]
