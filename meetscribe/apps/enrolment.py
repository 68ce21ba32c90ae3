"""Enrolling: what somebody says in recordings, or said in a meeting of the past, becomes a voice to remember.

It is refused where it would do harm: too little speech, too much noise, or voices of which some are unlike the rest.
Not covered: where voices are kept (`store/people.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from meetscribe.embedder_file import SpeakerEmbedder, load_embedder
from meetscribe.errors import InputError, MissingError
from meetscribe.events import Turn, Voice
from meetscribe.meeting import Meeting
from meetscribe.nn.features import HOP, Features
from meetscribe.session.recorder import Recording
from meetscribe.sources.file import FileSource
from meetscribe.store.store import Store
from meetscribe.timeline import SAMPLE_RATE

PIECE = 200  # frames of speech that are heard at once
_LEAST_PIECE = 80  # frames


@dataclass(frozen=True)
class Gate:
    """What a recording has to have: seconds of speech, dB above its noise, and the share of it that is one voice."""

    seconds: float = 5.0
    signal: float = 9.0
    share: float = 0.7


@dataclass(frozen=True)
class Speech:
    """Features of speech, float32 [T, F], and how far it stands out of the noise (dB)."""

    frames: NDArray[np.float32]
    signal: float


def embedder_of(model: Path) -> SpeakerEmbedder:
    """Return a model's speaker embedder.

    Raises:
        MissingError: it has none.
    """
    torch.set_num_threads(1)
    found = load_embedder(model)
    if found is None:
        raise MissingError(f"the model {model.name!r} cannot tell people apart; choose another with --model")
    return found


def recorded(path: Path) -> NDArray[np.float32]:
    """Return the mean of a recording's channels.

    Raises:
        InputError: it cannot be read.
    """
    blocks = [block.samples.mean(1, dtype=np.float32) for block in FileSource(path).read()]
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def said_in(store: Store, meeting_id: str, speaker_id: str) -> list[NDArray[np.float32]]:
    """Return what a speaker said in a meeting of the past, turn by turn, without those into which others talked.

    Raises:
        InputError: there is no recording, or the speaker said nothing alone.
    """
    meeting, recording = store.meeting(meeting_id), store.audio(meeting_id)
    if not recording.length:
        raise InputError(f"{meeting_id!r} has no recording any more; enrol from a file instead")
    turns = [turn for turn in meeting.turns if turn.speaker_id == speaker_id and not turn.redacted]
    alone = [turn for turn in turns if not turn.overlaps]
    if not alone:
        raise InputError(f"nobody with the id {speaker_id!r} said anything alone in {meeting_id!r}")
    return [_samples(recording, turn) for turn in alone]


def speaker_called(meeting: Meeting, who: str) -> str:
    """Return the id of a speaker who is given by id or by name.

    Raises:
        InputError: there is none, or several have the name.
    """
    if who in meeting.speakers:
        return who
    named = [id for id, name in meeting.speakers.items() if name == who]
    if len(named) == 1:
        return named[0]
    there = ", ".join(name or id for id, name in meeting.speakers.items()) or "nobody"
    raise InputError(f"{meeting.id!r} has no one speaker {who!r}; there are: {there}; give --speaker ID")


def _samples(recording: Recording, turn: Turn) -> NDArray[np.float32]:
    channels = range(recording.channels) if turn.channel is None else [turn.channel]
    heard = np.stack([recording.read(channel, turn.start, turn.end) for channel in channels])
    return heard.mean(0, dtype=np.float32)


def speech_in(samples: Iterable[NDArray[np.float32]]) -> Speech:
    """Return the features of the louder frames: those nearer to the loudest than to the quietest."""
    features = Features()
    rows = [
        features(torch.from_numpy(np.ascontiguousarray(one))[None])[0].numpy()
        for one in samples
        if len(one) >= HOP
    ]
    if not rows:
        return Speech(np.zeros((0, 80), np.float32), 0.0)
    frames = np.concatenate(rows)
    level = frames.mean(1)
    quiet, loud = np.percentile(level, [5, 95])
    signal = float(loud - quiet) * 10 / np.log(10)
    return Speech(frames[level > quiet + 0.4 * (loud - quiet)], signal)


@torch.inference_mode()
def enrolled(speech: Speech, embedder: SpeakerEmbedder, gate: Gate, source: str) -> Voice:
    """Return the voice in speech.

    Raises:
        InputError: there is too little of it, too much noise, or more than one voice.
    """
    seconds = len(speech.frames) * HOP / SAMPLE_RATE
    if seconds < gate.seconds:
        raise InputError(
            f"{source}: {seconds:.1f} s of speech are too little to know a voice; give {gate.seconds:g} s"
        )
    if speech.signal < gate.signal:
        raise InputError(
            f"{source}: speech is only {speech.signal:.0f} dB above the noise; record closer to the microphone"
        )
    even = len(speech.frames) // 2 * 2
    pieces = [speech.frames[i : i + PIECE] for i in range(0, even, PIECE)]
    pieces = [piece[: len(piece) // 2 * 2] for piece in pieces if len(piece) >= _LEAST_PIECE]
    voices = np.stack([embedder.network(torch.from_numpy(piece)[None])[0].numpy() for piece in pieces])
    lengths = np.array([len(piece) * HOP / SAMPLE_RATE for piece in pieces])
    share = _share_alike(voices, lengths, embedder)
    if share < gate.share:
        raise InputError(
            f"{source}: only {share:.0%} of the speech sounds like one person; give a recording of nobody else"
        )
    total = (voices * lengths[:, None]).sum(0)
    vector = total / max(float(np.linalg.norm(total)), 1e-9)
    return Voice(tuple(vector.tolist()), float(lengths.sum()), embedder.id)


def _share_alike(
    voices: NDArray[np.float32], lengths: NDArray[np.float64], embedder: SpeakerEmbedder
) -> float:
    """Return the share of the speech that is more likely than not of the voice that the rest of it has."""
    if len(voices) < 2:
        return 1.0
    total, seconds = (voices * lengths[:, None]).sum(0), float(lengths.sum())
    alike = 0.0
    for voice, length in zip(voices, lengths, strict=True):
        rest = total - voice * length
        if embedder.likeness.between(voice, float(length), rest, seconds - float(length)) > 0.0:
            alike += float(length)
    return alike / seconds


def voices_of_files(files: Sequence[Path], embedder: SpeakerEmbedder, gate: Gate) -> list[tuple[Path, Voice]]:
    """Return the voice in each recording.

    Raises:
        InputError: one cannot be read, or is refused.
    """
    return [(file, enrolled(speech_in([recorded(file)]), embedder, gate, str(file))) for file in files]
