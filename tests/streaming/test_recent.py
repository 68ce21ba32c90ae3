import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.streaming.recent import Recent


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60)), max_size=20), st.integers(0, 70))
def test_what_is_kept_is_what_was_added(steps: list[tuple[int, int]], width: int) -> None:
    """Rows keep their numbers, whatever was forgotten; beyond the end there are zeros."""
    recent, added, most = Recent(2), np.zeros((0, 2), np.float32), 0
    for number, (count, before) in enumerate(steps):
        rows = np.full((count, 2), number + 1, np.float32)
        recent.append(rows)
        added = np.concatenate([added, rows])
        recent.forget(before)
        most = max(most, before)
        assert recent.first <= min(most, recent.end)
        assert recent.end == len(added)
    expected = np.concatenate([added[recent.first :], np.zeros((width, 2))])[:width]
    np.testing.assert_array_equal(recent.read(recent.first, recent.first + width), expected)


@given(st.integers(1, 50))
def test_memory_is_at_most_twice_what_is_needed(kept: int) -> None:
    """When all but the newest rows are forgotten at each step, at most twice as many are held."""
    recent = Recent()
    for _ in range(200):
        recent.append(np.ones(1, np.float32))
        recent.forget(recent.end - kept)
        assert recent.end - recent.first <= 2 * kept + 1


def test_forgotten_rows_cannot_be_read() -> None:
    """Reading what is forgotten is an error, not something else."""
    recent = Recent()
    recent.append(np.arange(10, dtype=np.float32))
    recent.forget(8)
    with pytest.raises(ValueError, match="forgotten"):
        recent.read(7, 9)
