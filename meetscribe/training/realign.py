"""`scripts/align`: aligns a corpus anew with the project's own recogniser.

Another program's alignment starts the training; a network that has learned from it knows better, above all for
speakers that the other program does not understand. Each recording is encoded with full context, and the best path
through its known phones, with silence allowed between words, is found with the frame-wise classifier (Viterbi).
Boundaries lie on steps of 40 ms. Not covered: other pronunciations than those of the alignment that is replaced.
"""

import json
import lzma
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numba
import numpy as np
import torch
import typer
from rich.progress import track

from meetscribe.lm.symbols import FIRST_PHONE_SYMBOL, phones_of
from meetscribe.nn.recogniser import Recogniser
from meetscribe.training.corpus import ALIGNMENT_FRAME, AlignedWord, Corpus, Utterance, load_corpus
from meetscribe.training.export import averaged_recogniser
from meetscribe.training.targets import SILENCE_CLASS, STEP, frame_class

PRIOR_SCALE = 0.4  # of the classes' priors, which are divided out of the posteriors


@numba.njit(cache=True)
def best_path(scores: np.ndarray, optional: np.ndarray) -> np.ndarray:
    """Return the state of each step on the best path, int64 (T,), or an empty array when none fits.

    Args:
        scores: log score of each state in each step, float32 (T, S).
        optional: states that may be left out, bool (S,); no two of them are neighbours.
    """
    steps, states = scores.shape
    best = np.full(states, -np.inf)
    came = np.zeros((steps, states), np.int64)
    best[0] = scores[0, 0]
    if optional[0] and states > 1:
        best[1] = scores[0, 1]
    for t in range(1, steps):
        fresh = np.full(states, -np.inf)
        for s in range(states):
            value, origin = best[s], s
            if s > 0 and best[s - 1] > value:
                value, origin = best[s - 1], s - 1
            if s > 1 and optional[s - 1] and best[s - 2] > value:
                value, origin = best[s - 2], s - 2
            fresh[s], came[t, s] = value + scores[t, s], origin
        best = fresh
    last = states - 1
    if optional[last] and states > 1 and best[last - 1] > best[last]:
        last -= 1
    if not np.isfinite(best[last]):
        return np.zeros(0, np.int64)
    path = np.zeros(steps, np.int64)
    for t in range(steps - 1, -1, -1):
        path[t] = last
        last = came[t, last]
    return path


def align(words: Sequence[AlignedWord], log_scores: np.ndarray) -> tuple[AlignedWord, ...] | None:
    """Return the words with new times, or None when their phones do not fit into the steps.

    Args:
        words: what is said, in order.
        log_scores: of silence and the phone classes in each step, float32 (T, classes).
    """
    classes, owners = [SILENCE_CLASS], [-1]
    for number, word in enumerate(words):
        classes += [frame_class(symbol) for symbol in word.symbols] + [SILENCE_CLASS]
        owners += [number] * len(word.symbols) + [-1]
    optional = np.array(owners) < 0
    path = best_path(np.ascontiguousarray(log_scores[:, classes]), optional)
    if not len(path):
        return None
    states = np.arange(len(classes))
    first, last = np.searchsorted(path, states, "left"), np.searchsorted(path, states, "right")
    aligned = []
    for number, word in enumerate(words):
        mine = np.flatnonzero(np.array(owners) == number)
        ends = tuple(int(end) * STEP for end in last[mine])
        aligned.append(AlignedWord(word.text, int(first[mine[0]]) * STEP, word.symbols, ends))
    return tuple(aligned)


@torch.inference_mode()
def log_scores(network: Recogniser, audio: np.ndarray, log_prior: np.ndarray) -> np.ndarray:
    """Return the scaled log likelihoods of the frame classes, float32 (T, classes), with full context."""
    steps = len(audio) // STEP
    frames = network.features(torch.from_numpy(audio[: steps * STEP])[None])
    encoded = network.encoder(frames, torch.tensor([steps]), None)
    posteriors = torch.log_softmax(network.frame_classifier(encoded), -1)[0].numpy()
    return posteriors - PRIOR_SCALE * log_prior


def class_prior(utterances: Sequence[Utterance]) -> np.ndarray:
    """Return the natural log of each class's share of the time, float32 (classes,)."""
    counts = np.ones(2 * 39 + 1)
    for utterance in utterances:
        counts[SILENCE_CLASS] += utterance.samples
        for word in utterance.words:
            for symbol, begin, end in zip(
                word.symbols, (word.start, *word.ends[:-1]), word.ends, strict=True
            ):
                counts[symbol - FIRST_PHONE_SYMBOL + 1] += end - begin
                counts[SILENCE_CLASS] -= end - begin
    return np.log(np.maximum(counts, 1.0) / counts.sum()).astype(np.float32)


def row_of(utterance: Utterance, words: Sequence[AlignedWord]) -> dict[str, object]:
    """Return a line of an alignments file."""
    rows = []
    for word in words:
        begins = (word.start, *word.ends[:-1])
        frames = [(end - begin) // ALIGNMENT_FRAME for begin, end in zip(begins, word.ends, strict=True)]
        phones = phones_of(word.symbols)
        text = " ".join(f"{p}:{n}" for p, n in zip(phones, frames, strict=True))
        rows.append([word.text, word.start // ALIGNMENT_FRAME, text])
    return {"audio": utterance.audio, "words": rows}


def main(
    checkpoint: Annotated[Path, typer.Option(help="checkpoint.pt of a training run")],
    corpus: Annotated[Path, typer.Option(help="folder with manifests and alignments")],
    out: Annotated[Path, typer.Option(help="alignments.jsonl.xz to write")],
    cache: Annotated[Path, typer.Option(help="folder for decoded audio")],
) -> None:
    """Align the train and dev splits of a corpus anew."""
    network = averaged_recogniser(checkpoint)
    splits: list[Corpus] = [load_corpus(corpus, split, cache) for split in ("train", "dev")]
    prior = class_prior(splits[0].utterances)
    moved, lost = [0.0], 0
    with lzma.open(out, "wt") as file:
        for part in splits:
            for utterance in track(part.utterances, disable=not sys.stderr.isatty()):
                audio = part.audio.read(utterance.offset, utterance.samples)
                words = align(utterance.words, log_scores(network, audio, prior))
                lost += words is None
                kept = words or utterance.words
                pairs = zip(kept, utterance.words, strict=True)
                moved += [abs(new.end - old.end) / 16 for new, old in pairs]
                file.write(json.dumps(row_of(utterance, kept)) + "\n")
    print(
        f"median move of a word's end {np.median(moved):.0f} ms; {lost} recordings did not fit",
        file=sys.stderr,
    )


if __name__ == "__main__":
    typer.run(main)
