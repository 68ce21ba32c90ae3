"""Who channels belong to, as files say: names of tracks inside a WAV file (iXML), else the names of the files.

Not covered: names inside other containers.
"""

import re
import struct
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from xml.etree import ElementTree

_MOST = 1 << 20  # bytes of iXML
_EDGES = " -_.,()[]"


def channel_names(paths: Sequence[Path], channels: int) -> tuple[str, ...]:
    """Return a name for each of a recording's channels.

    Args:
        paths: its files, whose channels follow each other.
        channels: how many channels they have altogether.
    """
    if len(paths) == channels > 1:
        return _own_parts([path.stem for path in paths])
    known = track_names(paths[0]) if len(paths) == 1 else {}
    return tuple(known.get(number) or f"Channel {number + 1}" for number in range(channels))


def _own_parts(stems: Sequence[str]) -> tuple[str, ...]:
    """Return what tells names of files apart: without what all begin or end with."""
    begin = _at_a_word(stems[0], _shared(stems))
    end = _at_a_word(stems[0][::-1], _shared([stem[::-1] for stem in stems]))
    short = [stem[begin : len(stem) - end].strip(_EDGES) for stem in stems]
    chosen = short if all(short) and len(set(short)) == len(short) else stems
    return tuple(re.sub(r"[_\s]+", " ", name).strip() for name in chosen)


def _shared(texts: Sequence[str]) -> int:
    """Return with how many equal letters all texts begin."""
    columns = zip(*texts, strict=False)
    return len(list(takewhile(lambda letters: len(set(letters)) == 1, columns)))


def _at_a_word(stem: str, shared: int) -> int:
    """Return how much of what is shared can go without cutting a word."""
    if shared == len(stem):
        return 0
    inside = takewhile(lambda letter: letter not in _EDGES, reversed(stem[:shared]))
    return shared - len(list(inside))


def track_names(path: Path) -> dict[int, str]:
    """Return the names of a WAV file's channels, by number from 0; empty where it has none."""
    try:
        text = _chunk(path, b"iXML")
        root = ElementTree.fromstring(text.rstrip(b"\0").decode("utf-8", "replace")) if text else None
    except (OSError, ElementTree.ParseError, struct.error):
        return {}
    names: dict[int, str] = {}
    for track in [] if root is None else root.iter("TRACK"):
        place = track.findtext("INTERLEAVE_INDEX") or track.findtext("CHANNEL_INDEX") or ""
        name = (track.findtext("NAME") or "").strip()
        if place.strip().isdecimal() and name:
            names[int(place) - 1] = name
    return names


def _chunk(path: Path, wanted: bytes) -> bytes:
    """Return what a chunk of a WAV file holds, nothing where there is none."""
    with path.open("rb") as file:
        start = file.read(12)
        if start[:4] not in (b"RIFF", b"RF64") or start[8:] != b"WAVE":
            return b""
        while len(head := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", head)
            if name == wanted:
                return file.read(min(length, _MOST))
            file.seek(length + length % 2, 1)
    return b""
