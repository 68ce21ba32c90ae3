"""Each voice alone where two overlap: from the person's own channel, or by the separator's masks on the sound.

The separator's masks are those that it made for the recogniser, on log-mel energies; here they become gains of the
mixture's spectrum. Slots depend on all that was heard before, so the recording is heard from its start, in constant
memory, with the model that transcribed it. A model without a separator gives no voices; channels of headsets need none.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Turn
from meetscribe.meeting import Meeting
from meetscribe.timeline import SAMPLE_RATE

Mono = NDArray[np.float32]

MOST = 30 * 60 * SAMPLE_RATE
"""Samples of voices that one report holds; later ones are left out."""

_FRAME, _HOP, _STEP = 480, 160, 320


class Slots(Protocol):
    """Hears a mixture and gives what each slot's talkers contribute, [2, samples], a little later."""

    def feed(self, samples: Mono) -> NDArray[np.float32]:
        """Take samples and return those that are ready."""
        ...

    def finish(self) -> NDArray[np.float32]:
        """Return the rest."""
        ...


def overlapped(meeting: Meeting) -> list[Turn]:
    """Return the turns that share time with others, by start, as many as a report has room for."""
    chosen, length = [], 0
    for turn in meeting.turns:
        length += turn.interval.duration if turn.overlaps else 0
        if turn.overlaps and turn.text and length <= MOST:
            chosen.append(turn)
    return chosen


def from_channels(turns: Sequence[Turn], blocks: Iterable[NDArray[np.float32]]) -> dict[str, Mono]:
    """Return each turn's sound in its own channel, of a recording's blocks [samples, channels]."""
    wanted = [turn for turn in turns if turn.channel is not None]
    return _cut(wanted, blocks, lambda turn: turn.channel or 0)


def from_mixture(
    turns: Sequence[Turn], blocks: Iterable[NDArray[np.float32]], slots: Slots
) -> dict[str, Mono]:
    """Return each turn's sound as the separator takes it out of a mixture's blocks [samples, channels]."""

    def separated() -> Iterator[NDArray[np.float32]]:
        for block in blocks:
            yield slots.feed(block.mean(axis=1, dtype=np.float32)).T
        yield slots.finish().T

    return _cut([turn for turn in turns if turn.slot < 2], separated(), lambda turn: turn.slot)


def _cut(turns: Sequence[Turn], blocks: Iterable[NDArray[np.float32]], column: Any) -> dict[str, Mono]:
    """Return the samples of turns, each from its column, of blocks that follow each other."""
    found = {turn.id: np.zeros(turn.interval.duration, np.float32) for turn in turns}
    position = 0
    for block in blocks:
        end = position + len(block)
        for turn in turns:
            first, last = max(turn.start, position), min(turn.end, end)
            if first < last and column(turn) < block.shape[1]:
                piece = block[first - position : last - position, column(turn)]
                found[turn.id][first - turn.start : last - turn.start] = piece
        position = end
    return found


def separator_of(directory: Path) -> Slots | None:
    """Return what separates with a model's separator; None where it has none.

    Raises:
        CheckpointError: the model cannot be loaded.
    """
    import torch  # noqa: PLC0415  late: a report without separation needs no torch

    from meetscribe.checkpoint import load_model  # noqa: PLC0415  the same

    torch.set_num_threads(1)
    network = load_model(directory).network
    return None if network.separator is None else MaskedSlots(network)


class MaskedSlots:
    """The slots of a network with a separator, as sound."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self._state = network.initial_separation(1)
        self._waiting = np.zeros(0, np.float32)
        self._sound = np.zeros(_FRAME - _HOP, np.float32)  # as much of the past as features look at
        self._tail = np.zeros((2, _FRAME), np.float32)
        self._window = np.sqrt(np.hanning(_FRAME + 1)[:-1]).astype(np.float32)
        self._taken, self._given, self._late = 0, 0, _FRAME - _HOP
        self._step = network.separator.config.chunk * _STEP

    def feed(self, samples: Mono) -> NDArray[np.float32]:
        """Take samples and return those of both slots that are ready, [2, samples]."""
        self._taken += len(samples)
        self._waiting = np.concatenate([self._waiting, samples])
        whole = len(self._waiting) // self._step * self._step
        parts = [self._separate(self._waiting[at : at + self._step]) for at in range(0, whole, self._step)]
        self._waiting = self._waiting[whole:]
        out = np.concatenate([np.zeros((2, 0), np.float32), *parts], axis=1)
        dropped = min(self._late, out.shape[1])
        self._late -= dropped
        out = out[:, dropped:][:, : self._taken - self._given]
        self._given += out.shape[1]
        return out

    def finish(self) -> NDArray[np.float32]:
        """Return the rest, as many samples altogether as were taken."""
        taken = self._taken
        rest = self._step + -len(self._waiting) % self._step  # whole steps, and one more as frames are late
        self._taken = taken - rest  # silence is not given back
        return self.feed(np.zeros(rest, np.float32))

    def _separate(self, samples: Mono) -> NDArray[np.float32]:
        """Return the next samples of both slots, late by what a frame reaches back."""
        gains = self._gains(samples)
        heard = np.concatenate([self._sound, samples])
        self._sound = heard[len(samples) :]
        frames = np.lib.stride_tricks.sliding_window_view(heard, _FRAME)[::_HOP]
        spectra = np.fft.rfft(frames * self._window, 512)
        out = np.zeros((2, len(samples)), np.float32)
        for number in range(len(spectra)):
            pieces = np.fft.irfft(spectra[number] * gains[:, number], 512)[:, :_FRAME] * self._window / 1.5
            self._tail += pieces.astype(np.float32)
            out[:, number * _HOP : (number + 1) * _HOP] = self._tail[:, :_HOP]
            self._tail = np.concatenate([self._tail[:, _HOP:], np.zeros((2, _HOP), np.float32)], axis=1)
        return out

    def _gains(self, samples: Mono) -> NDArray[np.float32]:
        """Return how much of each bin of each frame is each slot's, [2, frames, bins]."""
        import torch  # noqa: PLC0415  late: as above

        from meetscribe.nn.separator import masked  # noqa: PLC0415  the same

        features = self._network.recogniser.features
        with torch.inference_mode():
            heard = torch.from_numpy(samples)[None]
            mixture, found, self._state = self._network.separate(heard, self._state)
            bands = (0.5 * (masked(mixture, found.masks) - mixture[:, None])).clamp_max(0.0).exp()[0]
            filters = features.filters
            bins = bands @ filters.T / filters.sum(dim=1).clamp_min(1e-6)
        return bins.numpy()
