"""What makes fourteen hours sound like more: speed, level, rooms, noise, vocal-tract length, masks on the features.

Not covered: codecs and telephone bands, mixtures of talkers.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyroomacoustics
from scipy.signal import oaconvolve

from meetscribe.nn.features import mel_filters
from meetscribe.training.corpus import SAMPLE_RATE, AudioCache, cached_audio, read_audio

ROOM_SEED = 7
LONGEST_RESPONSE = SAMPLE_RATE // 2
WARPS = np.geomspace(0.84, 1.2, 25)  # vocal-tract factors that batches choose from
NEUTRAL_WARP = int(np.argmin(np.abs(WARPS - 1.0)))


@dataclass(frozen=True)
class AugmentationConfig:
    """How often and how strongly."""

    speed: float = 0.1  # tempo between 1 - speed and 1 + speed
    speed_share: float = 0.6  # of the examples
    warp_share: float = 0.7
    room_share: float = 0.2
    noise_share: float = 0.3
    snr: tuple[float, float] = (6.0, 30.0)  # dB
    level: tuple[float, float] = (-38.0, -14.0)  # dBFS of the whole example
    time_masks: int = 2
    time_mask: int = 16  # frames of 10 ms
    frequency_masks: int = 2
    frequency_mask: int = 12  # bins


@dataclass(frozen=True)
class Surroundings:
    """Rooms and noise to put speech into."""

    responses: tuple[np.ndarray, ...]
    noise: AudioCache | None


def warped_filters() -> np.ndarray:
    """Return one set of mel filters for each vocal-tract factor, float32 (W, 257, F)."""
    return np.stack([mel_filters(warp=warp) for warp in WARPS])


def load_surroundings(folder: Path, cache: Path, rooms: int) -> Surroundings:
    """Return the training split of `noise.jsonl` and `rooms.jsonl`, and `rooms` image-source rooms beside them."""
    manifests = {kind: folder / f"{kind}.jsonl" for kind in ("rooms", "noise")}
    rows = {kind: _training_rows(path) for kind, path in manifests.items()}
    recorded = [_trimmed(read_audio(folder / row["audio"])) for row in rows["rooms"]]
    noise = cached_audio(folder, [row["audio"] for row in rows["noise"]], cache) if rows["noise"] else None
    return Surroundings((*recorded, *_image_source_rooms(rooms, cache)), noise)


def _training_rows(path: Path) -> list[dict]:
    if not path.is_file():
        return []
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [row for row in rows if row.get("split", "train") == "train"]


def _trimmed(response: np.ndarray) -> np.ndarray:
    direct = int(np.argmax(np.abs(response)))
    kept = response[direct : direct + LONGEST_RESPONSE]
    return (kept / np.sqrt(np.sum(kept**2))).astype(np.float32)


def _image_source_rooms(count: int, cache: Path) -> list[np.ndarray]:
    if count == 0:
        return []
    path = cache / f"rooms-{count}-{ROOM_SEED}.npy"
    if not path.exists():
        rng = np.random.default_rng(ROOM_SEED)
        rows = [np.pad(r, (0, LONGEST_RESPONSE - len(r))) for r in (_room(rng) for _ in range(count))]
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.stack(rows))
    return list(np.load(path, mmap_mode="r"))


def _room(rng: np.random.Generator) -> np.ndarray:
    size = rng.uniform([3.0, 2.5, 2.3], [9.0, 7.0, 3.6])
    reverberation = rng.uniform(0.15, 0.6)  # s
    absorption, order = pyroomacoustics.inverse_sabine(reverberation, size)
    room = pyroomacoustics.ShoeBox(
        size, fs=SAMPLE_RATE, materials=pyroomacoustics.Material(absorption), max_order=min(order, 17)
    )
    room.add_source(rng.uniform(0.4, size - 0.4))
    room.add_microphone(rng.uniform(0.4, size - 0.4))
    room.compute_rir()
    assert room.rir is not None
    return _trimmed(room.rir[0][0])


def augmented(
    audio: np.ndarray, surroundings: Surroundings, config: AugmentationConfig, rng: np.random.Generator
) -> np.ndarray:
    """Return the audio in another room, with noise, at another level; float32, as long as before."""
    if surroundings.responses and rng.random() < config.room_share:
        response = surroundings.responses[rng.integers(len(surroundings.responses))]
        audio = oaconvolve(audio, response)[: len(audio)].astype(np.float32)
    if surroundings.noise is not None and rng.random() < config.noise_share:
        audio = _with_noise(audio, surroundings.noise, rng.uniform(*config.snr), rng)
    level = 10 ** (rng.uniform(*config.level) / 20)
    audio = audio * np.float32(level / (_rms(audio) + 1e-6))
    return np.clip(audio, -1.0, 1.0)


def _with_noise(audio: np.ndarray, noise: AudioCache, snr: float, rng: np.random.Generator) -> np.ndarray:
    names = sorted(noise.places)
    offset, samples = noise.places[names[rng.integers(len(names))]]
    start = int(rng.integers(max(1, samples - len(audio))))
    piece = noise.read(offset + start, min(len(audio), samples - start))
    piece = np.resize(piece, len(audio))
    return audio + piece * np.float32(_rms(audio) / (_rms(piece) + 1e-6) * 10 ** (-snr / 20))


def _rms(audio: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(audio)))) if len(audio) else 0.0


def resampled(audio: np.ndarray, speed: float) -> np.ndarray:
    """Return the audio played `speed` times as fast, by linear interpolation."""
    if speed == 1.0:
        return audio
    positions = np.arange(int(len(audio) / speed)) * speed
    return np.interp(positions, np.arange(len(audio)), audio).astype(np.float32)


def smooth_curve(tilt: float, bins: int, rng: np.random.Generator) -> np.ndarray:
    """Return a smooth curve over bands, float64 (bins,), as microphones colour; `tilt` is how much, in nats."""
    place, waves = np.linspace(0.0, 1.0, bins), np.zeros(bins)
    for wave in (1, 2, 3, 4):
        waves += rng.normal(0.0, tilt / wave) * np.cos(np.pi * wave * place + rng.uniform(0, np.pi))
    return waves


def feature_masks(
    lengths: Sequence[int], bins: int, config: AugmentationConfig, rng: np.random.Generator
) -> np.ndarray:
    """Return which features to hide, bool (B, T, F) with T the longest length (Park et al., arXiv 1904.08779)."""
    hidden = np.zeros((len(lengths), max(lengths), bins), bool)
    for row, length in zip(hidden, lengths, strict=True):
        for _ in range(config.time_masks):
            width = int(rng.integers(config.time_mask + 1))
            start = int(rng.integers(max(1, length - width)))
            row[start : start + min(width, length // 5)] = True
        for _ in range(config.frequency_masks):
            width = int(rng.integers(config.frequency_mask + 1))
            start = int(rng.integers(bins - width))
            row[:, start : start + width] = True
    return hidden
