"""`scripts/export-embedder`: puts a trained speaker embedder into a model's directory, with how alike people are.

The cohort by which voices are judged comes from people in training; each of its voices is the mean of three or more of
them, so that nobody's own voice is in a model. How scores become log odds is estimated on people of the development set
whose names have an even hash; figures are stated on the others (`benchmarks/speakers.py`).
"""

import sys
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from meetscribe.embedder_file import SpeakerEmbedder, load_embedder, save_embedder
from meetscribe.errors import InputError, MeetscribeError
from meetscribe.nn.embedder import Embedder, EmbedderConfig
from meetscribe.streaming.likeness import Cohort, Likeness, speech_behind
from meetscribe.streaming.resemblance import Resemblance
from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.augmentation import augmented
from meetscribe.training.corpus import Corpus, load_corpus
from meetscribe.training.crops import SURROUNDED, CropBatches, CropConfig
from meetscribe.training.embed import voices_of
from meetscribe.training.simulation.rooms import load_meeting_rooms
from meetscribe.training.simulation.untranscribed import load_untranscribed
from meetscribe.training.spectra import estimated
from meetscribe.training.trials import CLEAN, NOISY, OVERLAPPED, make_trials

LENGTHS = (0.8, 1.5, 3.0, 5.0)
SEED = 7
STEPS = 400
MEANS = 1000
LEAST_PEOPLE = 3
"""People without whom a mean would be somebody's own voice."""
CUT_SECONDS = 3.0
"""What it hears of each person in training."""
ROUNDS = 12


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


def cohort_of(network: Embedder, corpora: Sequence[Corpus], corpus: Path, cache: Path) -> Cohort:
    """Return means of voices near each other, of what the people in training say, as it is and in noisy rooms."""
    around = load_meeting_rooms(corpus, "train", cache, 60)
    said = CropBatches(corpora, around, CropConfig(), SEED)
    rng = np.random.default_rng(SEED)
    cuts = [said.cut(person, int(CUT_SECONDS * SAMPLE_RATE)) for person in range(len(said.people))]
    people = np.tile(np.arange(len(cuts)), 2)
    cuts += [augmented(cut, around, SURROUNDED, rng) for cut in cuts]
    return Cohort(means_of(voices_of(network, cuts).numpy(), people, MEANS, rng))


def means_of(voices: np.ndarray, people: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return means of unit length, each of the voices that are nearest to it (spherical k-means).

    Args:
        voices: (N, E) of unit length.
        people: whose each is (N,).
        size: number of means, before those of fewer than LEAST_PEOPLE are left out.
        rng: of the beginning.
    """
    means = voices[rng.permutation(len(voices))[:size]]
    nearest = np.zeros(len(voices), int)
    for _ in range(ROUNDS):
        nearest = (voices @ means.T).argmax(1)
        sums = np.zeros_like(means)
        np.add.at(sums, nearest, voices)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        means = np.where(lengths > 0, sums / np.maximum(lengths, 1e-9), means)
    members = [len(set(people[nearest == number])) for number in range(size)]
    return means[np.array(members) >= LEAST_PEOPLE]


def training_people(corpus: Path, cache: Path, speakers: Sequence[Path] = ()) -> list[Corpus]:
    """Return what the people in training say."""
    found = [load_corpus(corpus / "speech", "train", cache)]
    for path in (corpus / "speakers.jsonl", corpus / "speech" / "train.jsonl", *speakers):
        found.append(load_untranscribed(path.parent, path.name, "train", cache))
    return [Corpus(tuple(replace(u, words=()) for u in one.utterances), one.audio) for one in found]


def pairs_of(
    network: Embedder, corpora: Sequence[Corpus], corpus: Path, cache: Path, likeness: Likeness
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores, seconds of speech behind them, and which are of one person, of pairs of all kinds.

    As in a meeting, a cut is compared with another one, and with all others of somebody together.
    """
    around = load_meeting_rooms(corpus, "dev", cache, 20)
    scores, behind, same = [], [], []
    for seconds in LENGTHS:
        for condition in (CLEAN, NOISY, OVERLAPPED):
            cuts, trials = make_trials(corpora, seconds, condition, SEED, around)
            voices = voices_of(network, [cut.audio for cut in cuts]).numpy()
            of: dict[str, list[int]] = defaultdict(list)
            for number, cut in enumerate(cuts):
                of[cut.speaker].append(number)
            for trial in trials:
                others = [n for n in of[cuts[trial.other].speaker] if n != trial.one]
                for chosen in ([trial.other], others):
                    scores.append(float(likeness.scores(voices[trial.one][None], voices[chosen].sum(0))[0]))
                    behind.append(float(speech_behind(seconds, seconds * len(chosen))))
                    same.append(trial.same)
    return np.array(scores), np.array(behind), np.array(same)


def fitted(scores: np.ndarray, behind: np.ndarray, same: np.ndarray) -> Likeness:
    """Return the regression that makes the pairs likeliest, both kinds counting alike (Newton's method)."""
    length = np.log(behind)
    x = np.stack([np.ones_like(scores), scores, length, scores * length], 1)
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
    offset, score, length, score_length = (round(float(value), 4) for value in found)
    return Likeness(offset, score, length, score_length)


def likeness_of(network: Embedder, corpus: Path, cache: Path, speakers: Sequence[Path]) -> Likeness:
    """Return how alike voices of a network are."""
    cohort = cohort_of(network, training_people(corpus, cache, speakers), corpus, cache)
    people = dev_people(corpus, cache, estimates=True)
    return replace(fitted(*pairs_of(network, people, corpus, cache, Likeness(cohort=cohort))), cohort=cohort)


def main(
    checkpoint: Annotated[
        Path, typer.Option(help="checkpoint.pt of a training run, or a model whose embedder is kept")
    ],
    corpus: Annotated[
        Path, typer.Option(help="folder with speech/, speakers.jsonl, rooms.jsonl, noise.jsonl")
    ],
    out: Annotated[Path, typer.Option(help="the model's directory")],
    cache: Annotated[Path, typer.Option(help="folder for decoded audio")],
    speakers: Annotated[
        list[Path], typer.Option(help="further manifests of speech without transcripts for the cohort")
    ] = [],  # noqa: B006  typer copies it
) -> None:
    """Write `embedder.safetensors` into a model's directory."""
    torch.set_num_threads(1)
    try:
        kept = _kept(checkpoint) if checkpoint.is_dir() else None
    except MeetscribeError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
    if kept is not None:
        network, likeness = kept.network, kept.likeness
    else:
        network = averaged_embedder(checkpoint)
        likeness = likeness_of(network, corpus, cache, speakers)
    around = load_meeting_rooms(corpus, "train", cache, 60)
    spectra = estimated([load_corpus(corpus / "speech", "train", cache)], around, SEED)
    out.mkdir(parents=True, exist_ok=True)
    print(save_embedder(network, Resemblance(likeness, spectra), out), likeness.weights)


def _kept(model: Path) -> SpeakerEmbedder:
    """Return the embedder of a model.

    Raises:
        MeetscribeError: it has none, or a damaged one.
    """
    found = load_embedder(model)
    if found is None:
        raise InputError(f"{model}: this model has no embedder; name a checkpoint")
    return found


if __name__ == "__main__":
    typer.run(main)
