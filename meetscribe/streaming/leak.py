"""Words that leak: what one person says is heard in the other's slot too, or in a slot where nobody speaks.

The network's activity says how sure it is that a slot's talker speaks. A word is dropped where that is low, and where
the other slot has the same word at the same time with a stronger claim to it. A leak is rarely recognised word for
word, so a run of words most of which are dropped goes as a whole, unless its slot is as active as the other.
Pure functions; of two slots that say the same, the same one loses whichever is asked first.
Not covered: leaks between more than two slots at once (each other slot is looked at by itself).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from meetscribe.streaming.recent import Recent
from meetscribe.streaming.search import FRAME_SAMPLES, FoundWord


@dataclass(frozen=True)
class LeakSettings:
    """What is taken for a leak; lengths in steps of 40 ms, activity from 0 to 1."""

    quiet: float = 0.25  # a word with less mean activity is dropped
    sure: float = 0.95  # a word with so much is kept, whatever the other slot has
    confidence: float = 0.3  # weight of a word's confidence against activity where two slots claim it
    apart: int = 6  # the middles of what may be the same word are no further apart
    pause: int = 8  # words further apart are not of one run
    run_share: float = 0.5  # a run is dropped if more of its words are
    run_margin: float = 0.1  # and the other slot's activity during it is greater by this


@dataclass(frozen=True, eq=False)
class Heard:
    """What a slot has: words in order of time, and its activity in recent steps, rows without axes."""

    words: Sequence[FoundWord]
    activity: Recent


def own_words(own: Heard, other: Heard, settings: LeakSettings) -> tuple[FoundWord, ...]:
    """Return the words of a slot that are its own, in their order."""
    near = _near(own.words, other, settings.apart * FRAME_SAMPLES)
    dropped = [_is_quiet(word, own, settings) or _is_claimed(word, own, near, settings) for word in own.words]
    for begin, end in _runs(own.words, settings.pause):
        run = own.words[begin:end]
        if sum(dropped[begin:end]) > settings.run_share * len(run) and _is_weaker(run, own, other, settings):
            dropped[begin:end] = [True] * len(run)
    return tuple(word for word, leaks in zip(own.words, dropped, strict=True) if not leaks)


def _near(words: Sequence[FoundWord], other: Heard, apart: int) -> Heard:
    """Return the other slot with only those of its words that come at about the time of `words`."""
    if not words:
        return other
    first, last = words[0].start - apart, words[-1].end + apart
    return Heard([word for word in other.words if first < word.end and word.start < last], other.activity)


def activity_between(activity: Recent, start: int, end: int) -> float:
    """Return the mean activity from sample `start` to `end`, of the steps that are still known; 1 if none is."""
    first = max(activity.first, start // FRAME_SAMPLES)
    last = min(activity.end, max(first + 1, -(-end // FRAME_SAMPLES)))
    return float(activity.read(first, last).mean()) if first < last else 1.0


def _is_quiet(word: FoundWord, own: Heard, settings: LeakSettings) -> bool:
    return activity_between(own.activity, word.start, word.end) < settings.quiet


def _is_claimed(word: FoundWord, own: Heard, other: Heard, settings: LeakSettings) -> bool:
    """Tell whether the other slot has the same word at the same time, and the better claim to it."""
    if activity_between(own.activity, word.start, word.end) >= settings.sure:
        return False
    apart = settings.apart * FRAME_SAMPLES
    claim = _claim(word, own, settings)
    return any(
        rival.word == word.word
        and abs(rival.start + rival.end - word.start - word.end) <= 2 * apart
        and _claim(rival, other, settings) > claim
        for rival in other.words
    )


def _claim(word: FoundWord, heard: Heard, settings: LeakSettings) -> float:
    return activity_between(heard.activity, word.start, word.end) + settings.confidence * word.confidence


def _is_weaker(run: Sequence[FoundWord], own: Heard, other: Heard, settings: LeakSettings) -> bool:
    start, end = run[0].start, run[-1].end
    difference = activity_between(other.activity, start, end) - activity_between(own.activity, start, end)
    return difference >= settings.run_margin


def _runs(words: Sequence[FoundWord], pause: int) -> Iterator[tuple[int, int]]:
    """Yield where runs of words without a pause begin and end."""
    breaks = [i + 1 for i, (a, b) in enumerate(pairwise(words)) if b.start - a.end > pause * FRAME_SAMPLES]
    edges = [0, *breaks, len(words)]
    yield from ((begin, end) for begin, end in pairwise(edges) if begin < end)
