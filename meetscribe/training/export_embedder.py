"""`scripts/export-embedder`: puts a trained speaker embedder into a model's directory, with its likeness.

How cosines become log odds is estimated on people of the development set whose names have an even hash; figures are
stated on the others (`benchmarks/speakers.py`).
"""

import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from meetscribe.embedder_file import save_embedder
from meetscribe.nn.embedder import Embedder, EmbedderConfig
from meetscribe.streaming.likeness import Likeness, speech_behind
from meetscribe.training.corpus import Corpus, load_corpus
from meetscribe.training.embed import voices_of
from meetscribe.training.simulation.rooms import load_meeting_rooms
from meetscribe.training.simulation.untranscribed import load_untranscribed
from meetscribe.training.trials import CLEAN, NOISY, OVERLAPPED, make_trials

LENGTHS = (0.8, 1.5, 3.0, 5.0)
SEED = 7
STEPS = 400


def averaged_embedder(checkpoint: Path) -> Embedder:
    """Return the embedder of a training checkpoint with its averaged weights."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = Embedder(EmbedderConfig(**state["sizes"]))
    prefix = "embedder."
    weights = {
        name.removeprefix(prefix): value
        for name, value in state["average"].items()
        if name.startswith(prefix)
    }
    network.load_state_dict(weights)
    return network.eval()


def is_for_estimates(speaker: str) -> bool:
    """Say whether somebody of the development set is one of those that estimates are made on."""
    return zlib.crc32(speaker.encode()) % 2 == 0


def dev_people(corpus: Path, cache: Path, estimates: bool) -> list[Corpus]:
    """Return what half of the people of the development sets say."""
    found = [load_corpus(corpus / "speech", "dev", cache)]
    found.append(load_untranscribed(corpus, "speakers.jsonl", "dev", cache))
    return [
        Corpus(
            tuple(replace(u, words=()) for u in one.utterances if is_for_estimates(u.speaker) == estimates),
            one.audio,
        )
        for one in found
    ]


def pairs_of(
    network: Embedder, corpora: Sequence[Corpus], corpus: Path, cache: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cosines, seconds of speech behind them, and which are of one person, of pairs of all kinds.

    As in a meeting, a cut is compared with another one, and with all others of somebody together.
    """
    around = load_meeting_rooms(corpus, "dev", cache, 20)
    cosines, behind, same = [], [], []
    for seconds in LENGTHS:
        for condition in (CLEAN, NOISY, OVERLAPPED):
            cuts, trials = make_trials(corpora, seconds, condition, SEED, around)
            voices = voices_of(network, cuts)
            of: dict[str, list[int]] = defaultdict(list)
            for number, cut in enumerate(cuts):
                of[cut.speaker].append(number)
            for trial in trials:
                others = [n for n in of[cuts[trial.other].speaker] if n != trial.one]
                for chosen in ([trial.other], others):
                    total = voices[chosen].sum(0)
                    cosines.append(float(voices[trial.one] @ total / total.norm()))
                    behind.append(float(speech_behind(seconds, seconds * len(chosen))))
                    same.append(trial.same)
    return np.array(cosines), np.array(behind), np.array(same)


def fitted(cosines: np.ndarray, behind: np.ndarray, same: np.ndarray) -> Likeness:
    """Return the regression that makes the pairs likeliest, both kinds counting alike (Newton's method)."""
    length = np.log(behind)
    x = np.stack([np.ones_like(cosines), cosines, length, cosines * length], 1)
    weight = np.where(same, 0.5 / max(1, same.sum()), 0.5 / max(1, (~same).sum()))
    found = np.zeros(4)
    for _ in range(STEPS):
        likely = 1.0 / (1.0 + np.exp(-np.clip(x @ found, -30, 30)))
        slope = x.T @ (weight * (same - likely)) - 1e-5 * found
        curve = (x * (weight * likely * (1 - likely))[:, None]).T @ x + 1e-5 * np.eye(4)
        step = np.linalg.solve(curve, slope)
        found = found + step
        if np.abs(step).max() < 1e-8:
            break
    return Likeness(*(round(float(value), 4) for value in (found[0], found[1], found[2], found[3])))


def main(
    checkpoint: Annotated[Path, typer.Option(help="checkpoint.pt of a training run")],
    corpus: Annotated[
        Path, typer.Option(help="folder with speech/, speakers.jsonl, rooms.jsonl, noise.jsonl")
    ],
    out: Annotated[Path, typer.Option(help="the model's directory")],
    cache: Annotated[Path, typer.Option(help="folder for decoded audio")],
) -> None:
    """Write `embedder.safetensors` into a model's directory."""
    torch.set_num_threads(1)
    network = averaged_embedder(checkpoint)
    likeness = fitted(*pairs_of(network, dev_people(corpus, cache, estimates=True), corpus, cache))
    out.mkdir(parents=True, exist_ok=True)
    print(save_embedder(network, likeness, out), likeness)


if __name__ == "__main__":
    typer.run(main)
