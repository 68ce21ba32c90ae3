"""Which reference turn a heard turn belongs to.

The one that it shares most time with, relative to the time of both together: a word said into somebody else's long
turn belongs to the short turn that it fills, not to the long one that it lies in.
Not covered: matching by words.
"""

from collections.abc import Sequence

from meetscribe.evaluation.segments import Segment


def best_match(reference: Sequence[Segment], start: int, end: int) -> int | None:
    """Return the index of the turn that an interval belongs to, None where it shares time with none."""
    shares = [_shared(turn, start, end) for turn in reference]
    best = max(range(len(shares)), key=shares.__getitem__, default=None)
    return best if best is not None and shares[best] > 0 else None


def _shared(turn: Segment, start: int, end: int) -> float:
    """Return the time that both have over the time that at least one has."""
    both = min(turn.end, end) - max(turn.start, start)
    return both / (turn.end - turn.start + end - start - both) if both > 0 else 0.0
