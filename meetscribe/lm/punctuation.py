"""Marks after words and capitals in them, as the words of a turn go on: a small network over words and pauses.

Every word gets a mark (none, comma, full stop, question mark) and is written in small letters or in its own form:
that of names and acronyms, of which the model has a list; what the list lacks is capitalised. Each answer depends on
`REACH` words before and after; where the words go on, answers near the end may change with them.
The network is a few convolutions in plain arrays, since it runs whenever a partial is shown.
Not covered: training (`meetscribe.training.language.punctuation`), which answers are firm
(`meetscribe.streaming.writing`).
"""

import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from meetscribe.errors import CheckpointError

NONE, COMMA, PERIOD, QUESTION = 0, 1, 2, 3
MARKS = ("", ",", ".", "?")
"""What is written after a word."""

NO_PAUSE, SHORT_PAUSE, LONG_PAUSE, UNKNOWN_PAUSE = 0, 1, 2, 3
PAUSES = 4
"""Kinds of pauses between words; a turn ends with a long one, and what comes after the newest word is not known."""

KERNEL = 5  # words that a layer hears at once
DILATIONS = (1, 1, 2, 4)
REACH = sum(KERNEL // 2 * dilation for dilation in DILATIONS)
"""An answer depends on so many words before and after."""

SUFFIXES = 512
FEATURES = 2 * PAUSES + 2
"""Kinds of pauses before and after, how often the word is written in its own form, and whether the list has one."""


class Tag(NamedTuple):
    """What is written of a word: the mark after it, and whether it stands in its own form."""

    mark: int
    formed: bool


@dataclass(frozen=True)
class OwnForm:
    """How a word is written where it is not in small letters, and the log odds that it is so."""

    form: str
    odds: float


@dataclass(frozen=True)
class Punctuator:
    """A model of marks and capitals.

    Attributes:
        numbers: row of each word in the embedding; others have row 0.
        forms: of words that are not always in small letters.
        weights: arrays by name, float32.
    """

    numbers: Mapping[str, int]
    forms: Mapping[str, OwnForm]
    weights: Mapping[str, NDArray[np.float32]]

    def tags(self, words: Sequence[str], pauses: Sequence[int]) -> list[Tag]:
        """Returns what is written of each word.

        Args:
            words: in small letters.
            pauses: kind of the pause after each word.
        """
        if not words:
            return []
        marks, formed = self.scores(words, pauses)
        return [Tag(int(mark), bool(own > 0)) for mark, own in zip(marks.argmax(1), formed, strict=True)]

    def scores(
        self, words: Sequence[str], pauses: Sequence[int]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns the marks' logits [words, 4], and the log odds of own forms [words]."""
        weights = self.weights
        ids = np.array([self.numbers.get(word, 0) for word in words])
        suffixes = np.array([suffix_of(word) for word in words])
        x = weights["words"][ids] + weights["suffixes"][suffixes]
        x = x + features(words, pauses, self.forms) @ weights["features"]
        for layer, dilation in enumerate(DILATIONS):
            heard = _normalised(x) * weights[f"scale{layer}"]
            x = x + np.maximum(
                _window(heard, dilation) @ weights[f"conv{layer}"] + weights[f"bias{layer}"], 0
            )
        found = _normalised(x) @ weights["heads"] + weights["heads_bias"]
        return found[:, :4], found[:, 4]

    def own_form(self, word: str) -> str:
        """Returns how a word is written that is not in small letters."""
        known = self.forms.get(word)
        return known.form if known is not None else capitalised(word)


def capitalised(word: str) -> str:
    """Returns a word with its first letter capital, the others as they are."""
    return word[:1].upper() + word[1:]


def suffix_of(word: str) -> int:
    """Returns the row of a word's ending, which tells of words that the embedding lacks."""
    value = 0
    for letter in f"<{word}"[-3:]:
        value = (value * 31 + ord(letter)) % 7919
    return value % SUFFIXES


def features(
    words: Sequence[str], pauses: Sequence[int] | NDArray[np.int8], forms: Mapping[str, OwnForm]
) -> NDArray[np.float32]:
    """Returns what is known of words beside their spelling, float32 [words, FEATURES]."""
    found = np.zeros((len(words), FEATURES), np.float32)
    rows = np.arange(len(words))
    after = np.asarray(pauses, np.int64)
    before = np.concatenate([[LONG_PAUSE], after[:-1]])
    found[rows, before] = 1
    found[rows, PAUSES + after] = 1
    for row, word in enumerate(words):
        known = forms.get(word)
        if known is not None:
            found[row, -2], found[row, -1] = known.odds / 4, 1
    return found


def odds_of(own: int, small: int) -> float:
    """Returns the smoothed log odds that a word is written in its own form."""
    return log((own + 0.3) / (small + 0.3))


def _normalised(x: NDArray) -> NDArray:
    return x / np.sqrt((x * x).mean(1, keepdims=True) + 1e-6)


def _window(x: NDArray, dilation: int) -> NDArray:
    """Returns for each row those around it, one after another, [rows, KERNEL * columns]."""
    side = KERNEL // 2 * dilation
    padded = np.pad(x, ((side, side), (0, 0)))
    return np.concatenate([padded[place * dilation :][: len(x)] for place in range(KERNEL)], 1)


def save_punctuator(model: Punctuator, path: Path) -> None:
    """Writes a model: embeddings in bytes with a scale for each row, other weights in half precision."""
    content: dict[str, NDArray] = {}
    for name, value in model.weights.items():
        if name in ("words", "suffixes"):
            scale = np.maximum(np.abs(value).max(1, keepdims=True), 1e-8) / 127
            content[f"{name}.int8"] = np.round(value / scale).astype(np.int8)
            content[f"{name}.scale"] = scale.astype(np.float16)
        else:
            content[name] = value.astype(np.float16)
    spelled = "\n".join(sorted(model.numbers, key=lambda word: model.numbers[word]))
    forms = "\n".join(f"{word}\t{own.form}\t{own.odds:.1f}" for word, own in sorted(model.forms.items()))
    for name, text in (("spelled", spelled), ("forms", forms)):
        content[name] = np.frombuffer(lzma.compress(text.encode(), preset=9), np.uint8)
    save_file(content, path)


def load_punctuator(path: Path) -> Punctuator:
    """Reads a model.

    Raises:
        CheckpointError: if the file is none or is damaged.
        OSError: if the file cannot be read.
    """
    try:
        content = load_file(path)
        texts = {name: lzma.decompress(content.pop(name).tobytes()).decode() for name in ("spelled", "forms")}
        weights = {name: value.astype(np.float32) for name, value in content.items() if "." not in name}
        for name in ("words", "suffixes"):
            weights[name] = content[f"{name}.int8"] * content[f"{name}.scale"].astype(np.float32)
        numbers = {word: row for row, word in enumerate(texts["spelled"].split("\n"), 1)}
        rows = (line.split("\t") for line in texts["forms"].split("\n") if line)
        forms = {word: OwnForm(form, float(odds)) for word, form, odds in rows}
        model = Punctuator(numbers, forms, weights)
        model.scores(["a"], [NO_PAUSE])
        return model
    except (SafetensorError, lzma.LZMAError, KeyError, ValueError, IndexError) as error:
        raise CheckpointError(
            f"{path} is not a usable model of punctuation: install the model again"
        ) from error
