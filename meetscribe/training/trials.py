"""Trials: pairs of cuts of people, some of one person and some of two, the same whenever they are made.

A cut is as long as asked for, of recordings that no other cut of that person has, joined where they are short. Of one
person come all pairs of at most `CUTS` cuts; of two, `DIFFERENT` times as many, both of one corpus, since a
microphone, a language and a bit rate would tell corpora apart without any voice.
Not covered: what they are scored with.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.augmentation import AugmentationConfig, Surroundings, augmented
from meetscribe.training.corpus import Corpus, Utterance

CUTS = 6
DIFFERENT = 10


@dataclass(frozen=True)
class Condition:
    """What is done to the cuts."""

    name: str
    surrounded: AugmentationConfig | None = None
    overlap: float | None = None  # dB by which the person is louder than somebody else
    overlap_share: float = 0.5  # of the cut, in which somebody else talks


CLEAN = Condition("clean")
NOISY = Condition("noisy", AugmentationConfig(room_share=0.5, noise_share=1.0, snr=(5.0, 15.0)))
OVERLAPPED = Condition("overlapped", overlap=5.0)


@dataclass(frozen=True)
class Cut:
    """A stretch of one person's speech; its parts are recordings with first and last sample."""

    speaker: str
    corpus: str
    parts: tuple[tuple[str, int, int], ...]
    audio: np.ndarray


@dataclass(frozen=True)
class Trial:
    """Two cuts by number."""

    one: int
    other: int
    same: bool


def make_trials(
    corpora: Sequence[Corpus],
    seconds: float,
    condition: Condition,
    seed: int,
    surroundings: Surroundings | None = None,
) -> tuple[list[Cut], list[Trial]]:
    """Return cuts of a length and the pairs of them that are tried.

    Args:
        corpora: recordings of people.
        seconds: length of every cut.
        condition: what is done to the cuts.
        seed: of all choices.
        surroundings: rooms and noise, where the condition wants them.
    """
    rng = np.random.default_rng((seed, int(100 * seconds)))
    cuts = [cut for corpus in corpora for cut in _cuts(corpus, int(seconds * SAMPLE_RATE), rng)]
    changed = [_changed(cut, cuts, condition, surroundings, rng) for cut in cuts]
    return changed, _pairs(cuts, rng)


def _cuts(corpus: Corpus, samples: int, rng: np.random.Generator) -> list[Cut]:
    people: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in corpus.utterances:
        people[utterance.speaker].append(utterance)
    found = []
    for name in sorted(people):
        waiting = [people[name][i] for i in rng.permutation(len(people[name]))]
        for _ in range(CUTS):
            parts, missing = [], samples
            while waiting and missing > 0:
                utterance = waiting.pop()
                length = min(missing, utterance.samples)
                first = int(rng.integers(utterance.samples - length + 1))
                parts.append((utterance, first, first + length))
                missing -= length
            if missing > 0:
                break
            audio = np.concatenate([corpus.audio.read(u.offset + a, b - a) for u, a, b in parts])
            names = tuple((u.audio, a, b) for u, a, b in parts)
            found.append(Cut(name, parts[0][0].corpus, names, audio))
    return found


def _pairs(cuts: Sequence[Cut], rng: np.random.Generator) -> list[Trial]:
    mine, corpus = defaultdict(list), defaultdict(list)
    for number, cut in enumerate(cuts):
        mine[cut.speaker].append(number)
        corpus[cut.corpus].append(number)
    trials = []
    for name in sorted(mine):
        for one, other in combinations(mine[name], 2):
            trials.append(Trial(one, other, True))
            strangers = [n for n in corpus[cuts[one].corpus] if cuts[n].speaker != name]
            chosen = rng.choice(strangers, DIFFERENT) if strangers else ()
            trials += [Trial(one, int(stranger), False) for stranger in chosen]
    return trials


def _changed(
    cut: Cut,
    cuts: Sequence[Cut],
    condition: Condition,
    surroundings: Surroundings | None,
    rng: np.random.Generator,
) -> Cut:
    audio = cut.audio
    if condition.overlap is not None:
        others = [other for other in cuts if other.speaker != cut.speaker]
        said = others[int(rng.integers(len(others)))].audio
        length = int(condition.overlap_share * len(audio))
        first = int(rng.integers(len(audio) - length + 1))
        louder = np.sqrt(np.mean(np.square(audio)) / (np.mean(np.square(said)) + 1e-9))
        said = said[:length] * np.float32(louder * 10 ** (-condition.overlap / 20))
        audio = audio.copy()
        audio[first : first + length] += said
    if condition.surrounded is not None and surroundings is not None:
        audio = augmented(audio, surroundings, condition.surrounded, rng)
    return Cut(cut.speaker, cut.corpus, cut.parts, audio)


def write_trials(path: Path, cuts: Sequence[Cut], trials: Sequence[Trial]) -> None:
    """Write the list: one pair a line, with the recordings' names and the samples taken of them."""
    rows = (
        {"one": cuts[t.one].parts, "other": cuts[t.other].parts, "corpus": cuts[t.one].corpus, "same": t.same}
        for t in trials
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
