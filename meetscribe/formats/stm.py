"""STM, NIST's references: `file channel speaker start end words`, one line a turn.

Not covered: slots, words' times; white space in names and ids becomes `_`. Channels are counted from 1, and read back
only where a file has several. A turn without words is not written.
"""

import re

from meetscribe.errors import FormatError
from meetscribe.formats.building import Line
from meetscribe.formats.rttm import grouped
from meetscribe.formats.spoken import one_line, token
from meetscribe.meeting import Meeting, shown_speaker
from meetscribe.timeline import to_samples, to_seconds

_LABEL = re.compile(
    r"<[^<>\s]*>\s*(?=\S|$)"
)  # <o,f0,male>: conditions, which some files have before the words


def encode(meeting: Meeting) -> str:
    """Return the lines; empty where nobody spoke."""
    names, file = meeting.speakers, token(meeting.id)
    return "".join(
        f"{file} {1 if turn.channel is None else turn.channel + 1} {token(shown_speaker(turn, names))} "
        f"{to_seconds(turn.start):.3f} {to_seconds(turn.interval.end):.3f} {one_line(turn.text)}\n"
        for turn in meeting.turns
        if one_line(turn.text)
    )


def decode(text: str) -> list[Meeting]:
    """Return one meeting per file name, in the order in which they appear.

    Raises:
        FormatError: a line is no STM; the message says which.
    """
    return grouped(_read(number, line) for number, line in enumerate(text.split("\n"), 1))


def _read(number: int, line: str) -> tuple[str, str, Line] | None:
    if not line.strip() or line.lstrip().startswith(";"):
        return None
    try:
        file, channel, speaker, start, end, *rest = line.split(maxsplit=5)
        words = one_line(
            _LABEL.sub("", rest[0], count=1) if rest and _LABEL.match(rest[0]) else "".join(rest)
        )
        return file, channel, Line(to_samples(float(start)), to_samples(float(end)), words, speaker)
    except (ValueError, OverflowError) as error:
        raise FormatError(f"line {number} is no STM ({error})") from error
