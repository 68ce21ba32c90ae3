"""A tiny corpus in which people speak in tones: words of exact extent, nothing at all between them."""

import json
from pathlib import Path

import numpy as np
import pytest

from meetscribe.training.augmentation import Surroundings
from meetscribe.training.corpus import AlignedWord, AudioCache, Corpus, Utterance

RATE = 16_000


def write_cache(path: Path, recordings: dict[str, np.ndarray]) -> AudioCache:
    places, offset = {}, 0
    for name, samples in recordings.items():
        places[name] = (offset, len(samples))
        offset += len(samples)
    pcm = np.concatenate([np.rint(samples * 32_767).astype(np.int16) for samples in recordings.values()])
    path.with_suffix(".i16").write_bytes(pcm.tobytes())
    path.with_suffix(".json").write_text(json.dumps(places))
    return AudioCache(path)


def spoken(rng: np.random.Generator, frequency: float, count: int) -> tuple[np.ndarray, list[AlignedWord]]:
    """Return `count` words as tones, one in eight followed by a pause that ends a turn."""
    parts, words, at = [np.zeros(4_000)], [], 4_000
    for number in range(count):
        length = int(rng.integers(20, 60)) * 160
        tone = 0.3 * np.sin(2 * np.pi * frequency * np.arange(length) / RATE + 0.5)
        words.append(AlignedWord(f"w{number}", at, (5, 6), (at + length // 2, at + length)))
        pause = int(rng.integers(60, 120) if number % 8 == 7 else rng.integers(1, 25)) * 160
        parts += [tone, np.zeros(pause)]
        at += length + pause
    return np.concatenate(parts), words


def tone_corpus(path: Path, people: int, utterances: int = 4, words: int = 40) -> Corpus:
    rng = np.random.default_rng(people)
    recordings, said = {}, {}
    for person in range(people):
        for number in range(utterances):
            name = f"{person}-{number}"
            recordings[name], said[name] = spoken(rng, 200.0 + 70 * person, words)
    audio = write_cache(path, recordings)
    made = []
    for name, (offset, samples) in audio.places.items():
        text = " ".join(word.text for word in said[name])
        speaker = f"p{name.split('-')[0]}"
        made.append(Utterance(name, "librispeech", speaker, text, offset, samples, tuple(said[name])))
    return Corpus(tuple(made), audio)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return tone_corpus(tmp_path_factory.mktemp("tones") / "cache", people=7)


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Surroundings:
    rng = np.random.default_rng(0)
    noise = write_cache(
        tmp_path_factory.mktemp("noise") / "cache", {"hum": 0.1 * rng.standard_normal(3 * RATE).clip(-3, 3)}
    )
    echoes = [rng.standard_normal(2_000) * np.exp(-np.arange(2_000) / 300) for _ in range(3)]
    responses = tuple((echo / np.sqrt(np.sum(echo**2))).astype(np.float32) for echo in echoes)
    return Surroundings(responses, noise)
