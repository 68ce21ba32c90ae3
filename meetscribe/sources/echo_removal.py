"""Blocks of microphones and of what the loudspeaker plays, to the same blocks with the microphones cleaned.

The last channel is what is played. Blocks come out some 90 ms later than they went in, with the same positions: the
microphone waits a little for what is played, because clocks and buffers may let an echo come before its sound.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from meetscribe.session.ports import Block
from meetscribe.sources.echo import FRAME, EchoSettings, EchoState, remove_echo
from meetscribe.sources.echo_delay import EARLIEST, LATEST, DelayFinder

AHEAD = 80  # samples by which the filter begins before the echo
WAIT = AHEAD - EARLIEST  # samples of what is played after a frame that must be known
HOLDS = 2_048  # samples by which an echo may come later and still be held by the filter, with its room
FIRST = 0  # delay that is assumed until one is known


@dataclass
class _Microphone:
    """One channel's canceller."""

    state: EchoState
    finder: DelayFinder = field(default_factory=DelayFinder)
    delay: int = FIRST


class EchoRemoval:
    """Cleans all channels but the last of what the last one plays.

    Args:
        microphones: number of channels that are cleaned.
        settings: how.
    """

    def __init__(self, microphones: int, settings: EchoSettings | None = None) -> None:
        self._settings = settings or EchoSettings()
        self._microphones = [_Microphone(EchoState.new(self._settings)) for _ in range(microphones)]
        self._sound = np.zeros((0, microphones + 1), np.float32)  # from `_start` on
        self._start = 0
        self._at = 0  # the next frame to be cleaned
        self._given = 0  # up to where blocks were given

    def feed(self, block: Block) -> list[Block]:
        """Return blocks of everything so far but the last 90 ms; what is before a hole is given whole."""
        before: list[Block] = []
        if block.position != self._end or not len(self._sound):
            before = self.flush()
            self._begin(block.position)
        self._sound = np.concatenate([self._sound, block.samples])
        return [*before, *self._frames(self._end - WAIT)]

    def flush(self) -> list[Block]:
        """Return what is left, as if silence followed."""
        end = self._end
        if end <= self._given:
            return []
        silence = np.zeros((2 * FRAME + WAIT, self._sound.shape[1]), np.float32)
        self._sound = np.concatenate([self._sound, silence])
        blocks = [
            Block(block.position, block.samples[: end - block.position])
            for block in self._frames(self._end - WAIT)
            if block.position < end
        ]
        self._sound = self._sound[:0]
        self._start = end
        return blocks

    @property
    def _end(self) -> int:
        return self._start + len(self._sound)

    def _begin(self, position: int) -> None:
        """Go on at another position, with silence before it."""
        self._sound = np.zeros((LATEST + AHEAD, self._sound.shape[1]), np.float32)
        self._start, self._at, self._given = position - len(self._sound), position, position

    def _frames(self, limit: int) -> list[Block]:
        """Clean all whole frames before `limit`; forget sound that no echo can come of any more."""
        frames = []
        while self._at + FRAME <= limit:
            frames.append(self._frame())
            self._at += FRAME
        self._forget()
        if not frames:
            return []
        whole = np.concatenate(frames)
        position = self._at - FRAME - len(whole)  # a frame is given when the next one is cleaned
        whole = whole[max(0, self._given - position) :]
        position = max(position, self._given)
        self._given = position + len(whole)
        return [Block(position, whole)] if len(whole) else []

    def _frame(self) -> NDArray[np.float32]:
        """Clean one frame; return the one before it."""
        given = self._span(self._at - FRAME).copy()
        for channel, microphone in enumerate(self._microphones):
            heard = self._span(self._at)[:, channel]
            microphone.finder.feed(heard, self._span(self._at)[:, -1])
            self._align(microphone)
            played = self._span(self._at - microphone.delay)[:, -1]
            given[:, channel], microphone.state = remove_echo(heard, played, microphone.state, self._settings)
        return given

    def _span(self, position: int) -> NDArray[np.float32]:
        return self._sound[position - self._start : position - self._start + FRAME]

    def _align(self, microphone: _Microphone) -> None:
        """Follow the delay when the filter would not hold the echo any more."""
        if microphone.finder.delay is None:
            return
        later = microphone.finder.delay - microphone.delay
        if not 0 <= later <= HOLDS:
            microphone.delay = max(microphone.finder.delay - AHEAD, -WAIT)
            microphone.state = microphone.state.forget(self._settings)

    def _forget(self) -> None:
        keep = self._at - LATEST - AHEAD - FRAME
        if keep - self._start > LATEST:
            self._sound = self._sound[keep - self._start :]
            self._start = keep
