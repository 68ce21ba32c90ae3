"""Look-ups in n-gram models, against the definition of backing off."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.errors import CheckpointError
from meetscribe.lm.ngram import EMPTY_STATE, assemble, load_ngram, save_tables, score_sequence
from tests.lm.arpa import Grams, SlowModel, to_tables

WORDS = 6
VALUES = np.linspace(-12.75, 0.0, 256)


@st.composite
def models(draw: st.DrawFn) -> Grams:
    """Draws models of order 2 to 4: all words, and any longer n-grams whose beginnings are there."""
    value = st.sampled_from(VALUES.tolist())
    backoff = st.one_of(st.just(0.0), value)
    grams = {(word,): (draw(value), draw(backoff)) for word in range(WORDS)}
    level = list(grams)
    for _ in range(draw(st.integers(1, 3))):
        parents = draw(st.lists(st.sampled_from(level), min_size=1, max_size=8))
        level = sorted({(*parent, draw(st.integers(0, WORDS - 1))) for parent in parents})
        grams |= {gram: (draw(value), draw(backoff)) for gram in level}
    return grams


@given(models(), st.lists(st.integers(0, WORDS - 1), min_size=1, max_size=12))
@settings(max_examples=300, deadline=None)
def test_every_word_of_a_sequence_scores_as_the_definition_says(grams: Grams, words: list[int]) -> None:
    """Following states gives the same score as looking the whole history up."""
    slow = SlowModel(grams, max(len(gram) for gram in grams))
    fast = assemble(to_tables(grams, WORDS, VALUES))
    scores, _ = score_sequence(fast.arrays, EMPTY_STATE, np.array(words))
    expected = [slow.score(tuple(words[:index]), word) for index, word in enumerate(words)]
    np.testing.assert_allclose(scores, expected, atol=1e-4)


@given(models())
@settings(max_examples=50, deadline=None)
def test_the_start_of_a_sentence_is_a_history(grams: Grams) -> None:
    """The begin state scores words as after `<s>`, the third word from the end of the list."""
    slow = SlowModel(grams, max(len(gram) for gram in grams))
    fast = assemble(to_tables(grams, WORDS, VALUES))
    for word in range(WORDS):
        score, _ = fast.score(fast.begin_state, word)
        assert score == pytest.approx(slow.score((fast.sentence_begin,), word), abs=1e-4)


@given(models())
@settings(max_examples=20, deadline=None)
def test_states_that_predict_alike_are_one_state(grams: Grams) -> None:
    """After an n-gram that is no history of any other, the state is a shorter history."""
    fast = assemble(to_tables(grams, WORDS, VALUES))
    begins = {gram[:-1] for gram in grams}
    for gram, (_, backoff) in grams.items():
        state = EMPTY_STATE
        for word in gram:
            _, state = fast.score(state, word)
        if gram not in begins and backoff == 0.0:
            same = EMPTY_STATE
            for word in gram[1:]:
                _, same = fast.score(same, word)
            assert state == same


def _example() -> Grams:
    """Returns a small model."""
    grams = {(word,): (float(VALUES[word]), 0.0) for word in range(WORDS)}
    return grams | {(0, 1): (float(VALUES[200]), 0.0), (3, 0): (float(VALUES[100]), float(VALUES[50]))}


def test_a_saved_model_is_loaded_as_it_was(tmp_path: Path) -> None:
    """Saving and loading changes no score."""
    tables = to_tables(_example(), WORDS, VALUES)
    save_tables(tables, tmp_path / "model.safetensors")
    loaded, direct = load_ngram(tmp_path / "model.safetensors"), assemble(tables)
    for name, array in direct.arrays._asdict().items():
        np.testing.assert_array_equal(array, getattr(loaded.arrays, name))
    assert loaded.order == 2
    assert (loaded.sentence_begin, loaded.sentence_end, loaded.unknown) == (3, 4, 5)


@pytest.mark.parametrize("kept", [0, 10, 200])
def test_a_damaged_file_is_named_with_its_remedy(tmp_path: Path, kept: int) -> None:
    """A truncated file gives one sentence with its name."""
    path = tmp_path / "books.safetensors"
    save_tables(to_tables(_example(), WORDS, VALUES), path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match=r"books\.safetensors .* install the model again"):
        load_ngram(path)


def test_tables_that_contradict_one_another_are_refused() -> None:
    """A count of children that does not fit the number of n-grams is an error, not a wrong model."""
    tables = to_tables(_example(), WORDS, VALUES)
    tables.children[0] += 1
    with pytest.raises(ValueError, match="do not fit"):
        assemble(tables)
