"""Headers that lie: what a WAV or Ogg file says about itself against what the file holds.

The decoding libraries take a header at its word and shorten or lengthen silently; a transcript of half a
meeting must not look like one of the whole. Sizes that mean "written as a stream" (all ones) are no lie.
Not covered: other containers, whose decoders notice by themselves (`decoding.py` compares lengths), and MP3 files
that do not say how long they are.
"""

import struct
from pathlib import Path
from typing import BinaryIO

from meetscribe.errors import AudioError

RATES = (1_000, 1_536_000)  # plausible samples per second
MOST_CHANNELS = 128
_STREAMED = (0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0xFFFFFFFF - 36, 0x7FFFFFFF - 36)
_PADDING = 4096  # bytes after the last chunk that nobody minds


def check_rate_and_channels(path: Path, rate: int, channels: int) -> None:
    """Refuse rates and numbers of channels that no recording has.

    Raises:
        AudioError: the header cannot be true.
    """
    if channels < 1:
        raise AudioError(f"{path}: the header says that there are no channels; export the recording again")
    if channels > MOST_CHANNELS:
        raise AudioError(
            f"{path}: the header says {channels} channels, which cannot be; export the recording again"
        )
    if not RATES[0] <= rate <= RATES[1]:
        raise AudioError(
            f"{path}: the header says {rate} samples a second, which cannot be; export the recording again"
        )


def wav_complaint(path: Path) -> str | None:
    """Return what is wrong with the length in a WAV file's header, None where it is true or no WAV file.

    Raises:
        AudioError: rate or channels cannot be, or there is no audio behind the header.
    """
    with path.open("rb") as file:
        start = file.read(12)
        if start[:4] not in (b"RIFF", b"RF64") or start[8:] != b"WAVE":
            return None
        size = path.stat().st_size
        while len(head := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", head)
            if name == b"data":
                return _data_complaint(file, length, size - file.tell(), start[:4] == b"RF64")
            body = file.read(min(length + length % 2, size))
            if name == b"fmt " and len(body) >= 16:
                channels, rate = struct.unpack("<HI", body[2:8])
                check_rate_and_channels(path, rate, channels)
    raise AudioError(f"{path}: it ends before any audio (truncated); copy or export it again")


def _data_complaint(file: BinaryIO, said: int, there: int, is_64_bit: bool) -> str | None:
    """Compare the bytes of audio that the header says with those that are there."""
    if said in _STREAMED or (is_64_bit and said >= 0xFFFFFFF0):
        return None
    if said > there:
        return f"the header says {said} bytes of audio, but only {there} are there (truncated)"
    file.seek(said + said % 2, 1)
    left = there - said - said % 2
    while left > _PADDING:
        head = file.read(8)
        length = struct.unpack("<4xI", head)[0]
        if not head[:4].isascii() or not head[:4].decode("ascii").isprintable() or length > left:
            return f"the header says {said} bytes of audio, but {there} are there"
        file.seek(length + length % 2, 1)
        left -= 8 + length + length % 2
    return None


def ogg_complaint(path: Path) -> str | None:
    """Return what is wrong with the end of an Ogg file: a page cut short, or no page marked as the last."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != b"OggS":
            return None
        file.seek(max(0, size - (1 << 17)))
        tail = file.read()
    at = tail.rfind(b"OggS")
    page = tail[at:]
    segments = page[26] if len(page) > 26 else 0
    whole = 27 + segments + sum(page[27 : 27 + segments])
    if len(page) < 28 or len(page) < whole:
        return "its last page is cut short (truncated)"
    return None if page[5] & 4 else "its end is missing (truncated)"


def looks_like_mp3(path: Path) -> bool:
    """Say whether a file begins as MP3 does: with titles (ID3) or the mark of a frame."""
    with path.open("rb") as file:
        start = file.read(3)
    return start == b"ID3" or (len(start) == 3 and start[0] == 0xFF and start[1] & 0xE0 == 0xE0)


def counts_its_frames(path: Path) -> bool:
    """Say whether an MP3 file begins with a frame that says how many follow (Xing or Info)."""
    with path.open("rb") as file:
        start = file.read(10)
        if start[:3] == b"ID3" and len(start) == 10:  # titles; their length has seven bits a byte
            file.seek(
                sum((byte & 127) << shift for byte, shift in zip(start[6:], (21, 14, 7, 0), strict=True)), 1
            )
            start = b""
        first = start + file.read(200)
    return b"Xing" in first or b"Info" in first
