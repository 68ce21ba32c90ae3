"""Transcribed and aligned speech: manifests, alignments, and the decoded audio of a whole corpus in one file.

A corpus is a folder with manifests (`train.jsonl`, `dev.jsonl`) and alignments (`alignments.jsonl.xz`), one object a
line, as `docs/training.md` describes. Decoding Opus again in every epoch would cost more than the augmentation, so the
samples are decoded once into `<cache>/<name>.i16`, which all processes map.
"""

import hashlib
import json
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from meetscribe.errors import InputError
from meetscribe.lm.symbols import spell
from meetscribe.timeline import SAMPLE_RATE

ALIGNMENT_FRAME = 160  # samples


@dataclass(frozen=True)
class AlignedWord:
    """A word and the sample at which each of its symbols ends; the first symbol begins at `start`."""

    text: str
    start: int
    symbols: tuple[int, ...]
    ends: tuple[int, ...]

    @property
    def end(self) -> int:
        """Sample after the last."""
        return self.ends[-1]


@dataclass(frozen=True)
class Utterance:
    """One recording of one speaker: where its samples lie in the cache, and what is said when."""

    audio: str
    corpus: str
    speaker: str
    text: str
    offset: int
    samples: int
    words: tuple[AlignedWord, ...]


def read_manifest(path: Path) -> list[dict]:
    """Return the objects of a JSON-lines manifest; raises InputError where there is none."""
    if not path.is_file():
        raise InputError(f"{path} is missing: give the folder that holds this manifest")
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def read_alignments(path: Path) -> dict[str, tuple[AlignedWord, ...]]:
    """Return the aligned words of each recording by its path within the corpus."""
    with lzma.open(path, "rt") if path.suffix == ".xz" else path.open() as lines:
        rows = (json.loads(line) for line in lines)
        return {row["audio"]: tuple(_word(*word) for word in row["words"]) for row in rows}


def _word(text: str, start: int, phones: str) -> AlignedWord:
    parts = [part.split(":") for part in phones.split()]
    ends = start + np.cumsum([int(frames) for _, frames in parts])
    symbols = spell([name for name, _ in parts])
    return AlignedWord(text, start * ALIGNMENT_FRAME, symbols, tuple(int(e) * ALIGNMENT_FRAME for e in ends))


class AudioCache:
    """Decoded recordings, 16 kHz mono int16, one after another in a memory-mapped file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.places: dict[str, tuple[int, int]] = json.loads(path.with_suffix(".json").read_text())
        file = path.with_suffix(".i16")
        self.samples = np.memmap(file, np.int16, "r") if file.stat().st_size else np.zeros(0, np.int16)

    def read(self, offset: int, samples: int) -> np.ndarray:
        """Return float32 samples in -1…1."""
        return self.samples[offset : offset + samples].astype(np.float32) / 32_768.0


def cached_audio(folder: Path, names: Iterable[str], cache: Path) -> AudioCache:
    """Return the decoded recordings `names` of a corpus folder, decoding them first where that was not done yet."""
    wanted = sorted(set(names))
    digest = hashlib.sha256("\n".join([str(folder.resolve()), *wanted]).encode()).hexdigest()[:16]
    path = cache / digest
    if not path.with_suffix(".json").exists():
        _decode(folder, wanted, path)
    return AudioCache(path)


def _decode(folder: Path, names: list[str], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    places, offset = {}, 0
    with path.with_suffix(".i16").open("wb") as out:
        for name in names:
            audio = read_audio(folder / name)
            pcm = np.clip(np.rint(audio * 32_768.0), -32_768, 32_767).astype(np.int16)
            places[name] = (offset, len(pcm))
            offset += len(pcm)
            out.write(pcm.tobytes())
    path.with_suffix(".json").write_text(json.dumps(places))


def read_audio(path: Path) -> np.ndarray:
    """Return a recording's first channel as float32 at 16 kHz."""
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = audio[:, 0]
    return mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE).astype(np.float32)


@dataclass(frozen=True)
class Corpus:
    """Utterances and their audio."""

    utterances: tuple[Utterance, ...]
    audio: AudioCache


def load_corpus(folder: Path, split: str, cache: Path, alignments: Path | None = None) -> Corpus:
    """Return the aligned utterances of a corpus folder.

    Args:
        folder: where the manifests lie.
        split: `train` or `dev`.
        cache: folder for decoded audio.
        alignments: other alignments than the folder's own.
    """
    rows = [row for row in read_manifest(folder / f"{split}.jsonl") if row["text"]]
    aligned = read_alignments(alignments or folder / "alignments.jsonl.xz")
    rows = [row for row in rows if aligned.get(row["audio"])]
    audio = cached_audio(folder, (row["audio"] for row in rows), cache)
    return Corpus(tuple(_utterances(rows, aligned, audio)), audio)


def _utterances(
    rows: list[dict], aligned: dict[str, tuple[AlignedWord, ...]], audio: AudioCache
) -> Iterator[Utterance]:
    for row in rows:
        offset, samples = audio.places[row["audio"]]
        words = aligned[row["audio"]]
        yield Utterance(row["audio"], row["corpus"], row["speaker"], row["text"], offset, samples, words)
