"""Audio to disk as it comes, so that nothing is lost when the process is killed, nor much when the power goes.

Every block is written at once, and every `SYNC` seconds a thread makes the system put it on the disk. A channel's
segment ends after ten minutes; another thread makes FLAC of it. `Recording` reads what is there.
A full disk stops the recording, not the meeting: `write` says so, and goes on as soon as there is room again. The last
room is the transcript's, which needs a hundredth of it, and more for a moment when something is taken back.
Not covered: what is done with the audio; the files themselves (`segments.py`).
"""

import contextlib
import errno
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from meetscribe.errors import RecordingError
from meetscribe.session.ports import Block
from meetscribe.session.segments import (
    HEADER,
    Segment,
    find_segments,
    from_pcm,
    header,
    mend,
    sync_directory,
    to_pcm,
)
from meetscribe.timeline import SAMPLE_RATE

SYNC = 0.5
"""Seconds after which audio is on the disk at the latest."""

LONGEST_SEGMENT = 600 * SAMPLE_RATE
LOW_SPACE = 500 * 1024**2
"""Free bytes below which a recorder complains: about two hours of two channels."""

TRANSCRIPT_SPACE = 32 * 1024**2
"""Free bytes that a recording leaves: a transcript of many hours, rewritten when words are taken back."""

MARKS = "marks.json"
"""The file that says how far a recording was transcribed."""

_LOOKS = 10  # syncs between two looks at the free space
_SHARE = 8  # of a small disk, that much is left instead


def read(segments: Sequence[Segment], start: int, end: int) -> NDArray[np.float32]:
    """Return the samples of a channel; silence where nothing was recorded."""
    wanted = np.zeros(max(end - start, 0), np.float32)
    for segment in segments:
        first, last = max(start, segment.start), min(end, segment.end)
        if first < last:
            wanted[first - start : last - start] = from_pcm(segment.read(first, last))
    return wanted


def read_marks(directory: Path) -> str | None:
    """Return how far the recording in a folder was transcribed, None where nobody wrote it."""
    try:
        return (directory / MARKS).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


class Recording:
    """The audio of a meeting as it lies in its folder, to be read."""

    def __init__(self, directory: Path) -> None:
        self._segments = find_segments(directory)

    @property
    def channels(self) -> int:
        """Return the number of channels, 0 where nothing was recorded."""
        return max(self._segments, default=-1) + 1

    @property
    def length(self) -> int:
        """Return the position after the last sample."""
        return max((segments[-1].end for segments in self._segments.values()), default=0)

    def read(self, channel: int, start: int, end: int) -> NDArray[np.float32]:
        """Return the samples of one channel; what was not recorded is silence."""
        return read(self._segments.get(channel, []), start, end)


