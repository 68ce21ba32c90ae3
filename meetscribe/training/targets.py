"""From aligned words to what the losses want, in steps of 40 ms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meetscribe.lm.symbols import FIRST_PHONE_SYMBOL
from meetscribe.streaming.steps import STEP_SAMPLES
from meetscribe.training.corpus import AlignedWord

STEP = STEP_SAMPLES
SILENCE_CLASS = 0


@dataclass(frozen=True)
class Targets:
    """Targets of one example of T steps and U labels."""

    classes: np.ndarray  # int64 (T,): silence = 0 or the phone said in the middle of the step
    labels: np.ndarray  # int64 (U,): symbols
    emission: np.ndarray  # int64 (U,): step in which each is emitted, strictly ascending


def frame_class(symbol: int) -> int:
    """Return the frame-wise class of a phone symbol."""
    return symbol - FIRST_PHONE_SYMBOL + 1


def make_targets(words: Sequence[AlignedWord], start: float, steps: int, scale: float) -> Targets | None:
    """Return the targets of the words inside a piece, or None when they do not fit one symbol a step.

    Args:
        words: words wholly inside the piece.
        start: the piece's first sample.
        steps: T.
        scale: what times are multiplied with (1 / speed).
    """
    symbols = [symbol for word in words for symbol in word.symbols]
    ends = np.array([end for word in words for end in word.ends], np.float64)
    begins = np.array([b for word in words for b in (word.start, *word.ends[:-1])], np.float64)
    emission = place_labels((ends - start) * scale, steps)
    if emission is None:
        return None
    centres = np.arange(steps) * STEP + STEP / 2
    classes = np.full(steps, SILENCE_CLASS, np.int64)
    for symbol, begin, end in zip(symbols, (begins - start) * scale, (ends - start) * scale, strict=True):
        classes[np.searchsorted(centres, begin) : np.searchsorted(centres, end)] = frame_class(symbol)
    return Targets(classes, np.array(symbols, np.int64), emission)


def place_labels(ends: np.ndarray, steps: int) -> np.ndarray | None:
    """Return the step of each label: where its phone ends, moved so that each has a step of its own.

    Args:
        ends: sample after each phone, ascending (U,).
        steps: T; None is returned when U labels do not fit.
    """
    if len(ends) > steps:
        return None
    order = np.arange(len(ends))
    wanted = np.clip((ends - 1) // STEP, 0, None).astype(np.int64)
    later = np.maximum.accumulate(wanted - order) + order
    return np.minimum(later, steps - len(ends) + order)
