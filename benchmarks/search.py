"""Measures the search on tables of symbol probabilities: error rate and time, settings side by side.

    python benchmarks/search.py --language DIR --tables DIR beam=10,12,14 most_hypotheses=300,600

Every combination of the values given is tried. Tables are npz files with `scores` [frame, previous symbol,
next symbol] and `text`, as the recogniser's training writes them; without any, noisy ones are made from
sentences.
Time is processor time on one core. Not covered: the network that makes the tables.
"""

import argparse
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from meetscribe.evaluation.error_rate import ErrorRate, word_error_rate
from meetscribe.lm.lexicon import Lexicon, load_lexicon
from meetscribe.lm.ngram import load_ngram
from meetscribe.lm.symbols import BLANK, NUMBER_OF_SYMBOLS
from meetscribe.streaming.search import FRAME_SAMPLES, Search, SearchSettings

SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class Table:
    """What the network said of an utterance, and what was said in it."""

    scores: np.ndarray
    text: str


def stored_tables(folder: Path, pattern: str, key: str, most: int) -> Iterator[Table]:
    """Yields the tables of a folder whose names fit a pattern, evenly chosen if there are more than `most`."""
    paths = sorted(folder.rglob(pattern))
    for path in paths[:: max(1, len(paths) // most)][:most]:
        with np.load(path) as arrays:
            yield Table(arrays[key], str(arrays["text"]))


def made_tables(
    lexicon: Lexicon, sentences: list[str], noise: float, rng: np.random.Generator
) -> Iterator[Table]:
    """Yields noisy tables for sentences, of which the words that the lexicon lacks are left out.

    A symbol comes every one to four frames; of similar symbols (fixed by chance) one may be likelier than it.
    """
    similar = rng.normal(size=(NUMBER_OF_SYMBOLS, 6))
    likeness = similar @ similar.T / 3
    for sentence in sentences:
        words = [word for word in sentence.split() if word in lexicon.numbers]
        symbols = [symbol for word in words for symbol in lexicon.pronunciations[lexicon.numbers[word]][0]]
        frames = np.cumsum(rng.integers(1, 5, len(symbols)))
        target = np.zeros(frames[-1] + 10 if len(frames) else 10, np.int64)
        target[frames] = symbols
        logits = rng.normal(size=(len(target), NUMBER_OF_SYMBOLS)) * 1.5
        spread = np.where((target != BLANK)[:, None], likeness[target], -2.0)
        logits += spread
        logits[np.arange(len(target)), target] += 8.0 + noise * rng.normal(size=len(target))
        logits[:, 1:3] -= 20.0
        table = logits[:, None, :] + 0.5 * rng.normal(size=(1, NUMBER_OF_SYMBOLS, NUMBER_OF_SYMBOLS))
        table -= np.logaddexp.reduce(table, axis=2, keepdims=True)
        yield Table(table.astype(np.float16), " ".join(words))


def measure(search: Search, tables: list[Table]) -> tuple[ErrorRate, float]:
    """Returns the error rate and the seconds per second of audio."""
    total, seconds, frames = ErrorRate(0, 0), 0.0, 0
    for table in tables:
        begin = time.process_time()
        result = search.decode(table.scores)
        seconds += time.process_time() - begin
        frames += len(table.scores)
        total += word_error_rate(table.text.split(), [word.text for word in result.words])
    return total, seconds / (frames * FRAME_SAMPLES / SAMPLE_RATE)


def combinations(changes: list[str]) -> Iterator[dict[str, float]]:
    """Yields every combination of the values in texts like `beam=10,12`."""
    pairs = [change.split("=", 1) for change in changes]
    values = [[float(value) for value in text.split(",")] for _, text in pairs]
    for chosen in itertools.product(*values):
        yield dict(zip([name for name, _ in pairs], chosen, strict=True))


def changed(settings: SearchSettings, values: dict[str, float]) -> SearchSettings:
    """Returns settings with some values changed, each in the type that it has."""
    return replace(settings, **{name: type(getattr(settings, name))(value) for name, value in values.items()})


def main() -> None:
    """Prints a line of error rate and time for each combination of settings."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--language", type=Path, required=True, help="folder of lexicon and n-gram models")
    parser.add_argument("--tables", type=Path, help="folder of npz files")
    parser.add_argument("--pattern", default="*.npz", help="names of the files to use")
    parser.add_argument("--key", default="scores", help="array of the files to use")
    parser.add_argument("--prior", type=Path, help="npy file of the symbols' log priors")
    parser.add_argument("--sentences", type=Path, help="text for made tables, a sentence a line")
    parser.add_argument("--noise", type=float, default=2.5, help="of made tables")
    parser.add_argument("--most", type=int, default=40, help="tables to use")
    parser.add_argument("--books-only", action="store_true", help="do without the conversation model")
    parser.add_argument("settings", nargs="*", help="name=value,value,…")
    arguments = parser.parse_intermixed_args()
    lexicon = load_lexicon(arguments.language / "lexicon.txt.xz")
    books = load_ngram(arguments.language / "books.ngram.safetensors")
    other = (
        books if arguments.books_only else load_ngram(arguments.language / "conversation.ngram.safetensors")
    )
    prior = np.load(arguments.prior) if arguments.prior else None
    if arguments.tables:
        tables = list(stored_tables(arguments.tables, arguments.pattern, arguments.key, arguments.most))
    else:
        sentences = arguments.sentences.read_text().splitlines()[: arguments.most]
        tables = list(made_tables(lexicon, sentences, arguments.noise, np.random.default_rng(1)))
    base = Search.build(lexicon, books, other, SearchSettings(), prior)
    base.decode(tables[0].scores)
    for values in combinations(arguments.settings):
        rate, cost = measure(base.with_settings(changed(base.settings, values), prior), tables)
        shown = " ".join(f"{name}={value:g}" for name, value in values.items())
        print(
            f"{100 * rate.errors / rate.length:6.2f} % of {rate.length} words, {cost:.4f} s/s  {shown}",
            flush=True,
        )


if __name__ == "__main__":
    main()
