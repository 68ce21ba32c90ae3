"""Training the spelling model, on a language where spelling is easy."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.errors import CheckpointError
from meetscribe.lm.g2p import GraphemeToPhoneme, load_g2p, save_g2p
from meetscribe.lm.ngram import assemble
from meetscribe.lm.symbols import spell
from meetscribe.training.language.g2p import edit_distance, measure, split_dictionary, train_g2p

SOUNDS = {"a": ("AA",), "e": ("EH",), "p": ("P",), "t": ("T",), "s": ("S",), "sh": ("SH",), "x": ("K", "S")}


def say(word: str) -> tuple[str, ...]:
    """Returns how a word of the easy language is said: letter by letter, but "sh" is one phone."""
    phones: list[str] = []
    while word:
        size = 2 if word.startswith("sh") else 1
        phones.extend(SOUNDS[word[:size]])
        word = word[size:]
    return tuple(phones)


def words(onsets: list[str]) -> dict[str, list[tuple[str, ...]]]:
    """Returns words of onset, vowel, onset, vowel."""
    parts = itertools.product(onsets, "ae", onsets, "ae", ["", "x"])
    return {word: [say(word)] for word in map("".join, parts)}


@pytest.fixture(scope="module")
def model() -> GraphemeToPhoneme:
    """Returns a model trained on two thirds of the easy words."""
    training, _ = split_dictionary(words(["p", "t", "s", "sh"]), 0.33, np.random.default_rng(3))
    letters, phones, tables = train_g2p(training, budget=1e5)
    return GraphemeToPhoneme(letters, phones, assemble(tables))


def test_unseen_words_are_said_as_they_are_spelled(model: GraphemeToPhoneme) -> None:
    """Letters of one phone, of two, and two letters of one phone are all learned from whole words."""
    _, held = split_dictionary(words(["p", "t", "s", "sh"]), 0.33, np.random.default_rng(3))
    errors = measure(model, held)
    assert errors.words == len(held) > 20
    assert errors.word_error_rate < 0.05
    assert errors.phone_error_rate <= errors.word_error_rate


def test_guesses_share_the_probability(model: GraphemeToPhoneme) -> None:
    """Guesses are distinct, the likeliest first, and their shares sum to 1."""
    guesses = model.guesses("shapetax")
    assert guesses[0].phones == say("shapetax")
    assert len({guess.phones for guess in guesses}) == len(guesses)
    assert sum(guess.share for guess in guesses) == pytest.approx(1.0)
    assert [guess.share for guess in guesses] == sorted((guess.share for guess in guesses), reverse=True)


def test_a_pronunciation_is_made_of_symbols(model: GraphemeToPhoneme) -> None:
    """The last symbol is the word-end variant."""
    assert model.pronounce("pat") == (spell(("P", "AA", "T")),)


@pytest.mark.parametrize("word", ["", "naïve", "42", "zzz"])
def test_what_cannot_be_read_has_no_guess(model: GraphemeToPhoneme, word: str) -> None:
    """Letters outside the alphabet, or never seen, give nothing rather than something wrong."""
    assert model.guesses(word) == []
    assert model.pronounce(word) == ()


def test_a_saved_model_reads_alike(model: GraphemeToPhoneme, tmp_path: Path) -> None:
    """Saving and loading change no guess; a damaged file is named with its remedy."""
    tables = train_g2p(words(["p", "t"]), budget=1e4)
    path = tmp_path / "g2p.safetensors"
    save_g2p(*tables, path)
    direct = GraphemeToPhoneme(tables[0], tables[1], assemble(tables[2]))
    assert load_g2p(path).guesses("patex") == direct.guesses("patex")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match=r"g2p\.safetensors .* install the model again"):
        load_g2p(path)


def test_a_split_has_every_word_once() -> None:
    """Training and held-out words together are the dictionary."""
    every = words(["p", "t"])
    training, held = split_dictionary(every, 0.25, np.random.default_rng(1))
    assert len(held) == len(every) // 4
    assert {**training, **held} == every


_sequence = st.lists(st.sampled_from("abc"), max_size=6)


@given(_sequence, _sequence, _sequence)
def test_the_edit_distance_is_a_distance(first: list[str], second: list[str], third: list[str]) -> None:
    """It is 0 only for equal sequences, symmetric, and obeys the triangle inequality."""
    assert (edit_distance(first, second) == 0) == (first == second)
    assert edit_distance(first, second) == edit_distance(second, first)
    assert edit_distance(first, third) <= edit_distance(first, second) + edit_distance(second, third)
    assert edit_distance(first, []) == len(first)
