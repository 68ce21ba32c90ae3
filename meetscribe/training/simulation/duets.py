"""Two people who talk at once from the first sample to the last: what a separator begins with.

Nothing says who came first, so the slots mean nothing here; all of the time teaches telling voices apart, which takes
many times longer to learn from meetings, where people overlap in a tenth of the time.
Not covered: turns, rooms, noise.
"""

from collections.abc import Sequence

import numpy as np
from torch.utils.data import Dataset

from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.augmentation import resampled
from meetscribe.training.corpus import Corpus
from meetscribe.training.simulation.render import Mixture, SimulatedTurn
from meetscribe.training.simulation.voices import Voice, collect_voices

SPEED = 0.1  # tempo between 1 - SPEED and 1 + SPEED
GAIN = 2.5  # dB; one is up to twice that louder than the other
LEVEL = (-34.0, -16.0)  # dBFS of each
HISS = (-95.0, -65.0)  # dBFS
ENOUGH = SAMPLE_RATE  # of speech of a person


class SimulatedDuets(Dataset[Mixture]):
    """Mixtures of `samples` samples each, a function of the seed and the number."""

    def __init__(
        self, corpora: Sequence[Corpus], samples: int, seed: int, shares: Sequence[float] = ()
    ) -> None:
        """Take the people of corpora, transcribed or not; `shares` says how often those of each are chosen."""
        self.corpora, self.samples, self.seed = corpora, samples, seed
        self.voices = collect_voices(corpora, shares)

    def __getitem__(self, number: int) -> Mixture:
        """Return mixture `number`, 0, 1, …, without end."""
        rng = np.random.default_rng((self.seed, 4, number))
        people = self.voices.choose(2, rng, ENOUGH)
        level, difference = rng.uniform(*LEVEL), rng.uniform(-GAIN, GAIN)
        gains = 10.0 ** ((level + difference * np.array([1.0, -1.0])) / 20)
        sources = np.stack(
            [self._talk(person, rng) * np.float32(gain) for person, gain in zip(people, gains, strict=True)]
        )
        hiss = rng.standard_normal(self.samples, np.float32) * np.float32(10 ** (rng.uniform(*HISS) / 20))
        turns = tuple(SimulatedTurn(p.speaker, n, 0, self.samples, ()) for n, p in enumerate(people))
        return Mixture(np.clip(sources.sum(0) + hiss, -1.0, 1.0), sources, turns)

    def _talk(self, person: Voice, rng: np.random.Generator) -> np.ndarray:
        """Return speech of a person, one run of words after another, with an RMS of one."""
        wanted, parts, length = int(self.samples * (1.0 + SPEED)) + SAMPLE_RATE // 100, [], 0
        while length < wanted:
            run = person.runs[int(np.searchsorted(person.edges, rng.integers(person.samples), side="right"))]
            corpus = self.corpora[run.source[0]]
            first, last = int(run.starts[0]), int(run.ends[-1])
            begin = first + int(rng.integers(max(1, last - first - wanted)))
            sound = corpus.audio.read(
                corpus.utterances[run.source[1]].offset + begin, min(last - begin, wanted - length)
            )
            parts.append(sound / (np.sqrt(np.mean(np.square(sound))) + 1e-4))
            length += len(sound)
        sound = resampled(np.concatenate(parts), rng.uniform(1.0 - SPEED, 1.0 + SPEED))
        return sound[: self.samples]
