"""From aligned words to what the losses want, in steps of 40 ms.

A turn is `<sot>`, its phones, `<eot>`: `<sot>` as the first phone begins, each phone as it ends, `<eot>` a while after
the last one, when it is heard that nothing follows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from meetscribe.lm.symbols import END_OF_TURN, FIRST_PHONE_SYMBOL, START_OF_TURN
from meetscribe.streaming.steps import STEP_SAMPLES
from meetscribe.training.corpus import AlignedWord

STEP = STEP_SAMPLES
SILENCE_CLASS = 0
LONGEST_PAUSE = 8_000  # samples inside a turn
END_DELAY = 6
"""Steps from the end of a turn's last phone to its `<eot>`: about as long as it takes to hear that it was the last."""


@dataclass(frozen=True)
class Targets:
    """Targets of one example of T steps and U labels."""

    classes: np.ndarray  # int64 (T,): silence = 0 or the phone said in the middle of the step
    labels: np.ndarray  # int64 (U,): symbols
    emission: np.ndarray  # int64 (U,): step in which each is emitted, strictly ascending
    ends: np.ndarray  # int64 (U,): step in which the sound ends that a label stands for; of `<eot>`: the turn


def frame_class(symbol: int) -> int:
    """Return the frame-wise class of a phone symbol."""
    return symbol - FIRST_PHONE_SYMBOL + 1


def turns_of(words: Sequence[AlignedWord]) -> list[tuple[AlignedWord, ...]]:
    """Return one speaker's words turn by turn: a pause of more than 0.5 s ends a turn."""
    turns: list[list[AlignedWord]] = []
    for word in words:
        if not turns or word.start - turns[-1][-1].end > LONGEST_PAUSE:
            turns.append([])
        turns[-1].append(word)
    return [tuple(turn) for turn in turns]


def turn_symbols(words: Sequence[AlignedWord]) -> list[int]:
    """Return the labels of a turn: its start, the phones of its words, its end."""
    return [START_OF_TURN, *(symbol for word in words for symbol in word.symbols), END_OF_TURN]


def make_targets(
    turns: Sequence[Sequence[AlignedWord]], start: float, steps: int, scale: float
) -> Targets | None:
    """Return the targets of the turns of one slot, or None when they do not fit one symbol a step.

    Args:
        turns: turns in the order of their starts, not overlapping, none empty, wholly inside the piece.
        start: the piece's first sample.
        steps: T.
        scale: what times are multiplied with (1 / speed).
    """
    rows = [(symbol, (b - start) * scale, (e - start) * scale) for symbol, b, e in _sounds(turns, scale)]
    rows = [row for row in rows if not (row[0] == END_OF_TURN and row[2] >= (steps - 1) * STEP)]
    symbols = np.array([row[0] for row in rows], np.int64)
    begins, ends = (np.array([row[i] for row in rows], np.float64) for i in (1, 2))
    wanted = np.clip((ends - 1) // STEP, 0, None).astype(np.int64)
    emission = place_labels(wanted, steps)
    if emission is None:
        return None
    classes = np.full(steps, SILENCE_CLASS, np.int64)
    centres = np.arange(steps) * STEP + STEP / 2
    for symbol, begin, end in zip(symbols, begins, ends, strict=True):
        if symbol >= FIRST_PHONE_SYMBOL:
            classes[np.searchsorted(centres, begin) : np.searchsorted(centres, end)] = frame_class(symbol)
    sound = np.where(symbols == END_OF_TURN, np.clip((begins - 1) // STEP, 0, None), wanted)
    return Targets(classes, symbols, emission, sound.astype(np.int64))


def _sounds(turns: Sequence[Sequence[AlignedWord]], scale: float) -> Iterator[tuple[int, float, float]]:
    """Yield each label with the samples between which it is heard."""
    delay = END_DELAY * STEP / scale
    for number, words in enumerate(turns):
        first, last = words[0].start, words[-1].end
        yield START_OF_TURN, first, first + 1 / scale
        for word in words:
            yield from zip(word.symbols, (word.start, *word.ends[:-1]), word.ends, strict=True)
        following = turns[number + 1][0].start if number + 1 < len(turns) else np.inf
        yield END_OF_TURN, last, max(last + 1, min(last + delay, following - STEP / scale))


def place_labels(wanted: np.ndarray, steps: int) -> np.ndarray | None:
    """Return the step of each label: the wanted one, moved so that each has a step of its own.

    Args:
        wanted: ascending steps (U,).
        steps: T; None is returned when U labels do not fit.
    """
    if len(wanted) > steps:
        return None
    order = np.arange(len(wanted))
    later = np.maximum.accumulate(wanted - order) + order
    return np.minimum(later, steps - len(wanted) + order)
