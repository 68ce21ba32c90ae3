"""The newest rows of something that a stream keeps adding to; older ones are forgotten when nobody needs them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Recent:
    """Rows [first … end - 1] of an array that grows at one end and is forgotten at the other."""

    def __init__(self, *shape: int) -> None:
        """Begin empty; `shape` is that of a row."""
        self._first, self._rows = 0, np.zeros((0, *shape), np.float32)

    @property
    def first(self) -> int:
        """Number of the oldest row that is kept."""
        return self._first

    @property
    def end(self) -> int:
        """Number of the next row."""
        return self._first + len(self._rows)

    def append(self, rows: NDArray[Any]) -> None:
        """Add rows at the end."""
        self._rows = np.concatenate([self._rows, rows], dtype=np.float32)

    def read(self, first: int, last: int) -> NDArray[np.float32]:
        """Return rows first … last - 1, zeros where the end comes before."""
        if first < self._first:
            raise ValueError(f"row {first} is forgotten; the oldest kept is {self._first}")
        part = self._rows[first - self._first : last - self._first]
        missing = last - first - len(part)
        return np.pad(part, ((0, missing), *((0, 0),) * (part.ndim - 1))) if missing > 0 else part

    def forget(self, before: int) -> None:
        """Drop rows before `before`, as soon as they are more than half of all."""
        before = min(before, self.end)
        if before - self._first > len(self._rows) // 2:
            self._rows = self._rows[before - self._first :].copy()
            self._first = before
