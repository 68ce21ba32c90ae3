"""What a recording's channels are, and what is done with them before the network hears them.

- *per-speaker*: a microphone for each person; what leaks from neighbours is taken out (`crosstalk.py`).
- *array*: microphones that all hear everybody; they become one (`beamforming.py`).
- *mixed*: anything else; the session takes the mean of all channels.

What channels are is told by levels: where another channel is loudest whenever somebody else talks, each is somebody's.
A recording is read once for that and once to be heard; both in constant memory.
Not covered: which persons they are beyond the names of files and channels.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from meetscribe.errors import AudioError
from meetscribe.session.ports import AudioSource, Block
from meetscribe.sources.beamforming import Beamformer
from meetscribe.sources.beside import BesideSource, measured_clocks
from meetscribe.sources.clocks import Clock
from meetscribe.sources.crosstalk import CrosstalkRemover, active, loudness, measure_coupling, noise_of
from meetscribe.sources.file import FileSource
from meetscribe.sources.names import channel_names
from meetscribe.sources.spectra import Analysis, Samples, band_power

Layout = Literal["auto", "mixed", "per-speaker", "array"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)

_FRAMES = 16_384  # that are looked at, spread over a recording
_SPREAD = 12.0  # dB between talkers, in the difference of two channels that are two people's
_SAME = 0.999  # correlation of channels that hold the same
_DEAD = -75.0  # dBFS; a channel that is never louder holds nothing


class Readable(AudioSource, Protocol):
    """A source that can be read without an event loop."""

    def read(self) -> Iterator[Block]:
        """Give the audio, once."""
        ...


@dataclass(frozen=True)
class Heard:
    """What was seen of all channels: band powers of frames spread over the recording, peaks, sameness."""

    power: NDArray[np.float32]  # [frames, channels, bands]
    loudest: NDArray[np.float32]  # dBFS of each channel
    same: bool  # all channels hold the same sound


@dataclass(frozen=True)
class Laid:
    """A source as its layout has it; `names` are those of its channels, where each is somebody's."""

    source: "LaidSource"
    layout: Layout
    names: tuple[str, ...] = ()

    @property
    def apart(self) -> bool:
        """Say whether each channel is to be transcribed for itself."""
        return self.layout == "per-speaker"


def open_recording(paths: Sequence[Path], layout: Layout = "auto", together: bool = False) -> Laid:
    """Open one recording, or several of one meeting, and find out what its channels are.

    Args:
        paths: its files; several are put where they belong in time.
        layout: what the channels are; `auto`: that is found out.
        together: the files are of one meeting (otherwise there is only one).

    Raises:
        AudioError: a file cannot be read, or does not belong to the others.
    """
    clocks = measured_clocks(paths) if together and len(paths) > 1 else [Clock(0.0)]

    def opened() -> Readable:
        return FileSource(paths[0]) if len(paths) == 1 else BesideSource(paths, clocks)

    return lay_out(opened, layout, paths)


def lay_out(opened: Callable[[], Readable], layout: Layout, paths: Sequence[Path] = ()) -> Laid:
    """Find out what the channels of a source are, and return it as that has it.

    Args:
        opened: opens the source; it is read once to be looked at, and once to be heard.
        layout: what its channels are; `auto`: that is found out.
        paths: its files, which may say whose channels they are.

    Raises:
        AudioError: it cannot be read.
    """
    source = opened()
    if source.channels == 1 or layout == "mixed":
        return Laid(LaidSource(source), "mixed")
    heard = look(opened())
    chosen = detect(heard) if layout == "auto" else layout
    if chosen == "per-speaker":
        process = CrosstalkRemover(measure_coupling(heard.power))
        return Laid(LaidSource(source, process), chosen, channel_names(paths, source.channels))
    if chosen == "array":
        return Laid(LaidSource(source, Beamformer(source.channels), channels=1), chosen)
    live = [number for number, level in enumerate(heard.loudest) if level > _DEAD]
    return Laid(LaidSource(source, _Chosen(live) if live else None, channels=len(live) or None), "mixed")


