"""Subtitles, whatever their syntax: turns become cues that can be read in time, and cues become turns again.

A long turn is several cues, each of which begins exactly where the one before ends: that is what joins them again.
Not covered: SRT's and WebVTT's own syntax (`srt.py`, `vtt.py`).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from meetscribe import events as ev
from meetscribe.errors import FormatError
from meetscribe.formats.building import Line, lanes
from meetscribe.formats.spoken import one_line, words_of
from meetscribe.meeting import Meeting, shown_speaker
from meetscribe.timeline import SAMPLE_RATE, to_samples

LONGEST = 7 * SAMPLE_RATE  # of a cue, where words allow it
MOST_LETTERS = 84  # two lines of 42
_GOOD_END = re.compile(r"[.,;:!?…]$")
_TIME = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})$")


@dataclass(frozen=True)
class Cue:
    """Text that is shown from `start` to `end`; `lane` tells those apart that are shown at once, 0 alone."""

    start: int
    end: int
    speaker: str | None
    text: str
    lane: int = 0
    shared: bool = False


def cues_of(meeting: Meeting) -> list[Cue]:
    """Return the cues of a meeting's turns that have text, by start."""
    names = meeting.speakers
    turns = [turn for turn in meeting.turns if one_line(turn.text)]
    turn_lanes = lanes([turn.interval for turn in turns])
    cues = [
        replace(cue, lane=lane)
        for turn, lane in zip(turns, turn_lanes, strict=True)
        for cue in _pieces(turn, one_line(shown_speaker(turn, names)) or "?")
    ]
    cues.sort(key=lambda cue: (cue.start, cue.lane, cue.end))
    return _marked(cues)


def _marked(cues: list[Cue]) -> list[Cue]:
    """Return cues, by start, each knowing whether another one is shown at the same time."""
    shared = [False] * len(cues)
    talking: list[int] = []
    for number, cue in enumerate(cues):
        talking = [other for other in talking if cues[other].end > cue.start]
        for other in talking:
            shared[other] = shared[number] = True
        talking.append(number)
    return [replace(cue, shared=both) for cue, both in zip(cues, shared, strict=True)]


def _pieces(turn: ev.Turn, speaker: str) -> list[Cue]:
    """Return the cues of one turn."""
    words = words_of(turn)
    groups = _groups(words)
    edges = [turn.start, *(group[0].start for group in groups[1:]), max(turn.start, turn.end)]
    if any(first >= last for first, last in pairwise(edges)):
        return [Cue(edges[0], edges[-1], speaker, one_line(turn.text))]
    return [
        Cue(first, last, speaker, _said(group))
        for (first, last), group in zip(pairwise(edges), groups, strict=True)
    ]


def _groups(words: Sequence[ev.Word]) -> list[Sequence[ev.Word]]:
    """Cut words into stretches of bounded length, after a comma or full stop where one is near."""
    groups: list[Sequence[ev.Word]] = []
    begin = 0
    while begin < len(words):
        end = _fitting(words, begin)
        if end < len(words):
            half = begin + max(1, (end - begin) // 2)
            end = next((n for n in range(end, half, -1) if _GOOD_END.search(words[n - 1].word)), end)
        if groups and _said(groups[-1]) == _said(words[begin:end]):
            groups[-1] = [*groups[-1], *words[begin:end]]  # the same text once more would be the same cue
        else:
            groups.append(words[begin:end])
        begin = end
    return groups


def _said(words: Sequence[ev.Word]) -> str:
    return " ".join(word.word for word in words)


def _fitting(words: Sequence[ev.Word], begin: int) -> int:
    """Return the word after the last that one cue can show with those from `begin` on."""
    letters = 0
    for number in range(begin, len(words)):
        letters += len(words[number].word) + 1
        long = letters > MOST_LETTERS + 1 or words[number].end - words[begin].start > LONGEST
        if long and number > begin:
            return number
    return len(words)


def lines_of(cues: Iterable[Cue]) -> list[Line]:
    """Return the turns of cues: those of one named speaker that follow each other without a pause are one.

    The same text once more is the same cue that goes on while who else talks changes.
    """
    last: dict[str, tuple[Line, str]] = {}
    lines: list[Line] = []
    for cue in sorted(cues, key=lambda cue: (cue.start, cue.end)):
        line = Line(cue.start, cue.end, cue.text, cue.speaker)
        if cue.speaker is None:
            lines.append(line)
            continue
        before, shown = last.get(cue.speaker, (None, ""))
        if before is not None and before.end == cue.start:
            text = before.text if shown == cue.text else f"{before.text} {cue.text}"
            line = replace(before, end=cue.end, text=text)
        elif before is not None:
            lines.append(before)
        last[cue.speaker] = line, cue.text
    return [*lines, *(line for line, _ in last.values())]


def write_time(samples: int, point: str) -> str:
    """Return a time as `01:02:03,456`, with `point` before the milliseconds."""
    milliseconds = samples * 1000 // SAMPLE_RATE
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{milliseconds:03d}"


def read_times(line: str) -> tuple[int, int]:
    """Return start and end of a line `from --> to`, whatever stands behind.

    Raises:
        FormatError: they are no times.
    """
    first, _, rest = line.partition("-->")
    return _read_time(first), _read_time((rest.split() or [""])[0])


def _read_time(text: str) -> int:
    match = _TIME.match(text.strip())
    if match is None:
        raise FormatError(f"{text.strip()[:40]!r} is no time of a subtitle")
    hours, minutes, seconds, fraction = match.groups()
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return to_samples(whole + int(fraction.ljust(3, "0")) / 1000)
