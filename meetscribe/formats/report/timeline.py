"""The timeline of a report: a row for each person, a bar for each turn, a veil where several talk at once.

Long meetings are several strips below each other, so that a turn of a second can still be seen, and printed.
Not covered: zooming.
"""

import html
import math
from collections.abc import Iterator, Mapping, Sequence

from meetscribe import events as ev
from meetscribe.formats.spoken import one_line
from meetscribe.meeting import Meeting, shown_speaker
from meetscribe.timeline import SAMPLE_RATE, clock

_LONGEST_STRIP = 600 * SAMPLE_RATE
_WIDTH, _ROW, _BAR, _HEAD = 1000, 22, 14, 18
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120)  # seconds between marks
_HUES = (212, 28, 145, 325, 265, 58, 185, 0)


def colours(people: int) -> str:
    """Return the styles that give each person a colour, on light and on dark ground."""
    return "".join(f".p{number} {{ --hue: {_HUES[number % len(_HUES)]}; }}\n" for number in range(people))


def timeline(meeting: Meeting, people: Mapping[str, int]) -> str:
    """Return the timeline; nothing where nobody spoke."""
    if not people or not meeting.duration:
        return ""
    count = math.ceil(meeting.duration / _LONGEST_STRIP)
    length = meeting.duration / count
    strips = [
        _strip(meeting, people, round(number * length), round((number + 1) * length))
        for number in range(count)
    ]
    legend = "".join(
        f'<li class="p{number}"><i></i>{html.escape(who)}</li>' for who, number in people.items()
    )
    return (
        '<section aria-labelledby="timeline-title"><h2 id="timeline-title">Timeline</h2>'
        f'<ul class="legend">{legend}</ul>{"".join(strips)}</section>'
    )


def _strip(meeting: Meeting, people: Mapping[str, int], start: int, end: int) -> str:
    """Return the picture of what happens from `start` to `end`."""
    height = _HEAD + _ROW * len(people)
    turns = [turn for turn in meeting.turns if turn.start < end and turn.end > start]

    def place(sample: int) -> float:
        return _WIDTH * (min(max(sample, start), end) - start) / max(1, end - start)

    marks = "".join(
        f'<line x1="{place(at):.1f}" x2="{place(at):.1f}" y1="{_HEAD - 4}" y2="{height}" class="mark"/>'
        f'<text x="{place(at) + 3:.1f}" y="11">{clock(at)}</text>'
        for at in _marks(start, end)
    )
    veils = "".join(
        f'<rect class="both" x="{place(first):.1f}" width="{max(place(last) - place(first), 1):.1f}" '
        f'y="{_HEAD}" height="{height - _HEAD}"/>'
        for first, last in overlaps(turns)
    )
    bars = "".join(_bar(turn, meeting, people, place(turn.start), place(turn.end)) for turn in turns)
    what = f"Who talks from {clock(start)} to {clock(end)}"
    return (
        f'<svg class="strip" viewBox="0 0 {_WIDTH} {height}" role="group" aria-label="{what}">'
        f"{veils}{marks}{bars}</svg>"
    )


def _bar(turn: ev.Turn, meeting: Meeting, people: Mapping[str, int], left: float, right: float) -> str:
    who = one_line(shown_speaker(turn, meeting.speakers))
    y = _HEAD + people[who] * _ROW + (_ROW - _BAR) / 2
    said = f"{who}, {clock(turn.start)}: {one_line(turn.text)[:120]}"
    return (
        f'<a href="#{html.escape(turn.id)}" class="p{people[who]}"><title>{html.escape(said)}</title>'
        f'<rect x="{left:.1f}" y="{y:.1f}" width="{max(right - left, 1.5):.1f}" height="{_BAR}" rx="2"/></a>'
    )


def _marks(start: int, end: int) -> Iterator[int]:
    """Give the times that are marked: round ones, at most a dozen."""
    seconds = (end - start) / SAMPLE_RATE
    step = next((step for step in _STEPS if seconds / step <= 12), _STEPS[-1]) * SAMPLE_RATE
    yield from range(math.ceil(start / step) * step, end, step)


def overlaps(turns: Sequence[ev.Turn]) -> list[tuple[int, int]]:
    """Return where at least two of some turns share time."""
    edges = sorted(edge for turn in turns for edge in ((turn.start, 1), (max(turn.start, turn.end), -1)))
    found: list[tuple[int, int]] = []
    talking, begun = 0, 0
    for at, change in edges:
        if talking == 2 and talking + change < 2 and at > begun:
            found.append((begun, at))
        if talking < 2 <= talking + change:
            begun = at
        talking += change
    return found
