"""Several inputs as the channels of one stretch of time. Pure: sound with positions in, whole blocks out.

A channel that lacks sound while another has some is silent there; where none has any, positions jump.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from meetscribe.session.ports import Block
from meetscribe.sources.listening import Heard

SMALL = 16  # samples by which pieces may miss each other, from rounding positions


class Together:
    """Puts inputs with these numbers of channels side by side; `ends` says up to where each has been heard."""

    def __init__(self, channels: Sequence[int]) -> None:
        self._offsets = np.cumsum([0, *channels])
        self._waiting: list[deque[Heard]] = [deque() for _ in channels]
        self._done = 0  # everything before was given
        self.ends = [0 for _ in channels]

    def add(self, line: int, heard: Heard) -> None:
        """Take what an input has heard; what is too late for its place is left out."""
        start = max(self.ends[line], self._done)
        if start - SMALL <= heard.position < start:
            heard = Heard(start, heard.samples)
        samples = heard.samples[max(0, start - heard.position) :]
        if len(samples):
            part = Heard(max(heard.position, start), samples)
            self._waiting[line].append(part)
            self.ends[line] = part.end

    def take(self, limit: int) -> list[Block]:
        """Give all that was heard before `limit`."""
        blocks = []
        for start, end in self._stretches(limit):
            samples = np.zeros((end - start, self._offsets[-1]), np.float32)
            for line in range(len(self._waiting)):
                self._fill(samples, line, start)
            blocks.append(Block(start, samples))
        self._done = max(self._done, limit)
        return blocks

    def _stretches(self, limit: int) -> list[tuple[int, int]]:
        """Return where at least one input has sound before `limit`, as few stretches as there are."""
        spans = sorted(
            (part.position, min(part.end, limit))
            for waiting in self._waiting
            for part in waiting
            if part.position < limit
        )
        joined: list[tuple[int, int]] = []
        for start, end in spans:
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
        return joined

    def _fill(self, samples: NDArray[np.float32], line: int, start: int) -> None:
        """Put an input's sound into its channels of `samples`, which begin at `start`."""
        waiting, end = self._waiting[line], start + len(samples)
        columns = slice(self._offsets[line], self._offsets[line + 1])
        while waiting and waiting[0].position < end:
            part = waiting.popleft()
            count = min(part.end, end) - part.position
            at = part.position - start
            samples[at : at + count, columns] = part.samples[:count]
            if count < len(part.samples):
                waiting.appendleft(Heard(part.position + count, part.samples[count:]))
