"""A stream that is open, on the clock: its pieces become sound at 16 kHz at positions that are true.

Positions are samples at 16 kHz since the clock's zero; whoever uses them takes the meeting's beginning off.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meetscribe.sources.capturing import Stream
from meetscribe.sources.resampling import Resampler
from meetscribe.sources.ring import Piece
from meetscribe.sources.timebase import Timebase
from meetscribe.timeline import SAMPLE_RATE

FIRST_SOUND = 5.0  # seconds that a device may take from opening to its first sound
SILENT = 1.0  # seconds without a sample after which a device is gone; silence is samples too
LOUDEST = 1.0


@dataclass(frozen=True, eq=False)
class Heard:
    """Sound at `position`: float32 [samples, channels]; `missing` says why there is a hole before it."""

    position: int
    samples: NDArray[np.float32]
    missing: str | None = None

    @property
    def end(self) -> int:
        """Return the position after the last sample."""
        return self.position + len(self.samples)


@dataclass(frozen=True)
class Channels:
    """Which channels of a device become channels of the meeting: these (from 0) each, or, None, the mean of all."""

    apart: tuple[int, ...] | None = None

    @property
    def count(self) -> int:
        """Return how many channels of the meeting come of it."""
        return 1 if self.apart is None else len(self.apart)

    def pick(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return [n, count] of [n, channels of the device]; a channel that the device lacks is silent."""
        samples = np.clip(samples, -LOUDEST, LOUDEST)
        if not np.isfinite(samples.sum()):
            samples = np.nan_to_num(samples)
        if self.apart is None:
            return samples if samples.shape[1] == 1 else samples.mean(axis=1, keepdims=True, dtype=np.float32)
        picked = np.zeros((len(samples), len(self.apart)), np.float32)
        for place, channel in enumerate(self.apart):
            if channel < samples.shape[1]:
                picked[:, place] = samples[:, channel]
        return picked


class Listening:
    """Reads a stream.

    Args:
        stream: what is read; this closes it.
        channels: which of its channels are wanted.
        steered: whether it is stretched by millionths to keep up with the clock.
        opened: when it was opened (seconds of the clock).
        earliest: positions before this were given already.
    """

    def __init__(
        self, stream: Stream, channels: Channels, *, steered: bool, opened: float, earliest: int
    ) -> None:
        self._stream, self._channels, self._steered = stream, channels, steered
        self._resampler = Resampler(stream.rate, channels.count, steered=steered)
        self._timebase = Timebase()
        self._alive = opened  # when sound came last
        self._earliest = earliest
        self._position: int | None = None  # of the next sample, None before the first
        self._count = 0  # samples of the device that were read or are missing
        self.heard = False

    def read(self, time: float) -> list[Heard]:
        """Return what has come by `time` (seconds of the clock)."""
        stamp = self._stream.stamp()  # before reading: what it counts is read now
        pieces = self._stream.read()
        if not pieces:
            return []
        self._alive = time
        if self._position is None:
            came = sum(len(piece.samples) for piece in pieces)
            at, count = (stamp.time, stamp.count) if stamp is not None else (time, came)
            self._position = max(self._earliest, round((at - count / self._stream.rate) * SAMPLE_RATE))
            self.heard = True
        heard = [part for piece in pieces if len((part := self._convert(piece)).samples) or part.missing]
        if stamp is not None:
            missing = self._on_the_clock(stamp.count, stamp.time)
            if missing:
                heard.append(Heard(self._position, _nothing(self._channels), missing))
        return heard

    def problem(self, time: float) -> str | None:
        """Say why nothing more comes, None while all is well."""
        problem = self._stream.problem()
        if problem is None and time - self._alive > (SILENT if self.heard else FIRST_SOUND):
            problem = f"no sound has come for {time - self._alive:.0f} s"
        return problem

    def finish(self, time: float) -> list[Heard]:
        """Close the stream and return what is left of it."""
        rest = self.read(time)
        self._stream.close()
        if self._position is not None:
            rest.append(self._advance(self._resampler.finish(), None))
        return [part for part in rest if len(part.samples)]

    def _convert(self, piece: Piece) -> Heard:
        missing = None
        if piece.lost:
            self._skip(round(piece.lost * SAMPLE_RATE / self._stream.rate))
            missing = f"{piece.lost / self._stream.rate:.1f} s of sound came faster than they could be taken"
        self._count += piece.lost + len(piece.samples)
        return self._advance(self._resampler(self._channels.pick(piece.samples)), missing)

    def _advance(self, samples: NDArray[np.float32], missing: str | None) -> Heard:
        assert self._position is not None
        part = Heard(self._position, samples, missing)
        self._position += len(samples)
        return part

    def _skip(self, samples: int) -> None:
        assert self._position is not None
        self._position += samples

    def _on_the_clock(self, count: int, at: float) -> str | None:
        """Compare the positions with the clock; say what is missing if sound was lost on the way to us."""
        assert self._position is not None
        read_since = (self._count - count) / self._stream.rate
        late = at - (self._position / SAMPLE_RATE - read_since)
        missing = self._timebase.observe(late, at)
        if self._steered:
            self._resampler.steer(self._timebase.stretch)
        if not missing:
            return None
        self._skip(round(missing * SAMPLE_RATE))
        return f"{missing:.1f} s of sound did not come (the computer slept, or was too busy)"


def _nothing(channels: Channels) -> NDArray[np.float32]:
    return np.zeros((0, channels.count), np.float32)
