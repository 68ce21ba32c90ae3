"""Plain text as arrays of word numbers, in weighted blocks of lines.

Not covered: normalisation; the text holds a-z, apostrophes and spaces only, one sentence or utterance a line.
"""

import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HELD_OUT_EVERY = 200
"""Of so many lines one is held out while models are compared."""


@dataclass(frozen=True)
class Block:
    """A range of lines of one source.

    Attributes:
        name: what the source is called.
        first: number of its first line, from 1.
        last: number of its last line.
        weight: how often its words count.
    """

    name: str
    first: int
    last: int
    weight: float = 1.0


@dataclass(frozen=True)
class TokenText:
    """Sentences, each from `<s>` to `</s>`, one after another.

    Attributes:
        tokens: word numbers, uint16 [T].
        weights: weight of each token's sentence, float32 [T].
        vocabulary: number of words; `<s>`, `</s>` and `<unk>` have the next three numbers.
    """

    tokens: np.ndarray
    weights: np.ndarray
    vocabulary: int


def read_lines(path: Path) -> list[str]:
    """Returns the lines of a text file, which may be xz-compressed."""
    content = path.read_bytes()
    return (lzma.decompress(content) if path.suffix == ".xz" else content).decode().splitlines()


def held_out_split(lines: Sequence[str]) -> tuple[list[str | None], list[str]]:
    """Returns (the lines with None where one is held out, so that numbers stay true; the held-out lines)."""
    kept = [None if number % HELD_OUT_EVERY == 0 else line for number, line in enumerate(lines, start=1)]
    return kept, list(lines[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY])


def line_weights(number_of_lines: int, blocks: Sequence[Block]) -> np.ndarray:
    """Returns the weight of each line, float32; lines in no block have weight 1."""
    weights = np.ones(number_of_lines, np.float32)
    for block in blocks:
        weights[block.first - 1 : block.last] = block.weight
    return weights


def tokenise(
    lines: Sequence[str | None], numbers: Mapping[str, int], weights: np.ndarray | None = None
) -> TokenText:
    """Returns the text as word numbers; empty lines, missing lines and lines of weight 0 are left out.

    Args:
        lines: sentences.
        numbers: number of each word of the vocabulary, 0 and up; other spellings may share a number.
        weights: weight of each line; all 1 if None.

    Raises:
        ValueError: if the vocabulary has more words than 16 bits number.
    """
    vocabulary = max(numbers.values()) + 1
    if vocabulary + 3 > 1 << 16:
        raise ValueError(f"{vocabulary} words are too many for n-grams of 16-bit words: leave some out")
    begin, end, unknown = range(vocabulary, vocabulary + 3)
    tokens: list[int] = []
    lengths = np.zeros(len(lines), np.int64)
    for index, line in enumerate(lines):
        if not line or (weights is not None and weights[index] <= 0):
            continue
        before = len(tokens)
        tokens.append(begin)
        tokens.extend(numbers.get(word, unknown) for word in line.split())
        tokens.append(end)
        lengths[index] = len(tokens) - before
    per_line = np.ones(len(lines), np.float32) if weights is None else weights.astype(np.float32)
    return TokenText(np.array(tokens, np.uint16), np.repeat(per_line, lengths), vocabulary)


def join_sentences(text: TokenText, part: float, generator: np.random.Generator) -> TokenText:
    """Returns the text with a random part of the ends of sentences, and the starts after them, left out."""
    ends = np.flatnonzero(text.tokens == text.vocabulary + 1)[:-1]
    ends = ends[generator.random(len(ends)) < part]
    keep = np.ones(len(text.tokens), bool)
    keep[ends] = keep[ends + 1] = False
    return TokenText(text.tokens[keep], text.weights[keep], text.vocabulary)
