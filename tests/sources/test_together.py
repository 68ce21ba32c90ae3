import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.sources.listening import Heard
from meetscribe.sources.together import Together


def piece(position, count, value=1.0, channels=1):
    return Heard(position, np.full((count, channels), value, np.float32))


def test_channels_stand_side_by_side():
    """Inputs keep their channels, and are given only as far as asked."""
    together = Together([1, 2])
    together.add(0, piece(100, 50, 1))
    together.add(1, piece(100, 80, 2, channels=2))
    (block,) = together.take(150)
    assert (block.position, block.samples.tolist()) == (100, [[1, 2, 2]] * 50)
    (block,) = together.take(180)
    assert (block.position, block.samples.tolist()) == (150, [[0, 2, 2]] * 30)


def test_where_nobody_has_sound_positions_jump():
    """What none has is no block."""
    together = Together([1, 1])
    together.add(0, piece(0, 100))
    together.add(1, piece(0, 120))
    together.add(0, piece(500, 100))
    assert [(block.position, len(block.samples)) for block in together.take(600)] == [(0, 120), (500, 100)]


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 40), st.integers(0, 60)), max_size=30))
def test_every_sample_is_given_once_at_its_place(steps):
    """However pieces come, blocks do not overlap and hold each channel's sound where it was heard."""
    together, truth = Together([1, 1]), np.zeros((3_000, 2), np.float32)
    ends, blocks, done = [0, 0], [], 0
    for number, (line, skip, count) in enumerate(steps, 1):
        position = max(ends[line], done) + (skip if skip > 16 else 0)
        together.add(line, piece(position, count, number))
        truth[position : position + count, line] = number
        ends[line] = position + count if count else ends[line]
        limit = min(ends)
        blocks += together.take(limit)
        done = max(done, limit)
    blocks += together.take(max(ends))
    end = 0
    given = np.zeros_like(truth)
    for block in blocks:
        assert block.position >= end
        end = block.position + len(block.samples)
        given[block.position : end] = block.samples
    np.testing.assert_array_equal(given, truth)


def test_what_comes_too_late_is_left_out():
    """Sound whose time was given already, because its input was lost, does not come again."""
    together = Together([1, 1])
    together.add(0, piece(0, 100))
    assert len(together.take(100)) == 1
    together.add(1, piece(60, 100, 7))
    (block,) = together.take(160)
    assert (block.position, len(block.samples)) == (100, 60)
