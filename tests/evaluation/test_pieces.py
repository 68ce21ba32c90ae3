import itertools

from hypothesis import given
from hypothesis import strategies as st

from meetscribe.evaluation.pieces import PIECE, borders, cut_out
from meetscribe.timeline import to_samples

from .builders import segment


@given(st.lists(st.tuples(st.integers(0, 120), st.integers(1, 30)), max_size=6), st.integers(1, 150))
def test_pieces_are_the_whole_recording(rows, seconds):
    """Borders ascend from the start to the end; each piece is between 15 and 55 seconds long, or all there is."""
    reference = [segment("A", min(a, seconds), min(a + n, seconds), "w") for a, n in rows]
    duration = to_samples(seconds)
    found = borders(reference, duration)
    assert (found[0], found[-1]) == (0, duration)
    lengths = [b - a for a, b in itertools.pairwise(found)]
    assert len(lengths) == 1 or all(to_samples(10) <= length <= to_samples(55) for length in lengths)


def test_a_cut_is_where_nobody_speaks_for_longest():
    """Near thirty seconds there are two pauses; the longer one is cut in its middle."""
    reference = [segment("A", 0, 27, "a"), segment("B", 28, 31, "b"), segment("A", 31.2, 60, "c")]
    assert borders(reference, to_samples(60)) == [0, to_samples(27.5), to_samples(60)]
    talk = [segment("A", 0, 60, "a b c")]
    assert borders(talk, to_samples(60)) == [0, PIECE, to_samples(60)]


@given(st.integers(1, 9))
def test_every_word_is_in_one_piece(cut):
    """Wherever a recording is cut, each word is in the piece that has its middle, at its time there."""
    whole = segment("A", 0, 10, "a bb ccc dddd eeeee", 1)
    parts = [cut_out([whole], a, b) for a, b in ((0, to_samples(cut)), (to_samples(cut), to_samples(10)))]
    words = [
        (word.word, word.middle + offset)
        for part, offset in zip(parts, (0, to_samples(cut)), strict=True)
        for found in part
        for word in found.words
    ]
    assert words == [(word.word, word.middle) for word in whole.words]
    assert all(found.slot == 1 for part in parts for found in part)
