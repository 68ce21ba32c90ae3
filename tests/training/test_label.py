import json
import lzma
from pathlib import Path

import numpy as np
import soundfile

from meetscribe.testing import write_tiny_model
from meetscribe.training import label
from meetscribe.training.corpus import AlignedWord, Utterance, load_corpus
from meetscribe.training.label import Labelled, write_corpus


def corpus_of(folder: Path, rows: list[dict]) -> Path:
    """Write a corpus of noise with these lines in its manifest."""
    rng = np.random.default_rng(3)
    for row in rows:
        audio = rng.normal(scale=0.05, size=int(16_000 * row["duration"]))
        soundfile.write(folder / row["audio"], audio, 16_000)
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = {"audio": "said.wav", "words": [["two", 10, "T:6 UW:10"]]}
    (folder / "alignments.jsonl.xz").write_bytes(lzma.compress(json.dumps(words).encode()))
    return folder


def row(audio: str, text: str | None) -> dict:
    """Return a line of a manifest."""
    return {"audio": audio, "text": text, "speaker": audio, "corpus": "c", "duration": 1.0, "licence": "CC0"}


def test_what_is_written_is_a_corpus(tmp_path: Path) -> None:
    """Labelled recordings are loaded like transcribed ones, from wherever their audio lies."""
    speech = corpus_of(tmp_path, [row("said.wav", "two"), row("heard.wav", None)])
    audio = str(speech / "heard.wav")
    word = AlignedWord("two", 1600, (41, 70), (3200, 6400))
    found = (Utterance(audio, "c", "heard.wav", "", 0, 16_000, ()), Labelled((word,), 0.9))
    write_corpus(tmp_path / "out", [row("heard.wav", None)], [found])
    (utterance,) = load_corpus(tmp_path / "out", "train", tmp_path / "cache").utterances
    assert (utterance.text, utterance.speaker, utterance.samples) == ("two", "heard.wav", 16_000)
    assert [(w.text, w.start, w.end) for w in utterance.words] == [("two", 1600, 6400)]
    assert json.loads((tmp_path / "out" / "train.jsonl").read_text())["confidence"] == 0.9


def test_an_empty_corpus_can_be_trained_beside_others(tmp_path: Path) -> None:
    """Where a model is sure of nothing, nothing is learned from it, and nothing fails."""
    write_corpus(tmp_path, [], [])
    assert load_corpus(tmp_path, "train", tmp_path / "cache").utterances == ()


def test_only_recordings_without_text_are_labelled(tmp_path: Path) -> None:
    """A model that knows nothing is sure of nothing, and what was transcribed is left alone."""
    speech = corpus_of(tmp_path, [row("said.wav", "two"), row("heard.wav", None)])
    write_tiny_model(tmp_path / "tiny", slots=1)
    arguments = {"corpus": speech, "cache": tmp_path / "cache", "model": str(tmp_path / "tiny")}
    label.main(out=tmp_path / "out", least=1.01, **arguments)
    assert (tmp_path / "out" / "train.jsonl").read_text() == ""
    label.main(out=tmp_path / "none", only=["another"], **arguments)
    assert load_corpus(tmp_path / "none", "train", tmp_path / "cache").utterances == ()
