"""Turns put together bottom up, the likest two groups first.

Not covered: how many groups are people, and who said what at last (`second_pass.py`).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from meetscribe.streaming.resemblance import Ready, Resemblance, Speech


def merge(speech: Speech, apart: NDArray[np.bool_], resemblance: Resemblance) -> Iterator[list[list[int]]]:
    """Give the groups of turns, by number: first of one turn each, then after each merge.

    Args:
        speech: of N turns.
        apart: which turns were said at the same time, (N, N); they stay apart.
        resemblance: how alike speech is; groups by all of theirs.
    """
    groups = [[number] for number in range(len(speech.seconds))]
    yield list(groups)
    if len(groups) < 2:
        return
    total, barred = Speech(*(values.copy() for values in speech)), apart.copy()
    ready = resemblance.ready(total)
    odds = resemblance.of_all(ready, ready)
    odds[barred] = -np.inf
    np.fill_diagonal(odds, -np.inf)
    gone = np.zeros(len(groups), bool)
    while True:
        a, b = np.unravel_index(int(np.argmax(odds)), odds.shape)
        if odds[a, b] == -np.inf:
            return
        groups[a], groups[b], gone[b] = groups[a] + groups[b], [], True
        yield [group for group in groups if group]
        for values in total:
            values[a] += values[b]
        barred[a] |= barred[b]
        barred[:, a] |= barred[:, b]
        own = resemblance.ready(total.take([int(a)]))
        _put(own, ready, int(a))
        row = resemblance.of_all(ready, own)[:, 0]
        row[barred[a] | gone] = -np.inf
        row[a] = -np.inf
        odds[a], odds[:, a] = row, row
        odds[b], odds[:, b] = -np.inf, -np.inf


def _put(one: Ready, into: Ready, number: int) -> None:
    """Put what was made ready anew in its place."""
    for kept, new in zip((*into.judged, *into[1:]), (*one.judged, *one[1:]), strict=True):
        kept[number] = new[0]
