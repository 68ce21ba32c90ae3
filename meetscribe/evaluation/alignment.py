"""Two transcripts side by side, word by word, for people to read: what was said, what was heard, and what is wrong.

Speakers are matched by the words that they share; words of a pair are aligned with the fewest errors. Wrong words are
in capitals: a replaced word stands above its replacement, a missed one above `·`, an invented one below `·`.
Not covered: figures (`score.py`); the best assignment of turns (speakers are matched as wholes, as for cpWER).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from scipy.ndimage import maximum_filter1d
from scipy.optimize import linear_sum_assignment

from meetscribe.evaluation.normaliser import PLAIN, Normaliser
from meetscribe.evaluation.segments import Segment, TimedWord, normalised
from meetscribe.timeline import clock

Pair = tuple[TimedWord | None, TimedWord | None]

_WIDTH = 100  # letters in a line
_NOBODY = "nobody"
_AROUND = 4  # right words that are shown around wrong ones
_MISSING = "·"


def align(said: Sequence[TimedWord], heard: Sequence[TimedWord]) -> list[Pair]:
    """Return the pairs of the alignment with the fewest errors; None where a word has no partner."""
    cost = np.zeros((len(said) + 1, len(heard) + 1), np.int32)
    cost[:, 0], cost[0, :] = np.arange(len(said) + 1), np.arange(len(heard) + 1)
    words = np.array([word.word for word in heard], dtype=object)
    steps = np.arange(len(heard) + 1)
    for row, word in enumerate(said, 1):
        differs = (words != word.word).astype(np.int32)
        best = np.minimum(cost[row - 1, 1:] + 1, cost[row - 1, :-1] + differs)
        line = np.concatenate([[row], best]) - steps
        cost[row] = np.minimum.accumulate(line) + steps  # insertions follow one another
    return _traced(cost, said, heard)


def _traced(cost: np.ndarray, said: Sequence[TimedWord], heard: Sequence[TimedWord]) -> list[Pair]:
    pairs: list[Pair] = []
    row, column = len(said), len(heard)
    while row or column:
        here = cost[row, column]
        differs = bool(row and column) and said[row - 1].word != heard[column - 1].word
        if row and column and here == cost[row - 1, column - 1] + differs:
            row, column = row - 1, column - 1
            pairs.append((said[row], heard[column]))
        elif row and here == cost[row - 1, column] + 1:
            row -= 1
            pairs.append((said[row], None))
        else:
            column -= 1
            pairs.append((None, heard[column]))
    return pairs[::-1]


def matched(
    reference: Sequence[Segment], hypothesis: Sequence[Segment]
) -> list[tuple[str, str, list[TimedWord], list[TimedWord]]]:
    """Return the speakers who belong together, by the words that they share, with their words in order of time."""
    said, heard = _streams(reference), _streams(hypothesis)
    left, right = list(said), list(heard)
    shared = np.zeros((len(left), len(right)))
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            shared[i, j] = sum((_bag(said[one]) & _bag(heard[other])).values())
    rows, columns = linear_sum_assignment(-shared)
    pairs = [(left[i], right[j], said[left[i]], heard[right[j]]) for i, j in zip(rows, columns, strict=True)]
    pairs += [(one, _NOBODY, said[one], []) for i, one in enumerate(left) if i not in rows]
    pairs += [(_NOBODY, other, [], heard[other]) for j, other in enumerate(right) if j not in columns]
    return pairs


def _streams(segments: Sequence[Segment]) -> dict[str, list[TimedWord]]:
    streams: dict[str, list[TimedWord]] = {}
    for segment in sorted(segments, key=lambda s: s.start):
        streams.setdefault(segment.speaker, []).extend(segment.words)
    return {name: words for name, words in streams.items() if words}


def _bag(words: Sequence[TimedWord]) -> Counter[str]:
    return Counter(word.word for word in words)


def describe(
    reference: Sequence[Segment], hypothesis: Sequence[Segment], normaliser: Normaliser = PLAIN
) -> Iterator[str]:
    """Give the lines of a readable alignment of one session: around every error, what was said and heard."""
    expected, found = normalised(reference, normaliser), normalised(hypothesis, normaliser)
    for one, other, said, heard in matched(expected, found):
        pairs = align(said, heard)
        wrong = sum(not _right(pair) for pair in pairs)
        yield f"{one} ({len(said)} words) as {other}: {wrong} wrong"
        for part in _parts(pairs):
            yield from _lines(part)
        yield ""


def _right(pair: Pair) -> bool:
    return pair[0] is not None and pair[1] is not None and pair[0].word == pair[1].word


def _parts(pairs: Sequence[Pair]) -> Iterator[Sequence[Pair]]:
    """Give the stretches around errors, joined where they meet."""
    wrong = np.array([not _right(pair) for pair in pairs] or [False], np.uint8)
    near = maximum_filter1d(wrong, 2 * _AROUND + 1, mode="constant") > 0
    for shown, group in groupby(range(len(pairs)), key=lambda number: bool(near[number])):
        if shown:
            yield [pairs[number] for number in group]


def _lines(pairs: Sequence[Pair]) -> Iterator[str]:
    """Give the two lines of a stretch, as often as its width needs."""
    start = next(word.start for pair in pairs for word in pair if word is not None)
    upper, lower = f"  {clock(start):>8} said  ", f"  {'':>8} heard "
    begin = len(upper)
    for one, other in pairs:
        above = one.word if one else _MISSING
        below = other.word if other else _MISSING
        if not _right((one, other)):
            above, below = above.upper(), below.upper()
        width = max(len(above), len(below)) + 1
        if len(upper) + width > _WIDTH and len(upper) > begin:
            yield from (upper.rstrip(), lower.rstrip())
            upper, lower = f"  {'':>8} said  ", f"  {'':>8} heard "
        upper, lower = upper + above.ljust(width), lower + below.ljust(width)
    yield from (upper.rstrip(), lower.rstrip())
