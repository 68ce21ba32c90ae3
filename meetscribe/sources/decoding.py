"""Audio files as float32 blocks at their own rate: soundfile for what it reads, PyAV for other containers.

Blocks come one by one, so that memory does not grow with the file. An error after good audio is raised after
that audio was given.
Not covered: resampling and what is wrong with a path (`file.py`), pictures, several sound tracks (the first
is taken).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import soundfile
from numpy.typing import NDArray

from meetscribe.errors import AudioError
from meetscribe.sources.headers import (
    check_rate_and_channels,
    counts_its_frames,
    looks_like_mp3,
    ogg_complaint,
    wav_complaint,
)

# containers that PyAV may open: no playlists, which would fetch other files, and nothing that draws text
_CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,gsm,m4a,matroska,mov,mp3,mp4,mpeg,mpegts,"
    "mxf,ogg,oma,rm,tta,voc,w64,wav,webm,wv,3gp"
)
_MISSING = 0.5  # seconds that may be missing at the end before it is called truncated (codec delay)
_UNKNOWN_LENGTH = 1 << 60  # frames; libsndfile says such a number when it does not know


@dataclass(frozen=True)
class Decoded:
    """An open audio file: samples per second, channels, frames (None: not known) and its blocks."""

    rate: int
    channels: int
    frames: int | None
    blocks: Iterator[NDArray[np.float32]]  # float32 [frames, channels]


def decode(path: Path, seconds: float = 0.5) -> Decoded:
    """Open an audio file; its blocks are about `seconds` long.

    Raises:
        AudioError: nothing in the file can be decoded. (While reading: the rest cannot.)
    """
    complaint = wav_complaint(path)
    if looks_like_mp3(path):  # libsndfile stops at the length that it guesses from the bit rate
        return _decode_container(path)
    try:
        sound = soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, TypeError):
        return _decode_container(path)
    complaint = complaint or ogg_complaint(path)
    check_rate_and_channels(path, sound.samplerate, sound.channels)
    if sound.frames == 0:
        raise AudioError(f"{path}: {complaint or 'it holds no audio'}; record or export it again")
    frames = sound.frames if 0 < sound.frames < _UNKNOWN_LENGTH else None
    return Decoded(sound.samplerate, sound.channels, frames, _read_sound(path, sound, seconds, complaint))


def _read_sound(
    path: Path, sound: soundfile.SoundFile, seconds: float, complaint: str | None
) -> Iterator[NDArray[np.float32]]:
    size, read = max(1, int(sound.samplerate * seconds)), 0
    with sound:
        while True:
            try:
                block = sound.read(size, dtype="float32", always_2d=True).astype(np.float32, copy=False)
            except soundfile.LibsndfileError as error:
                raise _broken(path, read / sound.samplerate, str(error)) from error
            if not len(block):
                break
            read += len(block)
            yield block
        if complaint is None and sound.frames < _UNKNOWN_LENGTH and read < sound.frames:
            complaint = "its header says more (truncated)"
    if complaint is not None:
        raise _broken(path, read / sound.samplerate, complaint)


def _broken(path: Path, seconds: float, why: str) -> AudioError:
    """Return the error of a file that could be read to some point."""
    why = why.removeprefix("Error : ").strip().rstrip(".")
    what = f"only its first {seconds:.1f} s could be read" if seconds else "no audio in it could be read"
    return AudioError(f"{path}: {what}, {why}; copy or export the recording again")


def _decode_container(path: Path) -> Decoded:
    """Open what soundfile cannot read: AAC in MP4, WebM, video."""
    try:
        container = av.open(str(path.absolute()), options={"format_whitelist": _CONTAINERS})
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise AudioError(
            f"{path}: this is no audio that can be read, or it is damaged; convert it to WAV or FLAC"
        ) from error
    if not container.streams.audio:
        container.close()
        raise AudioError(f"{path}: it has no sound; give a file with an audio track")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        container.close()
        raise AudioError(f"{path}: nothing here can decode its sound; convert it to WAV or FLAC")
    rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
    check_rate_and_channels(path, rate, channels)
    duration = None
    if stream.duration is not None and stream.time_base is not None:
        duration = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        duration = container.duration / av.time_base
    frames = None if duration is None else round(duration * rate)
    return Decoded(rate, channels, frames, _read_container(path, container, stream, frames))


def _read_container(
    path: Path, container: Any, stream: Any, frames: int | None
) -> Iterator[NDArray[np.float32]]:
    rate, layout, read = stream.codec_context.sample_rate, stream.codec_context.layout, 0
    planar = av.AudioResampler(format="fltp", layout=layout, rate=rate)
    complaint: Exception | None = None
    with container:
        try:
            for frame in container.decode(stream):
                for part in planar.resample(frame):
                    block = np.ascontiguousarray(part.to_ndarray().T, dtype=np.float32)
                    read += len(block)
                    yield block
        except (av.error.FFmpegError, ValueError) as error:
            complaint = error
    if complaint is not None:
        raise _broken(path, read / rate, "the rest is damaged") from complaint
    if read == 0:
        raise AudioError(f"{path}: it holds no audio; record or export it again")
    # elsewhere the length is an estimate
    counted = container.format.name.startswith(("mov", "matroska")) or counts_its_frames(path)
    if counted and frames is not None and read < frames - _MISSING * rate:
        raise _broken(path, read / rate, f"its header says {frames / rate:.1f} s (truncated)")
