"""A long recording against its own pieces: does a stream that goes on for long hear as well as one that has begun?

The recording is cut about every thirty seconds, where nobody speaks for longest. The stream's words and the reference
are cut at the same places, and every piece is also heard by itself.
Not covered: running the pieces.
"""

import itertools
from collections.abc import Sequence
from dataclasses import replace

from meetscribe.evaluation.segments import Segment
from meetscribe.evaluation.turns import union
from meetscribe.timeline import to_samples

PIECE = to_samples(30.0)
_REACH = to_samples(5.0)  # a cut is at most so far from a multiple of PIECE


def borders(reference: Sequence[Segment], duration: int) -> list[int]:
    """Return where to cut a recording of `duration` samples, its start and end included."""
    speech = union([(segment.start, segment.end) for segment in reference])
    edges = [0, *itertools.chain.from_iterable(speech), duration]
    pauses = [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end]
    cuts = [_quiet_place(place, pauses) for place in range(PIECE, duration - PIECE // 2, PIECE)]
    return [0, *cuts, duration]


def _quiet_place(wanted: int, pauses: Sequence[tuple[int, int]]) -> int:
    """Return the middle of the longest pause within reach, `wanted` itself where there is none."""
    near = [(max(a, wanted - _REACH), min(b, wanted + _REACH)) for a, b in pauses]
    start, end = max(near, key=lambda pause: pause[1] - pause[0], default=(0, 0))
    return (start + end) // 2 if start < end else wanted


def cut_out(segments: Sequence[Segment], start: int, end: int) -> list[Segment]:
    """Return what has its words' middles between two samples, with times from `start` on."""
    found = []
    for segment in segments:
        words = tuple(word for word in segment.words if start <= word.middle < end)
        if words:
            moved = tuple(replace(word, start=word.start - start, end=word.end - start) for word in words)
            first, last = max(segment.start, start) - start, min(segment.end, end) - start
            found.append(replace(segment, start=first, end=last, words=moved))
    return found
