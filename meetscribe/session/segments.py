"""A meeting's audio on disk: `audio-<channel>-<n>.wav`, one after another on the meeting's time line, or `.flac`.

A WAV file is valid whenever one looks (its header is written again with every block), and what the process died
over is mended by its size. A FLAC file appears only after it was read back and found equal.
Samples are 16 bits at 16 kHz, one channel to a file. What was not recorded is silence, and takes no room (sparse
files).
Not covered: when segments begin and end (`recorder.py`).
"""

import contextlib
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from meetscribe.timeline import SAMPLE_RATE

HEADER = 44  # bytes before the first sample
_WIDTH = 2  # bytes of a sample
_AT_ONCE = 30 * SAMPLE_RATE
_NAME = re.compile(r"audio-(\d+)-(\d+)\.(?:wav|flac)")
_PART = ".part"


def header(samples: int) -> bytes:
    """Return the header of a WAV file with so many samples."""
    size = samples * _WIDTH
    sound = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLE_RATE, SAMPLE_RATE * _WIDTH, _WIDTH, 16)
    return struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + sound + struct.pack("<4sI", b"data", size)


def to_pcm(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return samples as 16-bit integers; what is too loud is clipped."""
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2")


def from_pcm(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return 16-bit integers as samples within ±1."""
    return samples.astype(np.float32) / np.float32(32768.0)


@dataclass(frozen=True)
class Segment:
    """One file of a channel: `length` samples from `start` of the meeting; `stem` is its path without the extension."""

    stem: Path
    number: int
    start: int
    length: int

    @property
    def end(self) -> int:
        """Return the position after its last sample."""
        return self.start + self.length

    @property
    def wav(self) -> Path:
        """Return its file while it is not compressed."""
        return self.stem.with_name(self.stem.name + ".wav")

    @property
    def flac(self) -> Path:
        """Return its file when it is compressed."""
        return self.stem.with_name(self.stem.name + ".flac")

    @property
    def path(self) -> Path:
        """Return the file that there is."""
        return self.wav if self.wav.exists() else self.flac

    def read(self, start: int, end: int) -> NDArray[np.int16]:
        """Return its samples from `start` to `end` (meeting time), which lie inside; silence where they are not."""
        wanted = np.zeros(end - start, np.int16)
        for _ in range(2):  # it may be compressed between looking and opening
            with contextlib.suppress(FileNotFoundError, soundfile.LibsndfileError):
                found = _read(self.path, start - self.start, end - start)
                wanted[: len(found)] = found
                break
        return wanted

    def silence(self, start: int, end: int) -> None:
        """Overwrite the samples from `start` to `end` (meeting time) with silence; they are gone when this returns."""
        first, last = max(start - self.start, 0), min(end - self.start, self.length)
        if first >= last:
            return
        if self.wav.exists():
            with _opened(self.wav) as file:
                os.pwrite(file, bytes((last - first) * _WIDTH), HEADER + first * _WIDTH)
        elif self.flac.exists():
            part = self.flac.with_name(self.flac.name + _PART)
            _write_flac(part, self.flac, self.length, (first, last))
            _overwrite(self.flac)
            part.replace(self.flac)
            sync_directory(self.flac.parent)

    def compress(self) -> bool:
        """Make a FLAC file of a WAV file; return whether it holds the same, otherwise the WAV file stays."""
        part = self.flac.with_name(self.flac.name + _PART)
        try:
            _write_flac(part, self.wav, self.length)
            if not _are_equal(part, self.wav, self.length):
                part.unlink()
                return False
        except (OSError, soundfile.LibsndfileError):
            part.unlink(missing_ok=True)
            return False
        part.replace(self.flac)
        sync_directory(self.flac.parent)
        self.wav.unlink()
        return True


def find_segments(directory: Path) -> dict[int, list[Segment]]:
    """Return the segments of every channel, in order; those of one channel follow each other without holes."""
    stems: dict[int, dict[int, Path]] = {}
    for path in directory.glob("audio-*"):
        if (name := _NAME.fullmatch(path.name)) is not None:
            stems.setdefault(int(name[1]), {})[int(name[2])] = path.with_suffix("")
    found: dict[int, list[Segment]] = {}
    for channel, numbered in sorted(stems.items()):
        start, found[channel] = 0, []
        for number, stem in sorted(numbered.items()):
            segment = Segment(stem, number, start, 0)
            length = _length(segment.path)
            found[channel].append(Segment(stem, number, start, length))
            start += length
    return found


def mend(directory: Path) -> None:
    """Put right what a process that died has left: headers of WAV files, and files that were being made."""
    for part in directory.glob(f"audio-*{_PART}"):
        _overwrite(part)
        part.unlink()
    for segments in find_segments(directory).values():
        for segment in segments:
            if segment.wav.exists() and segment.flac.exists():
                segment.wav.unlink()  # a FLAC file appears only when it is whole
            elif segment.wav.exists():
                with _opened(segment.wav) as file:
                    os.ftruncate(file, HEADER + segment.length * _WIDTH)
                    os.pwrite(file, header(segment.length), 0)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open a file to be changed; what was changed is on the disk afterwards."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        yield descriptor
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(directory: Path) -> None:
    """Make sure that new and renamed files are found after a power loss."""
    with contextlib.suppress(OSError):  # not every system can
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _length(path: Path) -> int:
    """Return how many samples a file holds: a WAV file by its size, whatever its header says."""
    if path.suffix == ".wav":
        return max(path.stat().st_size - HEADER, 0) // _WIDTH
    try:
        return int(soundfile.info(path).frames)
    except soundfile.LibsndfileError:
        return 0


def _read(path: Path, first: int, count: int) -> NDArray[np.int16]:
    if path.suffix == ".wav":
        with path.open("rb", buffering=0) as file:
            raw = os.pread(file.fileno(), count * _WIDTH, HEADER + first * _WIDTH)
        return np.frombuffer(raw[: len(raw) // _WIDTH * _WIDTH], "<i2")
    with soundfile.SoundFile(path) as sound:
        if first >= sound.frames:
            return np.zeros(0, np.int16)
        sound.seek(first)
        return np.asarray(sound.read(count, dtype="int16"), np.int16)


def _write_flac(path: Path, source: Path, length: int, silent: tuple[int, int] = (0, 0)) -> None:
    """Write samples of another file as FLAC, with silence from one sample to another."""
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "PCM_16", format="FLAC") as sound:
        for first in range(0, length, _AT_ONCE):
            samples = _read(source, first, min(_AT_ONCE, length - first)).copy()
            samples[max(silent[0] - first, 0) : max(silent[1] - first, 0)] = 0
            sound.write(samples)
    path.chmod(0o600)
    with _opened(path):
        pass


def _are_equal(one: Path, other: Path, length: int) -> bool:
    pieces = ((first, min(_AT_ONCE, length - first)) for first in range(0, length, _AT_ONCE))
    return _length(one) == length and all(
        np.array_equal(_read(one, *piece), _read(other, *piece)) for piece in pieces
    )


def _overwrite(path: Path) -> None:
    """Fill a file with zeros, so that what was in it is gone before its room is given back."""
    with _opened(path) as file:
        os.pwrite(file, bytes(path.stat().st_size), 0)
