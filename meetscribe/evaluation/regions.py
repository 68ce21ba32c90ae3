"""Overlapped and single speech, scored apart.

Speech is overlapped where turns of at least two speakers are active. All of a recording is scored once, and each
error belongs to one region: a reference word that was missed or replaced to the region that its middle lies in, an
inserted word to the region of its own middle. The two regions' counts therefore add up to the whole's.
Not covered: regions of three and more speakers apart from those of two.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import numba
import numpy as np

from meetscribe.evaluation import multitalker
from meetscribe.evaluation.error_rate import ErrorRate
from meetscribe.evaluation.segments import Segment, TimedWord
from meetscribe.evaluation.turns import union


@dataclass(frozen=True)
class Regional:
    """The errors in overlapped speech, and all others."""

    overlapped: ErrorRate = field(default_factory=ErrorRate)
    single: ErrorRate = field(default_factory=ErrorRate)

    def __add__(self, other: "Regional") -> "Regional":
        return Regional(self.overlapped + other.overlapped, self.single + other.single)

    @property
    def all(self) -> ErrorRate:
        """Return the errors of both regions."""
        return self.overlapped + self.single


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


def orc_by_region(reference: Sequence[Segment], hypothesis: Sequence[Segment]) -> Regional:
    """Return the errors of the best assignment of reference turns to streams (ORC-WER), by region.

    Among alignments with the fewest errors the one is taken whose words are nearest to each other in time.

    Args:
        reference: normalised segments of one session.
        hypothesis: likewise; streams are slots, else speakers.

    Raises:
        MissingError: meeteval is not installed.
    """
    overlapped = overlapped_intervals(reference)
    total = Regional()
    for expected, heard in multitalker.orc_streams(reference, hypothesis):
        total += _stream_errors(expected, heard, overlapped)
    return total


def _stream_errors(
    expected: Sequence[TimedWord], heard: Sequence[TimedWord], overlapped: Sequence[tuple[int, int]]
) -> Regional:
    """Align the words of one stream and count each error where it belongs."""
    starts = [start for start, _ in overlapped]

    def is_overlapped(word: TimedWord | None) -> bool:
        assert word is not None
        index = bisect_right(starts, word.middle) - 1
        return index >= 0 and word.middle < overlapped[index][1]

    counts = {True: [0, 0, 0, 0], False: [0, 0, 0, 0]}  # length, insertions, deletions, substitutions
    for wanted, found in aligned(expected, heard):
        region = counts[is_overlapped(wanted or found)]
        region[0] += wanted is not None
        region[1] += wanted is None
        region[2] += found is None
        region[3] += wanted is not None and found is not None and wanted.word != found.word
    return Regional(*(ErrorRate(sum(c[1:]), *c) for c in (counts[True], counts[False])))


def aligned(
    expected: Sequence[TimedWord], heard: Sequence[TimedWord]
) -> list[tuple[TimedWord | None, TimedWord | None]]:
    """Return the pairs of words of the best alignment; None on the side that lacks the word."""
    numbers: dict[str, int] = {}
    sides = (expected, heard)
    coded = [np.array([numbers.setdefault(w.word, len(numbers)) for w in side], np.int64) for side in sides]
    middles = [np.array([word.middle for word in side], np.int64) for side in sides]
    moves = _moves(*coded, *middles)
    pairs: list[tuple[TimedWord | None, TimedWord | None]] = []
    row, column = len(expected), len(heard)
    while row or column:
        move = moves[row, column]
        row, column = row - (move != _INSERTED), column - (move != _DELETED)
        pairs.append(
            (None if move == _INSERTED else expected[row], None if move == _DELETED else heard[column])
        )
    return pairs[::-1]


_DELETED, _INSERTED = 1, 2  # moves of an alignment; 0 pairs two words


@numba.njit(cache=True)
def _moves(expected, heard, expected_middles, heard_middles):  # type: ignore[no-untyped-def]
    """Return the last move of the best alignment of each pair of prefixes: fewest edits, then least time between."""
    rows, columns = len(expected) + 1, len(heard) + 1
    moves = np.zeros((rows, columns), np.uint8)
    edits, apart = np.arange(columns), np.zeros(columns, np.int64)
    moves[0, 1:] = _INSERTED
    for row in range(1, rows):
        diagonal_edits, diagonal_apart = edits[0], apart[0]
        edits[0], moves[row, 0] = row, _DELETED
        for column in range(1, columns):
            best = diagonal_edits + (expected[row - 1] != heard[column - 1])
            between = diagonal_apart + abs(expected_middles[row - 1] - heard_middles[column - 1])
            move = 0
            if (edits[column] + 1, apart[column]) < (best, between):
                best, between, move = edits[column] + 1, apart[column], _DELETED
            if (edits[column - 1] + 1, apart[column - 1]) < (best, between):
                best, between, move = edits[column - 1] + 1, apart[column - 1], _INSERTED
            diagonal_edits, diagonal_apart = edits[column], apart[column]
            edits[column], apart[column], moves[row, column] = best, between, move
    return moves
