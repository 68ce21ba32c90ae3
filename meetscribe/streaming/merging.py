"""Turns put together bottom up, the likest two groups first.

Not covered: how many groups are people, and who said what at last (`second_pass.py`).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from meetscribe.streaming.likeness import Likeness

Floats = NDArray[np.float64]


def merge(
    voices: Floats, seconds: Floats, apart: NDArray[np.bool_], likeness: Likeness
) -> Iterator[list[list[int]]]:
    """Give the groups of turns, by number: first of one turn each, then after each merge.

    Args:
        voices: of the turns, (N, E).
        seconds: of speech behind each, (N,).
        apart: which turns were said at the same time, (N, N); they stay apart.
        likeness: how alike voices are; groups by the sums of theirs.
    """
    groups = [[number] for number in range(len(voices))]
    yield list(groups)
    if len(groups) < 2:
        return
    totals, spoken, barred = voices * seconds[:, None], seconds.copy(), apart.copy()
    judged = likeness.judged(totals)
    odds = likeness.of_all(judged, spoken, judged, spoken)
    odds[barred] = -np.inf
    np.fill_diagonal(odds, -np.inf)
    gone = np.zeros(len(groups), bool)
    while True:
        a, b = np.unravel_index(int(np.argmax(odds)), odds.shape)
        if odds[a, b] == -np.inf:
            return
        groups[a], groups[b], gone[b] = groups[a] + groups[b], [], True
        yield [group for group in groups if group]
        totals[a] += totals[b]
        spoken[a] += spoken[b]
        barred[a] |= barred[b]
        barred[:, a] |= barred[:, b]
        own = likeness.judged(totals[a][None])
        for kept, new in zip(judged, own, strict=True):
            kept[a] = new[0]
        row = likeness.of_all(judged, spoken, own, spoken[a])[:, 0]
        row[barred[a] | gone] = -np.inf
        row[a] = -np.inf
        odds[a], odds[:, a] = row, row
        odds[b], odds[:, b] = -np.inf, -np.inf
