"""`scripts/label`: writes what a model hears in recordings that nobody transcribed, as a corpus to train on.

Few voices are transcribed, many are not. A recording whose words the model is sure of joins the training as if
somebody had written them down (self-training, e.g. Kahn et al., arXiv 1909.09116); the others are left out. Each is
encoded whole, searched as in the final pass, and aligned with the frame-wise classifier.
Not covered: transcribed recordings (`scripts/align` gives them new times).
"""

import json
import lzma
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from rich.progress import track

from meetscribe import models
from meetscribe.checkpoint import Model, load_model
from meetscribe.streaming.search import FoundWord
from meetscribe.training.corpus import (
    AlignedWord,
    AudioCache,
    Utterance,
    cached_audio,
    load_corpus,
    read_manifest,
)
from meetscribe.training.realign import align, class_prior, log_scores, row_of
from meetscribe.training.tables import table
from meetscribe.training.targets import STEP

LEAST_WORDS = 2
LONGEST = 36.0  # s; attention over more costs too much


class Labelled(NamedTuple):
    """What was heard in a recording; `confidence` is the mean of its words'."""

    words: tuple[AlignedWord, ...]
    confidence: float


def heard(model: Model, audio: np.ndarray, log_prior: np.ndarray) -> Labelled | None:
    """Return the words of a recording, float32 (N,) at 16 kHz, with their times; None: too few, or none that fit."""
    words = model.final_search.decode(table(model.network.recogniser, audio, None)).words
    if len(words) < LEAST_WORDS:
        return None
    said = [AlignedWord(word.text, 0, _said(model, word), ()) for word in words]
    aligned = align(said, log_scores(model.network.recogniser, audio, log_prior))
    if aligned is None:
        return None
    return Labelled(aligned, float(np.mean([word.confidence for word in words])))


def _said(model: Model, word: FoundWord) -> tuple[int, ...]:
    """Return the first pronunciation of a word that ends as it was heard to end."""
    ways = model.language.lexicon.pronunciations[word.word]
    return next((way for way in ways if way[-1] == word.label), ways[0])


def write_corpus(out: Path, rows: Sequence[dict], found: Sequence[tuple[Utterance, Labelled]]) -> None:
    """Write manifest and alignments; `rows` are the manifest's lines of the recordings found."""
    out.mkdir(parents=True, exist_ok=True)
    with (
        (out / "train.jsonl").open("w") as manifest,
        lzma.open(out / "alignments.jsonl.xz", "wt") as alignments,
    ):
        for row, (utterance, labelled) in zip(rows, found, strict=True):
            text = " ".join(word.text for word in labelled.words)
            line = row | {"audio": utterance.audio, "text": text, "confidence": round(labelled.confidence, 3)}
            manifest.write(json.dumps(line) + "\n")
            alignments.write(json.dumps(row_of(utterance, labelled.words)) + "\n")


def main(
    corpus: Annotated[Path, typer.Option(help="folder with manifests and alignments of transcribed speech")],
    out: Annotated[Path, typer.Option(help="folder of the corpus to write")],
    cache: Annotated[Path, typer.Option(help="folder for decoded audio")],
    model: Annotated[str | None, typer.Option(help="a name or a directory; default: the shipped one")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="only this corpus of the manifest (repeatable)")
    ] = None,
    least: Annotated[float, typer.Option(help="mean confidence of a recording that is kept")] = 0.8,
) -> None:
    """Label the untranscribed recordings of a corpus' training split; without any an empty corpus is written."""
    torch.set_num_threads(1)
    loaded = load_model(models.find(model).path)
    rows = [row for row in read_manifest(corpus / "train.jsonl") if _is_wanted(row, only)]
    prior = class_prior(load_corpus(corpus, "train", cache).utterances)
    audio = cached_audio(corpus, (row["audio"] for row in rows), cache)
    kept, found = [], []
    for row in track(rows, disable=not sys.stderr.isatty()):
        utterance = _unlabelled(row, corpus, audio)
        labelled = heard(loaded, audio.read(utterance.offset, utterance.samples // STEP * STEP), prior)
        if labelled is not None and labelled.confidence >= least:
            kept.append(row)
            found.append((utterance, labelled))
    write_corpus(out, kept, found)
    hours = sum(row["duration"] for row in kept) / 3600.0
    print(f"{len(kept)} of {len(rows)} recordings kept, {hours:.2f} h", file=sys.stderr)


def _is_wanted(row: dict, only: Sequence[str] | None) -> bool:
    return not row.get("text") and row["duration"] <= LONGEST and (not only or row["corpus"] in only)


def _unlabelled(row: dict, corpus: Path, audio: AudioCache) -> Utterance:
    """Return a recording, named so that it is found from another folder."""
    path = str((corpus / row["audio"]).resolve())
    return Utterance(path, row["corpus"], row["speaker"], "", *audio.places[row["audio"]], ())


if __name__ == "__main__":
    typer.run(main)
