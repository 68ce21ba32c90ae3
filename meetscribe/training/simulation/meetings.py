"""Mixtures by number, without end: a function of the seed and the number."""

from collections.abc import Sequence

import numpy as np
from torch.utils.data import Dataset

from meetscribe.training.augmentation import Surroundings
from meetscribe.training.corpus import Corpus
from meetscribe.training.simulation.config import SimulationConfig
from meetscribe.training.simulation.plan import plan_meeting
from meetscribe.training.simulation.render import Mixture, render
from meetscribe.training.simulation.rooms import families
from meetscribe.training.simulation.voices import collect_voices


class SimulatedMeetings(Dataset[Mixture]):
    """Mixtures of `config.samples` samples each."""

    def __init__(
        self,
        corpora: Sequence[Corpus],
        surroundings: Surroundings,
        config: SimulationConfig,
        seed: int,
        shares: Sequence[float] = (),
    ) -> None:
        """Take the people of corpora, transcribed or not; `shares` says how often those of each are chosen."""
        self.corpora, self.surroundings, self.config, self.seed = corpora, surroundings, config, seed
        self.voices = collect_voices(corpora, shares)
        self.rooms = families(surroundings)

    def __getitem__(self, number: int) -> Mixture:
        """Return mixture `number`, 0, 1, …, without end."""
        rng = np.random.default_rng((self.seed, 2, number))
        plan = plan_meeting(self.voices, self.config, rng, self.rooms)
        return render(plan, self.corpora, self.surroundings, rng)