def look(source: Readable) -> Heard:
    """Read a recording once, and return what is needed to say what its channels are.

    An error that comes while reading is left to whoever transcribes the recording.
    """
    analysis = Analysis(source.channels)
    kept: list[NDArray[np.float32]] = []
    every, count, frames = 1, 0, 0
    peaks = np.zeros(source.channels)
    products = np.zeros((source.channels, source.channels))
    try:
        for block in source.read():
            power = band_power(analysis(block.samples))
            peaks = np.maximum(peaks, np.abs(block.samples).max(axis=0))
            products += block.samples.T.astype(np.float64) @ block.samples
            count += 1
            if count % every == 0 and len(power):
                kept.append(power)
                frames += len(power)
            if frames > 2 * _FRAMES:
                kept, every = kept[::2], every * 2
                frames = sum(map(len, kept))
    except AudioError:
        pass
    bands = kept[0].shape[2] if kept else 1
    whole = np.concatenate([np.zeros((0, source.channels, bands), np.float32), *kept])
    size = np.sqrt(np.diag(products)) + 1e-12
    loudest = 20 * np.log10(peaks + 1e-9)
    return Heard(whole, loudest.astype(np.float32), bool((products / np.outer(size, size)).min() > _SAME))


def detect(heard: Heard) -> Layout:
    """Return what channels are, from what was seen of them."""
    live = np.flatnonzero(heard.loudest > _DEAD)
    if len(live) < 2 or heard.same or len(heard.power) < 2:
        return "mixed"
    power = heard.power[:, live]
    noise = noise_of(power)
    level, talking = loudness(power, noise), active(power, noise).any(axis=1)
    if talking.sum() < 20:
        return "mixed"
    level = np.maximum(level[talking], np.quantile(level[talking], 0.02))
    spreads = [
        float(np.ptp(np.quantile(level[:, a] - level[:, b], [0.1, 0.9])))
        for a in range(len(live))
        for b in range(a)
    ]
    return "per-speaker" if np.median(spreads) > _SPREAD else "array"


class Process(Protocol):
    """Turns blocks of all channels into what is heard, as many samples altogether, a little later."""

    def __call__(self, samples: Samples) -> Samples:
        """Take samples and return those that are ready."""
        ...

    def finish(self) -> Samples:
        """Return the rest."""
        ...


class _Chosen:
    """The channels that hold anything."""

    def __init__(self, channels: Sequence[int]) -> None:
        self._channels = list(channels)

    def __call__(self, samples: Samples) -> Samples:
        return samples[:, self._channels]

    def finish(self) -> Samples:
        return np.zeros((0, len(self._channels)), np.float32)


class LaidSource:
    """Another source's audio after a process; see `session.ports.AudioSource`."""

    def __init__(
        self, source: Readable, process: Process | None = None, *, channels: int | None = None
    ) -> None:
        self._source, self._process = source, process
        self.channels = channels or source.channels

    @property
    def name(self) -> str:
        """Return the source's name."""
        return self._source.name

    @property
    def length(self) -> int | None:
        """Return the source's length in samples."""
        return self._source.length

    def read(self) -> Iterator[Block]:
        """Give the audio, once.

        Raises:
            AudioError: the rest of the recording cannot be used; the blocks so far are good.
        """
        if self._process is None:
            yield from self._source.read()
            return
        position, failure = 0, None
        for samples in _until_failure(self._source, failures := list[AudioError]()):
            ready = self._process(samples)
            if len(ready):
                yield Block(position, ready)
                position += len(ready)
        rest = self._process.finish()
        if len(rest):
            yield Block(position, rest)
        failure = failures[0] if failures else None
        if failure is not None:
            raise failure

    async def blocks(self) -> AsyncIterator[Block]:
        """Give the audio, letting other tasks run between blocks."""
        for block in self.read():
            yield block
            await asyncio.sleep(0)


def _until_failure(source: Readable, failures: list[AudioError]) -> Iterator[Samples]:
    try:
        for block in source.read():
            yield block.samples
    except AudioError as error:
        failures.append(error)


Opener = Callable[[Sequence[Path], Layout, bool], Laid]
