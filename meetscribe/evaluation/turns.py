"""Measures of turns rather than words: counted right, closed too early, invented, leaked, left out.

All take the segments of one session (times in samples) and return `Share`s that add.
Not covered: latencies (`latency.py`), words (`error_rate.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from meetscribe.evaluation.error_rate import rounded
from meetscribe.evaluation.matching import best_match
from meetscribe.evaluation.segments import LONGEST_PAUSE, Segment, joined_turns
from meetscribe.timeline import SAMPLE_RATE

_EARLY = SAMPLE_RATE // 4  # a turn that ends less than this before its reference is not closed too early


@dataclass(frozen=True, slots=True)
class Share:
    """`count` out of `total`; the total need not be a count (minutes, for a rate per minute)."""

    count: float = 0
    total: float = 0

    def __add__(self, other: "Share") -> "Share":
        return Share(self.count + other.count, self.total + other.total)

    @property
    def value(self) -> float | None:
        """Return the ratio, None where nothing could be counted."""
        return rounded(self.count / self.total) if self.total else None


def union(intervals: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join overlapping or touching intervals; the result is sorted and disjoint."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def utterance_groups(turns: Sequence[Segment]) -> list[tuple[int, int]]:
    """Return the stretches of talk between silences of more than 0.5 s of everybody, as start and end."""
    groups: list[tuple[int, int]] = []
    for start, end in union([(turn.start, turn.end) for turn in turns]):
        if groups and start - groups[-1][1] <= LONGEST_PAUSE:
            groups[-1] = (groups[-1][0], end)
        else:
            groups.append((start, end))
    return groups


def counted_right(reference: Sequence[Segment], hypothesis: Sequence[Segment]) -> Share:
    """Tell whether the hypothesis has as many turns as the reference in the whole recording: 1 or 0 of 1."""
    return Share(len(joined_turns(reference)) == len(hypothesis), 1)


def turns_right(reference: Sequence[Segment], hypothesis: Sequence[Segment]) -> Share:
    """Count the utterance groups for which the hypothesis has as many turns as the reference.

    A hypothesis turn counts for the group that it shares most time with, else for the nearest one.
    """
    expected = joined_turns(reference)
    groups = utterance_groups(expected)
    if not groups:
        return Share()
    wanted = [0] * len(groups)
    for turn in expected:
        wanted[_group_of(turn, groups)] += 1
    found = [0] * len(groups)
    for turn in hypothesis:
        found[_group_of(turn, groups)] += 1
    return Share(sum(a == b for a, b in zip(wanted, found, strict=True)), len(groups))


def _group_of(turn: Segment, groups: Sequence[tuple[int, int]]) -> int:
    """Return the index of the group with most shared time; a negative share is a distance."""
    return max(range(len(groups)), key=lambda i: min(turn.end, groups[i][1]) - max(turn.start, groups[i][0]))


def false_closes(reference: Sequence[Segment], hypothesis: Sequence[Segment]) -> Share:
    """Count the reference turns that were closed at a pause inside them, of all that were heard.

    A turn was closed too early when a hypothesis turn that belongs to it (`matching.py`) and lies mostly inside it
    ends over 0.25 s before its end, and another one that belongs to it starts later.
    """
    expected = joined_turns(reference)
    heard: dict[int, list[Segment]] = {}
    for other in hypothesis:
        index = best_match(expected, other.start, other.end)
        if index is not None:
            heard.setdefault(index, []).append(other)
    closed = sum(_is_cut(expected[index], parts) for index, parts in heard.items())
    return Share(closed, len(heard))


def _is_cut(turn: Segment, parts: Sequence[Segment]) -> bool:
    early = [part for part in parts if part.end < turn.end - _EARLY and _mostly_inside(part, turn)]
    return any(second.start >= first.end for first in early for second in parts)


def _mostly_inside(inner: Segment, outer: Segment) -> bool:
    shared = min(inner.end, outer.end) - max(inner.start, outer.start)
    return shared > 0 and 2 * shared >= inner.end - inner.start


def invented_words(reference: Sequence[Segment], hypothesis: Sequence[Segment], duration: int) -> Share:
    """Count words heard where nobody speaks, per minute of such time.

    A word is invented when its middle is more than 0.25 s from all speech of the reference, whose
    `duration` in samples tells how much time nobody speaks.
    """
    speech = union([(max(0, s.start - _EARLY), min(duration, s.end + _EARLY)) for s in reference])
    quiet = duration - sum(max(0, end - start) for start, end in speech)
    words = (word for segment in hypothesis for word in segment.words)
    invented = sum(not any(start <= word.middle < end for start, end in speech) for word in words)
    return Share(invented, max(quiet, 0) / SAMPLE_RATE / 60)


def _four_grams(segments: Sequence[Segment]) -> set[tuple[str, ...]]:
    words = [word.word for segment in sorted(segments, key=lambda s: s.start) for word in segment.words]
    return {tuple(words[index : index + 4]) for index in range(len(words) - 3)}


def _reference_four_grams(reference: Sequence[Segment]) -> set[tuple[str, ...]]:
    return {gram for turn in joined_turns(reference) for gram in _four_grams([turn])}


def _per_slot(hypothesis: Sequence[Segment]) -> list[set[tuple[str, ...]]]:
    slots = {segment.slot for segment in hypothesis}
    return [_four_grams([segment for segment in hypothesis if segment.slot == slot]) for slot in slots]


def beside_slot(hypothesis: Sequence[Segment], slot: int, duration: int) -> Share:
    """Count the words outside a slot, per minute of `duration` samples: with one talker there should be none."""
    words = sum(len(segment.words) for segment in hypothesis if segment.slot not in (None, slot))
    return Share(words, duration / SAMPLE_RATE / 60)


def slots_meet(hypothesis: Sequence[Segment]) -> Share:
    """Tell whether turns of different slots share time: 1 or 0 of 1."""
    met = any(
        first.slot != second.slot and first.start < second.end and second.start < first.end
        for first in hypothesis
        for second in hypothesis
    )
    return Share(met, 1)


def leakage4(reference: Sequence[Segment], hypothesis: Sequence[Segment]) -> Share:
    """Count the reference's 4-grams that are found on both slots; nothing where slots are not known.

    Four-grams lie within turns; one that the reference has twice counts once. Source: SURT 2.0 (2306.10559).
    """
    if any(segment.slot is None for segment in hypothesis):
        return Share()
    wanted, slots = _reference_four_grams(reference), _per_slot(hypothesis)
    return Share(sum(sum(gram in found for found in slots) > 1 for gram in wanted), len(wanted))


def omission4(reference: Sequence[Segment], hypothesis: Sequence[Segment]) -> Share:
    """Count the reference's 4-grams that are found on no slot."""
    wanted, slots = _reference_four_grams(reference), _per_slot(hypothesis)
    return Share(sum(not any(gram in found for found in slots) for gram in wanted), len(wanted))
