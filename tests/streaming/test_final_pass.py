import functools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from search_worlds import clear_scores, random_ngram

from meetscribe.lm.lexicon import Lexicon
from meetscribe.lm.mixture import MixtureWeights
from meetscribe.lm.symbols import spell
from meetscribe.streaming.final_pass import FinalPass, FinalPassSettings
from meetscribe.streaming.search import Search, SearchSettings
from meetscribe.streaming.steps import STEP_SAMPLES

BAA = spell(["B", "AA"])
OFTEN = FinalPassSettings(lead=4, tail=8, context=10, interval=30, margin=8)


@functools.cache
def search() -> Search:
    """A search that knows the word baa."""
    model = random_ngram(np.random.default_rng(1), 1)
    return Search.build(Lexicon(("baa",), ((BAA,),)), model, model, SearchSettings())


def said(ends: list[int], steps: int) -> np.ndarray:
    """Returns a table in which the word ends in these steps."""
    return clear_scores(dict.fromkeys((end - 1 for end in ends), BAA[0]) | dict.fromkeys(ends, BAA[1]), steps)


def begun(first: int = 0) -> FinalPass:
    return FinalPass(search(), first, MixtureWeights(), OFTEN)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(3, 25), min_size=1, max_size=12), st.sampled_from([1, 4, 8]))
def test_piece_by_piece_every_word_comes_once(gaps: list[int], chunk: int) -> None:
    """A turn that is finished in pieces has each of its words once, and never asks for what it gave up."""
    ends = np.cumsum(gaps).tolist()
    steps = ends[-1] + OFTEN.tail + 1
    table, final, oldest = said(ends, steps), begun(), 0
    for now in range(chunk, steps, chunk):
        if (piece := final.due(now)) is not None:
            assert piece.first >= oldest
            final.receive(piece, table[piece.first : piece.last])
        assert final.oldest >= oldest
        oldest = final.oldest
    piece = final.closing(ends[-1], steps)
    assert piece.first >= oldest
    final.receive(piece, table[piece.first : piece.last])
    assert [word.end // STEP_SAMPLES - 1 for word in final.words] == ends


@given(st.integers(1, 20))
def test_nothing_is_decoded_from_the_next_turn(gap: int) -> None:
    """Where the next turn follows at once the piece is heard beyond the turn's end, and read only up to there."""
    ends = [10, 10 + gap + 2]
    table, final = said(ends, 60), begun()
    piece = final.closing(10, 60, until=11)
    assert piece.last == 10 + OFTEN.tail
    final.receive(piece, table[piece.first : piece.last])
    assert [word.end // STEP_SAMPLES - 1 for word in final.words] == [10]


def test_words_know_their_last_symbol() -> None:
    """A word carries the symbol that it ended with: what comes after it is searched in that context."""
    final = begun()
    piece = final.closing(10, 20)
    final.receive(piece, said([10], 20)[piece.first : piece.last])
    assert [word.label for word in final.words] == [BAA[-1]]
