"""An audio or video file as a source: any rate and number of channels become float32 blocks at 16 kHz.

Everything that can be wrong with a file becomes one sentence (`AudioError`): at opening where nothing can be
used, while reading where the beginning can.
Not covered: pacing (reading as if live), and what the channels mean.
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from meetscribe.errors import AudioError
from meetscribe.session.ports import Block
from meetscribe.sources.decoding import decode
from meetscribe.sources.resampling import Resampler
from meetscribe.timeline import SAMPLE_RATE, clock

LOUDEST = 1e6  # of full scale; more is no sound, and would overflow further on


class FileSource:
    """A file that was found to hold audio.

    Args:
        path: the file.

    Raises:
        AudioError: the file cannot be used at all.
    """

    def __init__(self, path: Path) -> None:
        self._version = _version(check_file(path))
        self.path = path
        self._decoded = decode(path)

    @property
    def name(self) -> str:
        """Return the file's name."""
        return self.path.name

    @property
    def length(self) -> int | None:
        """Return the number of samples at 16 kHz as the header says it, None where it does not."""
        if self._decoded.frames is None:
            return None
        return round(self._decoded.frames * SAMPLE_RATE / self._decoded.rate)

    @property
    def channels(self) -> int:
        """Return the number of channels."""
        return self._decoded.channels

    def read(self) -> Iterator[Block]:
        """Give the audio at 16 kHz, once, block by block.

        Raises:
            AudioError: the rest of the file cannot be used; the blocks so far are good.
        """
        position = 0
        for samples in self._resampled():
            if len(samples):
                yield Block(position, samples)
            position += len(samples)
        self._check_unchanged()

    def _check_unchanged(self) -> None:
        """Refuse a file that is not what it was when it was opened: what was read may be of both."""
        check_unchanged(self.path, self._version)

    async def blocks(self) -> AsyncIterator[Block]:
        """Give the audio at 16 kHz, letting other tasks run between blocks."""
        for block in self.read():
            yield block
            await asyncio.sleep(0)

    def _resampled(self) -> Iterator[NDArray[np.float32]]:
        """Give the audio at 16 kHz, and all of it before an error."""
        decoded = self._decoded
        if decoded.rate == SAMPLE_RATE:
            yield from self._plausible()
            return
        resampler = Resampler(decoded.rate, decoded.channels)
        failure: AudioError | None = None
        try:
            for block in self._plausible():
                yield resampler(block)
        except AudioError as error:
            failure = error
        yield resampler.finish()
        if failure is not None:
            raise failure

    def _plausible(self) -> Iterator[NDArray[np.float32]]:
        """Give the decoded audio up to the first sample that no sound can have."""
        position = 0
        for samples in self._decoded.blocks:
            fine = (np.abs(samples) <= LOUDEST).all(axis=1)  # false for NaN too
            good = len(samples) if fine.all() else int(np.argmin(fine))
            if good:
                yield samples[:good]
            position += good
            if good < len(samples):
                at = clock(position * SAMPLE_RATE // self._decoded.rate)
                raise AudioError(
                    f"{self.path}: the sample at {at} is not a number or infinite, what comes after is not "
                    "used; export the recording again as 16-bit WAV"
                )


Version = tuple[int, int, int, int]


def version_of(path: Path) -> Version:
    """Return what tells a file's content now from what it is after somebody wrote to it.

    Raises:
        OSError: it is not there.
    """
    return _version(os.stat(path))


def _version(kind: os.stat_result) -> Version:
    return kind.st_dev, kind.st_ino, kind.st_size, kind.st_mtime_ns


def check_unchanged(path: Path, version: Version) -> None:
    """Refuse a file that is not what it was.

    Raises:
        AudioError: it has changed, or is gone.
    """
    try:
        same = version_of(path) == version
    except OSError:
        same = False
    if not same:
        raise AudioError(
            f"{path}: it changed while it was read, so that its transcript may be of neither version; "
            "transcribe it again when nothing writes to it"
        )


def check_file(path: Path) -> os.stat_result:
    """Return what the system says of a file; refuse what is no file that can be read.

    Raises:
        AudioError: it does not exist, may not be read, is a directory or another kind of thing, or empty.
    """
    try:
        kind = os.stat(path)
        if stat.S_ISDIR(kind.st_mode):
            raise AudioError(f"{path}: this is a directory; give the files in it")
        if not stat.S_ISREG(kind.st_mode):
            raise AudioError(f"{path}: this is not a regular file; save the audio to a file first")
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise AudioError(f"{path}: there is no such file; check its name") from error
    except PermissionError as error:
        raise AudioError(f"{path}: you may not read this file; change its permissions") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioError(f"{path}: it cannot be opened ({reason}); check the path and the disk") from error
    if kind.st_size == 0:
        raise AudioError(f"{path}: the file is empty; record or copy it again")
    return kind
