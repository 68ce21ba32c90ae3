"""Reports with sound: what lies beside a transcript, or in the store, made to be heard in a page.

A recording that a browser can play is pointed at where it lies; else, or where it is asked for, sound goes into the
page as Opus.
Not covered: the page itself (`formats/report`).
"""

import base64
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import soundfile
from numpy.typing import NDArray

from meetscribe.apps.batch import MEDIA
from meetscribe.apps.voices import Slots, from_channels, from_mixture, overlapped
from meetscribe.errors import AudioError
from meetscribe.formats.report.page import Sound, data_address
from meetscribe.meeting import Meeting
from meetscribe.session.recorder import Recording
from meetscribe.sources.file import FileSource
from meetscribe.timeline import SAMPLE_RATE

PLAYED = frozenset(["flac", "m4a", "mp3", "mp4", "oga", "ogg", "opus", "wav", "webm"])
"""Extensions of what browsers play."""

_BLOCK = 5 * SAMPLE_RATE

Blocks = Callable[[], Iterator[NDArray[np.float32]]]  # begins to read all channels, [samples, channels]


@dataclass(frozen=True)
class Heard:
    """A meeting's sound: how it is read, and its file, where it is one that browsers play."""

    blocks: Blocks
    file: Path | None = None


def beside(transcript: Path, meeting: Meeting) -> Heard | None:
    """Return the recording that lies beside a transcript: named as its source, or as the transcript."""
    sources = meeting.session.sources if meeting.session else ()
    for name in sources if len(sources) == 1 else ():
        path = transcript.parent / Path(name).name
        if path.is_file():
            return of_file(path)
    stem = transcript.name.split(".")[0]
    for path in sorted(transcript.parent.iterdir()):
        if path.stem == stem and path.suffix[1:].lower() in MEDIA and path.is_file():
            return of_file(path)
    return None


def of_file(path: Path) -> Heard:
    """Return the sound of a recording."""

    def blocks() -> Iterator[NDArray[np.float32]]:
        try:
            for block in FileSource(path).read():
                yield block.samples
        except AudioError:  # what there is of it can be heard
            return

    return Heard(blocks, path if path.suffix[1:].lower() in PLAYED else None)


def of_store(folder: Path) -> Heard | None:
    """Return the sound of a stored meeting, None where nothing was recorded or kept."""
    recording = Recording(folder)
    if not recording.channels or not recording.length:
        return None

    def blocks() -> Iterator[NDArray[np.float32]]:
        for start in range(0, recording.length, _BLOCK):
            end = min(start + _BLOCK, recording.length)
            columns = [recording.read(channel, start, end) for channel in range(recording.channels)]
            yield np.stack(columns, axis=1)

    return Heard(blocks)


def sound_of(meeting: Meeting, heard: Heard, page: Path, *, inside: bool, slots: Slots | None) -> Sound:
    """Return where a report at `page` finds a meeting's sound.

    Args:
        meeting: whose turns that overlap get sounds of their own.
        heard: the sound.
        page: where the report is written.
        inside: the whole sound goes into the page, and not only what cannot lie beside it.
        slots: what separates voices; None: only channels do.
    """
    if heard.file is not None and not inside:
        whole = quote(Path(os.path.relpath(heard.file.resolve(), page.resolve().parent)).as_posix())
    else:
        whole = _opus(block.mean(axis=1) for block in heard.blocks())
    turns = overlapped(meeting)
    voices = from_channels(turns, heard.blocks()) if any(t.channel is not None for t in turns) else {}
    if slots is not None and any(turn.channel is None for turn in turns):
        voices |= from_mixture([turn for turn in turns if turn.channel is None], heard.blocks(), slots)
    return Sound(whole, {turn: _opus(iter([voice])) for turn, voice in voices.items()})


def _opus(blocks: Iterator[NDArray[np.float32]]) -> str:
    """Return the address of mono sound inside the page."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", SAMPLE_RATE, 1, format="OGG", subtype="OPUS") as out:
        for block in blocks:
            out.write(np.clip(block, -1.0, 1.0).astype(np.float32))
    return data_address("audio/ogg", base64.b64encode(file.getvalue()).decode("ascii"))
