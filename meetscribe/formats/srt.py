"""SRT subtitles: `Alice: text`, a cue per turn or, of a long one, per stretch that can be read in time.

SRT has no place for who speaks: the name stands before the text, in brackets where it holds a colon itself. Two
people at once are cues that share time (`stack`), or one cue with a line for each as long as both last (`merge`), for
players that show one cue at a time.
Not covered: styles, ids, slots, channels, words' times; `-->` inside a text becomes `->`.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Literal

from meetscribe.errors import FormatError
from meetscribe.formats.building import meeting_of
from meetscribe.formats.cues import Cue, cues_of, lines_of, read_times, write_time
from meetscribe.meeting import Meeting

Overlap = Literal["stack", "merge"]
OVERLAPS: tuple[Overlap, ...] = ("stack", "merge")
_SPEAKER = re.compile(r"(?:\[([^\]]+)\]:? *|([^\s:\[][^:]{0,39}): )(?=\S)")
_PLAIN_NAME = re.compile(r"[^\s:\[][^:]{0,39}$")


def encode(meeting: Meeting, overlap: Overlap = "stack") -> str:
    """Return the subtitles; empty where nobody spoke."""
    cues = cues_of(meeting)
    shown = [[cue] for cue in cues] if overlap == "stack" else _slices(cues)
    return "".join(f"{number}\n{_cue(group)}\n" for number, group in enumerate(shown, 1))


def _slices(cues: list[Cue]) -> list[list[Cue]]:
    """Return the cues that are shown together, from each change of them to the next."""
    edges = sorted({edge for cue in cues for edge in (cue.start, cue.end)})
    groups: list[list[Cue]] = []
    waiting, talking = list(reversed(cues)), list[Cue]()
    for start, end in pairwise(edges):
        while waiting and waiting[-1].start <= start:
            talking.append(waiting.pop())
        talking = [cue for cue in talking if cue.end > start]
        if talking:
            groups.append([replace(cue, start=start, end=end) for cue in talking])
    return groups


def _cue(group: list[Cue]) -> str:
    """Return a cue's times and its lines, one for each speaker."""
    times = f"{write_time(group[0].start, ',')} --> {write_time(group[0].end, ',')}"
    return "\n".join([times, *(f"{_name(cue.speaker or '')}: {_safe(cue.text)}" for cue in group), ""])


def _name(speaker: str) -> str:
    return speaker if _PLAIN_NAME.match(speaker) else f"[{speaker.replace(']', ')')}]"


def _safe(text: str) -> str:
    return text.replace("-->", "->")


def decode(text: str) -> list[Meeting]:
    """Return the one meeting of subtitles, without an id; `Name: ` or `[Name]: ` before a text says who speaks.

    Raises:
        FormatError: they are no SRT.
    """
    cues = [cue for block in blocks(text) for cue in _read(block)]
    if not cues and text.strip():
        raise FormatError("no subtitles (SRT): there is no line with two times and --> between them")
    return [meeting_of("", lines_of(cues))]


def blocks(text: str) -> Iterable[list[str]]:
    """Return the lines of each block between empty lines."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    block: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line.strip())
        elif block:
            yield block
            block = []


def _read(block: list[str]) -> list[Cue]:
    """Return the cues of a block: one, or one for each speaker who has a line in it."""
    at = next((number for number, line in enumerate(block) if "-->" in line), None)
    if at is None:
        return []
    start, end = read_times(block[at])
    said: list[tuple[str | None, str]] = []
    for line in block[at + 1 :]:
        match = _SPEAKER.match(line) if not said or said[0][0] is not None else None
        if match is not None:
            said.append((match[1] or match[2], line[match.end() :]))
        elif said:
            said[-1] = (said[-1][0], f"{said[-1][1]} {line}")
        else:
            said.append((None, line))
    return [Cue(start, end, speaker, words) for speaker, words in said]
