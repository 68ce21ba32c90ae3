"""Text as word numbers."""

import lzma
from pathlib import Path

import numpy as np
import pytest

from meetscribe.training.language.text import (
    Block,
    held_out_split,
    join_sentences,
    line_weights,
    read_lines,
    tokenise,
)

NUMBERS = {"yes": 0, "no": 1, "yeah": 0}


def test_sentences_lie_between_their_markers() -> None:
    """Each line is `<s> words </s>`; other spellings share a number, unknown words are `<unk>`."""
    text = tokenise(["yes no", "", None, "yeah what"], NUMBERS)
    assert text.tokens.tolist() == [2, 0, 1, 3, 2, 0, 4, 3]
    assert text.vocabulary == 2


def test_every_word_has_the_weight_of_its_line() -> None:
    """Blocks give lines their weight; a block of weight 0 is left out."""
    weights = line_weights(3, [Block("talk", 1, 1, 3.0), Block("code", 2, 2, 0.0)])
    text = tokenise(["yes", "no no", "no"], NUMBERS, weights)
    assert text.tokens.tolist() == [2, 0, 3, 2, 1, 3]
    assert text.weights.tolist() == [3.0, 3.0, 3.0, 1.0, 1.0, 1.0]


def test_held_out_lines_keep_the_others_numbers() -> None:
    """Every 200th line is held out and leaves a gap."""
    lines = [f"line {number}" for number in range(1, 401)]
    kept, held = held_out_split(lines)
    assert held == ["line 200", "line 400"]
    assert len(kept) == 400
    assert [line for line in kept if line] == [line for line in lines if line not in held]


def test_joined_sentences_run_on() -> None:
    """Where sentences are joined, neither an end nor a start is left; the last end stays."""
    text = join_sentences(tokenise(["yes", "no", "yes"], NUMBERS), 1.0, np.random.default_rng(1))
    assert text.tokens.tolist() == [2, 0, 1, 0, 3]
    assert len(text.weights) == len(text.tokens)


def test_no_sentence_is_joined_when_none_should_be() -> None:
    """A part of 0 changes nothing."""
    text = tokenise(["yes", "no"], NUMBERS)
    assert join_sentences(text, 0.0, np.random.default_rng(1)).tokens.tolist() == text.tokens.tolist()


def test_too_many_words_are_an_error() -> None:
    """16 bits number the words."""
    with pytest.raises(ValueError, match="too many"):
        tokenise([], {str(number): number for number in range(1 << 16)})


@pytest.mark.parametrize("name", ["text.txt", "text.txt.xz"])
def test_text_may_be_compressed(tmp_path: Path, name: str) -> None:
    """Lines are the same from plain and from compressed files."""
    content = b"one\ntwo\n"
    (tmp_path / name).write_bytes(lzma.compress(content) if name.endswith(".xz") else content)
    assert read_lines(tmp_path / name) == ["one", "two"]
