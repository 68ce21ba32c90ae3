"""Estimates what tells two voices apart (`nn/voice.py`) from utterances of many people.

What a phone lets expect of a spectrum is a linear regression on the recogniser's frame-wise classes. What is left is
averaged over a second; how these means differ within an utterance and between utterances of different people gives, as
in linear discriminant analysis, the directions in which people differ most.
Not covered: how differences are weighed (`streaming/rules.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from meetscribe.nn.recogniser import SILENCE, Recogniser
from meetscribe.nn.voice import Voice, VoiceConfig, filled
from meetscribe.streaming.rules import SECOND
from meetscribe.streaming.steps import STEP_FRAMES
from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.corpus import Corpus, Utterance

SHORTEST, LONGEST = 4 * SAMPLE_RATE, 10 * SAMPLE_RATE
"""Samples of an utterance, and of it that are heard."""

SPOKEN = 0.4
"""Of a second has to be speech."""

PEOPLE, EACH = 160, 3
"""So many people at most are heard, and so many utterances of each."""


@dataclass(frozen=True)
class Utterances:
    """What is heard of utterances: spectra (T, F), probabilities of classes (T, K), and whose they are."""

    speakers: list[str]
    spectra: list[NDArray[np.float64]]
    classes: list[NDArray[np.float64]]


def chosen(corpus: Corpus, rng: np.random.Generator) -> list[Utterance]:
    """Return some utterances of many people, none too short."""
    people: dict[str, list[Utterance]] = {}
    for utterance in corpus.utterances:
        if utterance.samples >= SHORTEST:
            people.setdefault(utterance.speaker, []).append(utterance)
    names = sorted(people)
    order = rng.permutation(len(names))[:PEOPLE]
    return [
        people[names[place]][number]
        for place in order
        for number in rng.permutation(len(people[names[place]]))[:EACH]
    ]


@torch.inference_mode()
def hear(recogniser: Recogniser, corpus: Corpus, utterances: Sequence[Utterance]) -> Utterances:
    """Return what the recogniser hears of utterances, in chunks as when streaming."""
    heard = Utterances([], [], [])
    for utterance in utterances:
        steps = min(utterance.samples, LONGEST) // recogniser.stride
        audio = corpus.audio.read(utterance.offset, steps * recogniser.stride)
        features = recogniser.features(torch.from_numpy(audio)[None])
        encoded = recogniser.encoder(features, torch.tensor([steps]), recogniser.config.encoder.chunk)
        heard.speakers.append(utterance.speaker)
        heard.spectra.append(features[0].unflatten(0, (steps, STEP_FRAMES)).mean(1).double().numpy())
        heard.classes.append(recogniser.classes(encoded)[0].double().numpy())
    return heard


def estimated(heard: Utterances, config: VoiceConfig) -> tuple[Voice, tuple[float, ...]]:
    """Return the voice, and by how much more each of its numbers varies between people than within a second of one."""
    spectra, classes = np.concatenate(heard.spectra), np.concatenate(heard.classes)
    shape = classes.T @ classes + np.eye(classes.shape[1])
    expected = np.linalg.solve(shape, classes.T @ spectra)  # of each class, (K, F)
    left = [one - posterior @ expected for one, posterior in zip(heard.spectra, heard.classes, strict=True)]
    speech = [1.0 - posterior[:, SILENCE] for posterior in heard.classes]
    differences, means = [], []
    for rows, weights in zip(left, speech, strict=True):
        means.append(weights @ rows / max(weights.sum(), 1.0))
        seconds = list(_seconds(rows, weights))
        differences += [(second - first) / np.sqrt(2) for first, second in pairwise(seconds)]
    within = _covariance(np.array(differences))
    between = _covariance(np.array(means) - np.mean(means, 0))
    values, vectors = np.linalg.eigh(_whitened(between, within))
    order = np.argsort(values)[::-1][: config.dimensions]
    turn = (np.linalg.inv(np.linalg.cholesky(within)).T @ vectors[:, order]).T  # (D, F)
    offset = -turn @ np.mean(means, 0)
    weights = (torch.from_numpy(value).float() for value in (turn, offset, (expected @ turn.T).T))
    return filled(Voice(config), *weights), tuple(round(float(value), 3) for value in values[order])


def _seconds(rows: NDArray[np.float64], weights: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield the means of seconds that are mostly speech."""
    for begin in range(0, len(rows) - SECOND + 1, SECOND):
        part = weights[begin : begin + SECOND]
        if part.sum() >= SPOKEN * SECOND:
            yield part @ rows[begin : begin + SECOND] / part.sum()


def _covariance(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean square of rows, shrunk a little so that it can be inverted."""
    found = rows.T @ rows / max(1, len(rows))
    return found + 0.02 * np.trace(found) / len(found) * np.eye(len(found))


def _whitened(between: NDArray[np.float64], within: NDArray[np.float64]) -> NDArray[np.float64]:
    back = np.linalg.inv(np.linalg.cholesky(within))
    return back @ between @ back.T
