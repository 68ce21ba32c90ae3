"""Looks for the settings of the search with the fewest word errors on tables of a development set.

    python benchmarks/tune_search.py --language DIR --prior prior.npy --tables DIR --key full

One setting after another is moved up or down while that helps; then the steps are halved. The last line is the best
settings as JSON. Not covered: beams, which trade time for accuracy (`search.py` shows both).
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from search import Table, measure, stored_tables

from meetscribe.lm.lexicon import load_lexicon
from meetscribe.lm.ngram import load_ngram
from meetscribe.streaming.search import Search, SearchSettings

STEPS = {"lm_weight": 0.2, "word_score": 1.0, "blank_penalty": 0.6, "prior_scale": 0.2}
"""By how much each setting is moved at first."""


class Tuner:
    """Settings that have been tried on a set of tables, and the best of them."""

    def __init__(self, search: Search, prior: np.ndarray | None, tables: list[Table]) -> None:
        self._search, self._prior, self._tables = search, prior, tables
        self._rates: dict[SearchSettings, float] = {}
        self.best = search.settings

    def rate(self, settings: SearchSettings) -> float:
        """Returns the word error rate with these settings, and remembers them if they are the best."""
        if settings not in self._rates:
            errors, seconds = measure(self._search.with_settings(settings, self._prior), self._tables)
            self._rates[settings] = errors.errors / max(1, errors.length)
            values = " ".join(f"{name}={getattr(settings, name):g}" for name in STEPS)
            print(f"{100 * self._rates[settings]:6.2f} % {seconds:.4f} s/s  {values}", flush=True)
        if self._rates[settings] < self._rates.get(self.best, np.inf):
            self.best = settings
        return self._rates[settings]

    def move(self, name: str, step: float) -> bool:
        """Moves a setting of the best up or down as long as that helps; tells whether it did."""
        before = self.best
        for direction in (step, -step):
            while True:
                current = self.best
                self.rate(replace(current, **{name: round(getattr(current, name) + direction, 4)}))
                if self.best == current:
                    break
            if self.best != before:
                return True
        return False


def main() -> None:
    """Prints every try, then the best settings."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--language", type=Path, required=True, help="folder of lexicon and n-gram models")
    parser.add_argument("--tables", type=Path, required=True, help="folder of npz files")
    parser.add_argument("--pattern", default="*.npz", help="names of the files to use")
    parser.add_argument("--key", default="scores", help="array of the files to use")
    parser.add_argument("--prior", type=Path, help="npy file of the symbols' log priors")
    parser.add_argument("--most", type=int, default=40, help="tables to use")
    parser.add_argument("--rounds", type=int, default=2, help="how often the steps are halved")
    parser.add_argument("--start", default="{}", help="settings to begin with, as JSON")
    arguments = parser.parse_args()
    models = [
        load_ngram(arguments.language / f"{name}.ngram.safetensors") for name in ("books", "conversation")
    ]
    prior = np.load(arguments.prior) if arguments.prior else None
    settings = SearchSettings(**json.loads(arguments.start))
    search = Search.build(load_lexicon(arguments.language / "lexicon.txt.xz"), *models, settings, prior)
    tables = list(stored_tables(arguments.tables, arguments.pattern, arguments.key, arguments.most))
    tuner = Tuner(search, prior, tables)
    tuner.rate(settings)
    names = [name for name in STEPS if prior is not None or name != "prior_scale"]
    for halved in range(arguments.rounds):
        helped = True
        while helped:
            moved = [tuner.move(name, STEPS[name] / 2**halved) for name in names]
            helped = any(moved)
    print(json.dumps({name: getattr(tuner.best, name) for name in STEPS}))


if __name__ == "__main__":
    main()
