"""CTM, NIST's words with times: `file channel start duration word confidence`, one line a word.

CTM has no place for who speaks, and two people at once would mix: the channel field tells streams apart, each slot
of each input channel being one (`A`, `B`; of input channel 0 `1A`, `1B`). Reading, words of a stream whose pauses are
at most 0.5 s are a turn.
Not covered: names; white space in ids becomes `_`.
"""

import re
from dataclasses import replace

from meetscribe import events as ev
from meetscribe.errors import FormatError
from meetscribe.formats.building import Line, meeting_of
from meetscribe.formats.spoken import LONGEST_PAUSE, token, words_of
from meetscribe.meeting import Meeting
from meetscribe.timeline import to_samples, to_seconds

_STREAM = re.compile(r"(?P<channel>\d*)(?P<slot>[A-Z])$")


def encode(meeting: Meeting) -> str:
    """Return the lines, by stream and start; empty where nobody spoke."""
    file = token(meeting.id)
    rows = [(_stream(turn), word) for turn in meeting.turns for word in words_of(turn)]
    rows.sort(key=lambda row: (row[0], row[1].start, row[1].end))
    return "".join(
        f"{file} {stream} {to_seconds(word.start):.3f} {to_seconds(max(0, word.end - word.start)):.3f} "
        f"{token(word.word)} {word.confidence:.3f}\n"
        for stream, word in rows
    )


def _stream(turn: ev.Turn) -> str:
    """Return the channel field of a turn's words."""
    letter = turn.slot_letter if turn.slot < 26 else "Z"
    return letter if turn.channel is None else f"{turn.channel + 1}{letter}"


def decode(text: str) -> list[Meeting]:
    """Return one meeting per file name, in the order in which they appear; nobody in it is named.

    Raises:
        FormatError: a line is no CTM; the message says which.
    """
    files: dict[str, dict[str, list[ev.Word]]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.lstrip().startswith(";"):
            file, stream, word = _read(number, line)
            files.setdefault(file, {}).setdefault(stream, []).append(word)
    return [_meeting(file, streams) for file, streams in files.items()]


def _read(number: int, line: str) -> tuple[str, str, ev.Word]:
    try:
        file, stream, start, duration, word, *rest = line.split()
        begin, confidence = float(start), float(rest[0]) if rest and rest[0] != "NA" else 1.0
        return file, stream, ev.Word(word, to_samples(begin), to_samples(begin + float(duration)), confidence)
    except (ValueError, OverflowError) as error:
        raise FormatError(f"line {number} is no CTM ({error})") from error


def _meeting(file: str, streams: dict[str, list[ev.Word]]) -> Meeting:
    lines: list[Line] = []
    for number, (stream, words) in enumerate(sorted(streams.items())):
        match = _STREAM.match(stream)
        slot = ord(match["slot"]) - ord("A") if match else number
        channel = int(match["channel"]) - 1 if match and match["channel"] else None
        lines += [replace(line, slot=slot, channel=channel) for line in _turns(words)]
    return meeting_of(file, lines)


def _turns(words: list[ev.Word]) -> list[Line]:
    """Return the turns of one stream."""
    groups: list[list[ev.Word]] = []
    for word in sorted(words, key=lambda word: (word.start, word.end)):
        if groups and word.start - max(w.end for w in groups[-1][-4:]) <= LONGEST_PAUSE:
            groups[-1].append(word)
        else:
            groups.append([word])
    return [
        Line(
            group[0].start,
            max(word.end for word in group),
            " ".join(word.word for word in group),
            words=tuple(group),
        )
        for group in groups
    ]