@dataclass(eq=False)
class _Track:
    """The segments of one channel; the last one is being written while `file` (a descriptor) is open."""

    directory: Path
    channel: int
    segments: list[Segment] = field(default_factory=list)
    file: int | None = None
    begin: int = 0  # of the open segment
    end: int = 0  # of the channel

    def write(self, position: int, samples: NDArray[np.int16]) -> None:
        """Write samples from `position`, which is not before the end."""
        if self.file is None:
            self._open()
        assert self.file is not None
        before = self._place(self.end)
        try:
            written = os.pwrite(self.file, samples.tobytes(), self._place(position))
            if written < samples.nbytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.pwrite(self.file, header(position + len(samples) - self.begin), 0)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self.file, before)
            raise
        self.end = position + len(samples)

    def close(self) -> Segment | None:
        """End the open segment and return it."""
        file, self.file = self.file, None
        if file is None:
            return None
        segment = self._segment()
        self.segments.append(segment)
        try:
            os.fsync(file)
        finally:
            os.close(file)
        return segment

    def all(self) -> list[Segment]:
        """Return the segments, the open one too."""
        return self.segments if self.file is None else [*self.segments, self._segment()]

    def _open(self) -> None:
        segment = self._segment(new=True)
        descriptor = os.open(segment.wav, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.pwrite(descriptor, header(0), 0)
        except OSError:
            os.close(descriptor)
            raise
        self.file, self.begin = descriptor, self.end
        sync_directory(self.directory)

    def _segment(self, new: bool = False) -> Segment:
        number = self.segments[-1].number + 1 if self.segments else 1
        begin = self.end if new else self.begin
        return Segment(self.directory / f"audio-{self.channel}-{number}", number, begin, self.end - begin)

    def _place(self, position: int) -> int:
        return HEADER + 2 * (position - self.begin)


class FileRecorder:
    """Records a meeting into a folder; goes on after what is there.

    Args:
        directory: the meeting's folder.
        channels: how many.
        longest: samples of a segment.
        low_space: free bytes below which it complains.
        left_space: free bytes below which it stops; on a small disk an eighth of it.

    Raises:
        RecordingError: the folder cannot be used.
    """

    def __init__(
        self,
        directory: Path,
        channels: int,
        longest: int = LONGEST_SEGMENT,
        low_space: int = LOW_SPACE,
        left_space: int = TRANSCRIPT_SPACE,
    ) -> None:
        self._directory, self._longest = directory, longest
        self._low_space, self._left_space = low_space, left_space
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            mend(directory)
        except OSError as error:
            raise RecordingError(f"{directory}: nothing can be recorded here ({error.strerror})") from error
        there = find_segments(directory)
        self._tracks = [_Track(directory, channel, there.get(channel, [])) for channel in range(channels)]
        for track in self._tracks:
            track.end = track.segments[-1].end if track.segments else 0
        self.synced = self.length
        self._writing = threading.Lock()  # what is being written
        self._changing = threading.Lock()  # files that are closed
        self._compressing: list[threading.Thread] = []
        self._complaint: str | None = None
        self._ended = threading.Event()
        self._syncing = threading.Thread(target=self._keep_syncing, name="recorder", daemon=True)
        self._syncing.start()

    @property
    def length(self) -> int:
        """Return the position after the last sample."""
        return max(track.end for track in self._tracks)

    @property
    def complaint(self) -> str | None:
        """Return what will soon be wrong, None while all is well."""
        return self._complaint

    def write(self, block: Block) -> None:
        """Write a block; what is missing before it becomes silence.

        Raises:
            RecordingError: it cannot be written now.
        """
        closed: list[Segment] = []
        try:
            self._leave_space()
            with self._writing:
                for track, samples in zip(self._tracks, to_pcm(block.samples).T, strict=True):
                    fresh = samples[max(track.end - block.position, 0) :]
                    if len(fresh):
                        track.write(max(block.position, track.end), fresh)
                    if track.end - track.begin >= self._longest and (segment := track.close()) is not None:
                        closed.append(segment)
        except OSError as error:
            raise RecordingError(f"the recording has stopped ({error.strerror}); delete something") from error
        if closed:
            self._compress(closed)

    def _leave_space(self) -> None:
        """Refuse to take the room that the transcript needs.

        Raises:
            RecordingError: there is no more than that.
            OSError: nobody can say how much there is.
        """
        disk = shutil.disk_usage(self._directory)
        if disk.free < min(self._left_space, disk.total // _SHARE):
            megabytes = disk.free // 1024**2
            raise RecordingError(
                f"the recording has stopped: the transcript needs the {megabytes} MB that are free; delete something"
            )

    def erase(self, start: int, end: int) -> None:
        """Make all channels silent from `start` to `end`, on the disk.

        Raises:
            RecordingError: the disk is full or broken; some of the sound is still there.
        """
        try:
            with self._changing:
                with self._writing:
                    segments = [segment for track in self._tracks for segment in track.all()]
                for segment in segments:
                    segment.silence(start, end)
        except (OSError, soundfile.LibsndfileError) as error:
            raise RecordingError(
                f"its sound is still on the disk ({error}); make room and take it back again"
            ) from error

    def read(self, channel: int, start: int, end: int) -> NDArray[np.float32]:
        """Return the samples of one channel; what was not recorded is silence."""
        with self._writing:
            segments = list(self._tracks[channel].all())
        return read(segments, start, end)

    def read_marks(self) -> str | None:
        """Return how far the recording was transcribed, as it was written last."""
        return read_marks(self._directory)

    def write_marks(self, text: str) -> None:
        """Write how far the recording was transcribed; on a full disk the old text stays."""
        part = self._directory / f"{MARKS}.part"
        with contextlib.suppress(OSError):
            part.write_text(text, encoding="utf-8")
            part.replace(self._directory / MARKS)

    def close(self) -> None:
        """Put everything on the disk and compress it."""
        self._ended.set()
        self._syncing.join()
        self._sync()
        with self._writing:
            closed = [segment for track in self._tracks if (segment := track.close()) is not None]
        self._compress(closed)
        for thread in self._compressing:
            thread.join()

    def _keep_syncing(self) -> None:
        looks = 0
        while not self._ended.wait(SYNC):
            if looks % _LOOKS == 0:
                self._look_at_space()
            looks += 1
            self._sync()

    def _sync(self) -> None:
        """Have the system put what was written on the disk."""
        with self._writing:
            length = self.length
            copies = [os.dup(track.file) for track in self._tracks if track.file is not None]
        try:
            for descriptor in copies:
                os.fsync(descriptor)
            self.synced = max(self.synced, length)
        except OSError as error:
            self._complaint = f"the recording does not reach the disk ({error.strerror})"
        finally:
            for descriptor in copies:
                os.close(descriptor)

    def _look_at_space(self) -> None:
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(self._directory).free
            megabytes = free // 1024**2
            low = f"only {megabytes} MB are free for the recording; delete something"
            self._complaint = low if free < self._low_space else None

    def _compress(self, segments: Sequence[Segment]) -> None:
        """Make FLAC of closed segments, beside everything else."""

        def work() -> None:
            for segment in segments:
                with self._changing:
                    segment.compress()

        thread = threading.Thread(target=work, name="compress", daemon=True)
        self._compressing = [one for one in self._compressing if one.is_alive()]
        self._compressing.append(thread)
        thread.start()
