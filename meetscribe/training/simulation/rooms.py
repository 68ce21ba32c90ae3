"""Rooms in which several people sit: one impulse response for each place.

Recorded rooms come from `rooms.jsonl`, others are computed by the image-source method (pyroomacoustics).
Not covered: people who walk about, several microphones.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyroomacoustics
import soundfile
import soxr

from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.augmentation import Surroundings
from meetscribe.training.corpus import cached_audio, read_manifest

PLACES = 6  # in an image-source room
LONGEST_RESPONSE = SAMPLE_RATE // 2
_SEEDS = {"train": 11, "dev": 12}
_MOST_REFLECTIONS = 17


@dataclass(frozen=True)
class MeetingRooms(Surroundings):
    """Surroundings whose responses are known by room: `families` holds their indices."""

    families: tuple[tuple[int, ...], ...]


def families(surroundings: Surroundings) -> tuple[tuple[int, ...], ...]:
    """Return the responses of each room; where rooms are not known, all count as one room's."""
    if isinstance(surroundings, MeetingRooms):
        return surroundings.families
    return (tuple(range(len(surroundings.responses))),) if surroundings.responses else ()


def load_meeting_rooms(
    folder: Path, split: str, cache: Path, count: int, speech_in_noise: bool = True
) -> MeetingRooms:
    """Return the recorded rooms and the noise of a split, and `count` image-source rooms of its own.

    Args:
        folder: where `rooms.jsonl` and `noise.jsonl` lie.
        split: `train` or `dev` (held out).
        cache: folder for decoded audio and computed rooms.
        count: image-source rooms, of PLACES places each.
        speech_in_noise: whether noise in which people may murmur is taken.
    """
    rooms = [*_recorded(folder, split), *_image_source(split, count, cache)]
    edges = np.cumsum([0, *(len(room) for room in rooms)])
    numbered = tuple(tuple(range(a, b)) for a, b in pairwise(edges))
    rows = [row for row in read_manifest(folder / "noise.jsonl") if row["split"] == split]
    names = [row["audio"] for row in rows if speech_in_noise or not row["may_contain_speech"]]
    noise = cached_audio(folder, names, cache) if names else None
    return MeetingRooms(tuple(response for room in rooms for response in room), noise, numbered)


def _recorded(folder: Path, split: str) -> list[list[np.ndarray]]:
    """Return recorded responses by room; files whose names differ in a last number are of one room."""
    rooms: dict[str, list[np.ndarray]] = {}
    for row in read_manifest(folder / "rooms.jsonl"):
        if row["split"] == split:
            name = re.sub(r"_?\d+$", "", Path(row["audio"]).stem)
            rooms.setdefault(name, []).extend(_channels(folder / row["audio"]))
    return list(rooms.values())


def _channels(path: Path) -> list[np.ndarray]:
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    channels = audio if rate == SAMPLE_RATE else soxr.resample(audio, rate, SAMPLE_RATE)
    return [trimmed(channel) for channel in channels.T if np.any(channel)]


def trimmed(response: np.ndarray) -> np.ndarray:
    """Return a response from its direct sound on, at most half a second, with unit energy; float32."""
    direct = int(np.argmax(np.abs(response)))
    kept = response[direct : direct + LONGEST_RESPONSE]
    return (kept / np.sqrt(np.sum(np.square(kept, dtype=np.float64)))).astype(np.float32)


def _image_source(split: str, count: int, cache: Path) -> list[Sequence[np.ndarray]]:
    if not count:
        return []
    path = cache / f"meeting-rooms-{split}-{count}.npy"
    if not path.exists():
        rng = np.random.default_rng(_SEEDS[split])
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.stack([_room(rng) for _ in range(count)]))
    return [list(room) for room in np.load(path, mmap_mode="r")]


def _room(rng: np.random.Generator) -> np.ndarray:
    """Return the responses of PLACES places to one microphone, float32 (PLACES, LONGEST_RESPONSE)."""
    size = rng.uniform([3.0, 2.5, 2.3], [9.0, 7.0, 3.6])
    absorption, order = pyroomacoustics.inverse_sabine(rng.uniform(0.15, 0.6), size)
    material = pyroomacoustics.Material(absorption)
    room = pyroomacoustics.ShoeBox(
        size, fs=SAMPLE_RATE, materials=material, max_order=min(order, _MOST_REFLECTIONS)
    )
    for _ in range(PLACES):
        room.add_source(rng.uniform(0.4, size - 0.4))
    room.add_microphone(rng.uniform(0.4, size - 0.4))
    room.compute_rir()
    assert room.rir is not None
    responses = [trimmed(response) for response in room.rir[0]]
    return np.stack([np.pad(response, (0, LONGEST_RESPONSE - len(response))) for response in responses])
