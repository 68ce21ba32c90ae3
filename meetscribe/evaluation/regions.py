"""Overlapped and single speech, scored apart.

A region is overlapped where at least two turns of the reference are active. Words go to a region by the
middle of their time, on both sides, and each region is scored by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from meetscribe.evaluation.segments import Segment, TimedWord
from meetscribe.evaluation.turns import union


@dataclass(frozen=True)
class Regions:
    """Segments with the words inside overlapped speech, and with all the others."""

    overlapped: list[Segment]
    single: list[Segment]


def overlapped_intervals(reference: Sequence[Segment]) -> list[tuple[int, int]]:
    """Return where at least two segments of different speakers are active, sorted and disjoint."""
    both = []
    ordered = sorted(reference, key=lambda s: s.start)
    for index, first in enumerate(ordered):
        for second in ordered[index + 1 :]:
            if second.start >= first.end:
                break
            if second.speaker != first.speaker:
                both.append((second.start, min(first.end, second.end)))
    return union([interval for interval in both if interval[0] < interval[1]])


def split(segments: Sequence[Segment], overlapped: Sequence[tuple[int, int]]) -> Regions:
    """Split segments by whether the middle of a word lies in one of the `overlapped` intervals.

    Segments keep their times; those without words in a region are left out of it.
    """

    def inside(word: TimedWord) -> bool:
        return any(start <= word.middle < end for start, end in overlapped)

    regions = Regions([], [])
    for segment in segments:
        for target, wanted in ((regions.overlapped, True), (regions.single, False)):
            words = tuple(word for word in segment.words if inside(word) == wanted)
            if words:
                target.append(replace(segment, words=words))
    return regions
