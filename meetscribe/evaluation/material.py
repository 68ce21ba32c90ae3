"""What is evaluated on: manifests of utterances, recordings with SegLST references, and sets of them.

A set is a folder with recordings and one `reference.seglst.json`, whose sessions are named after them; a recording
without a session has nobody speaking in it.

A manifest has one JSON object a line: `audio` (path below the manifest's folder), `text`, `corpus`, and what is
known of the speaker, if anything: `gender`, `age` in years, `accent`. When `alignments.jsonl.xz` lies beside it, the
times of its words make turns and latencies measurable.
Not covered: manifests without text (skipped), several input channels (mixed).
"""

import json
import lzma
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from meetscribe.errors import InputError
from meetscribe.evaluation.segments import Segment, TimedWord, by_session, read_segments, spread
from meetscribe.timeline import SAMPLE_RATE, to_samples

_FRAME = SAMPLE_RATE // 100  # alignments count frames of 10 ms
REFERENCE = "reference.seglst.json"
GROUPS = ("gender", "age", "accent")
"""What recordings can be told apart by."""
_AGES = ((13, "under 13"), (18, "13 to 17"))
_ADULT = "18 and over"
_AUDIO = (".wav", ".flac", ".opus", ".ogg", ".mp3")


@dataclass(frozen=True)
class Item:
    """One recording and its reference.

    `timed` says whether the reference's times can be trusted, `groups` what is known of the speaker.
    """

    name: str
    audio: Path
    reference: tuple[Segment, ...]
    corpus: str
    timed: bool
    groups: Mapping[str, str] = field(default_factory=dict)


def load_audio(path: Path) -> NDArray[np.float32]:
    """Read a recording as float32 [samples] at 16 kHz, the mean of its channels.

    Raises:
        InputError: it cannot be read.
    """
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path} cannot be read as audio: {error}") from error
    mono = samples.mean(axis=1)
    return np.asarray(mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE), np.float32)


def _aligned_words(row: Iterable[list]) -> tuple[TimedWord, ...]:
    words = []
    for word, start, phones in row:
        frames = sum(int(phone.rpartition(":")[2]) for phone in phones.split())
        words.append(TimedWord(word, start * _FRAME, (start + frames) * _FRAME))
    return tuple(words)


def read_alignments(path: Path) -> dict[str, tuple[TimedWord, ...]]:
    """Read the times of words per audio path; empty where there is no such file."""
    if not path.is_file():
        return {}
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return {row["audio"]: _aligned_words(row["words"]) for row in rows}


def read_manifest(path: Path, corpora: Sequence[str] = ()) -> list[Item]:
    """Read the transcribed utterances of a manifest, all or those of some corpora.

    Raises:
        InputError: the manifest cannot be read, or has nothing of the corpora.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        alignments = read_alignments(path.parent / "alignments.jsonl.xz")
        items = [_item(path.parent, row, alignments.get(row["audio"])) for row in rows if row.get("text")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a manifest that can be read: {error!r}") from error
    chosen = [item for item in items if not corpora or item.corpus in corpora]
    if not chosen:
        known = ", ".join(sorted({item.corpus for item in items}))
        raise InputError(f"{path} has no transcribed utterance of {', '.join(corpora)}; it has {known}")
    return chosen


def _item(folder: Path, row: dict, words: tuple[TimedWord, ...] | None) -> Item:
    name, speaker = row["audio"], str(row.get("speaker", "reference"))
    timed = words is not None and " ".join(word.word for word in words) == row["text"]
    if timed and words:
        segment = Segment(name, speaker, words[0].start, words[-1].end, words, timed=True)
    else:
        end = to_samples(float(row.get("duration", 0)))
        segment = Segment(name, speaker, 0, end, spread(row["text"].split(), 0, end))
    return Item(name, folder / name, (segment,), str(row.get("corpus", "")), timed, _groups(row))


def _groups(row: dict) -> dict[str, str]:
    """Return the groups of a speaker of whom something is known; ages are told apart at 13 and 18."""
    known = {name: str(row[name]) for name in GROUPS if row.get(name) not in (None, "")}
    if "age" in known:
        known["age"] = next((group for below, group in _AGES if float(row["age"]) < below), _ADULT)
    return known


def read_recordings(reference: Path, audio: Path) -> list[Item]:
    """Pair a reference's sessions with recordings.

    `audio` is the recording of the only session, or a folder with one file per session, named after it.

    Raises:
        InputError: a session has no recording.
    """
    sessions = by_session(read_segments(reference))
    if audio.is_file():
        if len(sessions) != 1:
            raise InputError(f"{reference} has {len(sessions)} sessions, but {audio} is one recording")
        return [Item(name, audio, tuple(segs), "", True) for name, segs in sessions.items()]
    items = []
    for name, segments in sessions.items():
        found = [audio / (name + extension) for extension in _AUDIO if (audio / (name + extension)).is_file()]
        if not found:
            raise InputError(f"{audio} has no recording of session {name!r} (as {name}.wav or .flac)")
        items.append(Item(name, found[0], tuple(segments), "", True))
    return items


def read_set(folder: Path) -> list[Item]:
    """Read the recordings of a set, by name; rows without words say that nobody speaks.

    Raises:
        InputError: there is no reference or no recording, or a session has no recording.
    """
    sessions = by_session(segment for segment in read_segments(folder / REFERENCE) if segment.words)
    audio = sorted(path for path in folder.iterdir() if path.suffix in _AUDIO)
    missing = sorted(set(sessions) - {path.stem for path in audio})
    if missing or not audio:
        raise InputError(f"{folder} has no recording {missing[0] if missing else ''}; write the set again")
    return [Item(path.stem, path, tuple(sessions.get(path.stem, ())), "", True) for path in audio]


def sample(items: Sequence[Item], limit: int | None) -> list[Item]:
    """Take `limit` items spread evenly over all of them; all where there is no limit."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[index * len(items) // limit] for index in range(limit)]
