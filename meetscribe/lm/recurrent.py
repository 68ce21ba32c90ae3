"""A small recurrent language model, for what is searched with time: it remembers the whole sentence.

One LSTM layer over the commonest words; embeddings serve as input and, turned, as output. Words that it lacks are one
word to it, whose probability they share as their own frequencies have it. It is arithmetic in plain arrays: some
hundred words at once, a few times a second.
Not covered: training (`meetscribe.training.language.recurrent`), what the search makes of it
(`meetscribe.streaming.rescoring`).
"""

import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from meetscribe.errors import CheckpointError

SENTENCE_END, UNKNOWN = 0, 1
"""Rows of what is no word: the end of a sentence, with which one begins too, and all words that have no row."""

FIRST_WORD = 2

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Memory:
    """What is remembered after some words, one row for each history.

    Attributes:
        hidden: float32 [rows, hidden].
        cell: float32 [rows, hidden].
    """

    hidden: Floats
    cell: Floats

    def take(self, rows: NDArray[np.integer]) -> "Memory":
        """Returns the memory of some rows."""
        return Memory(self.hidden[rows], self.cell[rows])

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(np.concatenate([self.hidden, other.hidden]), np.concatenate([self.cell, other.cell]))


@dataclass(frozen=True, eq=False)
class RecurrentLM:
    """A recurrent language model.

    Attributes:
        spelled: its words; the first has row FIRST_WORD.
        weights: float32 arrays by name: `words` [rows, width], `words_bias` [rows], `inputs` [width, 4 hidden],
            `recurrent` [hidden, 4 hidden] and `bias` [4 hidden] with gates in the order input, forget, cell, output,
            `output` [hidden, width] and `output_bias` [width].
    """

    spelled: tuple[str, ...]
    weights: Mapping[str, Floats]

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Row of each word."""
        return {word: row for row, word in enumerate(self.spelled, FIRST_WORD)}

    @cached_property
    def begin(self) -> Memory:
        """What is remembered where a sentence begins, one row."""
        nothing = np.zeros((1, len(self.weights["recurrent"])), np.float32)
        return self.after(Memory(nothing, nothing), np.array([SENTENCE_END]))

    def after(self, memory: Memory, rows: NDArray[np.integer]) -> Memory:
        """Returns what is remembered after one more word each; `rows` are the words' rows, whole numbers [N]."""
        weights = self.weights
        gates = weights["words"][rows] @ weights["inputs"] + memory.hidden @ weights["recurrent"]
        gates += weights["bias"]
        taken, kept, new, shown = np.split(gates, 4, 1)
        cell = _sigmoid(kept) * memory.cell + _sigmoid(taken) * np.tanh(new)
        return Memory(_sigmoid(shown) * np.tanh(cell), cell)

    def outlook(self, memory: Memory) -> Floats:
        """Returns what `log_probs` needs of each history: what it looks for, and the log of all it might find.

        float32 [histories, width + 1].
        """
        # OpenBLAS may raise this flag for lanes of AVX-512 that hold nothing; what is no number stays so.
        with np.errstate(invalid="ignore"):
            wanted = memory.hidden @ self.weights["output"] + self.weights["output_bias"]
            scores = wanted @ self.weights["words"].T + self.weights["words_bias"]
        highest = scores.max(1, keepdims=True)
        scores -= highest
        total = highest + np.log(np.exp(scores, out=scores).sum(1, keepdims=True))
        return np.concatenate([wanted, total], 1)

    def log_probs(self, outlook: Floats, rows: NDArray[np.integer]) -> Floats:
        """Returns natural log probabilities of words, float32 [N]: of row `rows[n]` given `outlook[n]`."""
        words, bias = self.weights["words"][rows], self.weights["words_bias"][rows]
        return (outlook[:, :-1] * words).sum(1) + bias - outlook[:, -1]


def _sigmoid(x: NDArray) -> NDArray:
    return 1 / (1 + np.exp(-x))


def save_recurrent(model: RecurrentLM, path: Path) -> None:
    """Writes a model: embeddings in bytes with a scale for each row, other weights in half precision."""
    content: dict[str, NDArray] = {
        name: np.ascontiguousarray(value, np.float16)
        for name, value in model.weights.items()
        if name != "words"
    }
    words = model.weights["words"]
    scale = np.maximum(np.abs(words).max(1, keepdims=True), 1e-8) / 127
    content |= {
        "words.int8": np.round(words / scale).astype(np.int8),
        "words.scale": scale.astype(np.float16),
    }
    spelled = lzma.compress("\n".join(model.spelled).encode(), preset=9)
    save_file(content | {"spelled": np.frombuffer(spelled, np.uint8)}, path)


def load_recurrent(path: Path) -> RecurrentLM:
    """Reads a model.

    Raises:
        CheckpointError: if the file is none or is damaged.
        OSError: if the file cannot be read.
    """
    try:
        content = load_file(path)
        spelled = tuple(lzma.decompress(content.pop("spelled").tobytes()).decode().split("\n"))
        weights = {name: value.astype(np.float32) for name, value in content.items() if "." not in name}
        weights["words"] = content["words.int8"] * content["words.scale"].astype(np.float32)
        model = RecurrentLM(spelled, weights)
        if len(weights["words"]) != FIRST_WORD + len(spelled):
            raise ValueError("words without a row")
        seen = model.outlook(model.begin)
        if not np.isfinite(model.log_probs(seen, np.array([UNKNOWN]))).all():
            raise ValueError("no numbers")
        return model
    except (SafetensorError, lzma.LZMAError, KeyError, ValueError, IndexError) as error:
        raise CheckpointError(
            f"{path} is not a usable recurrent language model: install the model again"
        ) from error
