"""Makes the lexicon, the spelling model and both language models from a folder of text.

The folder holds `words.txt`, `books.txt.xz`, `conversation.txt.xz` and `sources.md`, whose table names the lines of
each source. Everything is deterministic.

Not covered: collecting and normalising the text.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from meetscribe.lm.g2p import load_g2p, save_g2p
from meetscribe.lm.lexicon import save_lexicon
from meetscribe.lm.ngram import NGramTables, save_tables
from meetscribe.training.language.counts import count_ngrams
from meetscribe.training.language.g2p import measure, split_dictionary, train_g2p
from meetscribe.training.language.kneser_ney import estimate, full_discounts, keep_known
from meetscribe.training.language.lexicon import Vocabulary, choose_words, make_lexicon, read_dictionary
from meetscribe.training.language.lexicon import read_word_counts as read_counts
from meetscribe.training.language.pruning import select
from meetscribe.training.language.quantise import to_tables
from meetscribe.training.language.text import (
    Block,
    TokenText,
    held_out_split,
    join_sentences,
    line_weights,
    read_lines,
    tokenise,
)

ORDER = 4
BYTES = (0.0, 2.7, 2.7, 2.1)
"""Bytes of an n-gram of each order in a deflated file."""

WEIGHTS: Mapping[str, float] = {
    "ami": 3.0,
    "icsi": 3.0,
    "rev16": 2.0,
    "primock57": 2.0,
    "qmsum_welsh": 2.0,
    "self_dialogue": 1.5,
    "ethereum_pm": 0.7,
    "metamuse": 0.7,
    "changelog": 0.5,
    "bitcointranscripts": 0.5,
    "state_union": 0.5,
}
"""How often the words of a source of conversation count: meetings more, talk about technology less; else once."""

JOINED_BOOKS = 0.3
"""Part of the sentences of books that run on without an end between them, as they do when read aloud."""

_ROW = re.compile(r"^\|\s*(\S+)\s*\|\s*(\d+)-(\d+)\s*\|")


@dataclass(frozen=True)
class Settings:
    """What is built from what.

    Attributes:
        text: folder of the text.
        dictionary: pronouncing dictionary.
        output: folder of the results.
        budget: bytes of each language model, about.
        hold_out: whether every 200th line is kept out, for comparing models.
    """

    text: Path
    dictionary: Path
    output: Path
    budget: float = 9.3e6
    hold_out: bool = False


def read_blocks(sources: Path, weights: Mapping[str, float]) -> list[Block]:
    """Returns the lines of each source from rows `| source | first-last | …` of a table, with their weights."""
    found = (_ROW.match(line) for line in read_lines(sources))
    return [Block(row[1], int(row[2]), int(row[3]), weights.get(row[1], 1.0)) for row in found if row]


def build_g2p(settings: Settings, report: Callable[[str], None]) -> None:
    """Trains the spelling model; with `hold_out` on 95 % of the dictionary, and measures it on the rest."""
    dictionary = read_dictionary(settings.dictionary)
    held = {}
    if settings.hold_out:
        dictionary, held = split_dictionary(dictionary, 0.05, np.random.default_rng(1))
    letters, phones, tables = train_g2p(dictionary)
    path = settings.output / "g2p.safetensors"
    save_g2p(letters, phones, tables, path)
    report(f"{path}: {len(letters)} pairs, {tables.level_sizes.sum()} n-grams")
    if held:
        errors = measure(load_g2p(path), held)
        rates = (errors.word_error_rate, errors.phone_error_rate)
        report(f"held out: {errors.words} words, {rates[0]:.1%} read wrongly, {rates[1]:.1%} of phones")


def vocabulary(settings: Settings) -> Vocabulary:
    """Chooses the words."""
    counts: Counter[str] = Counter()
    for name in ("books", "conversation"):
        for line in read_lines(settings.text / f"{name}.txt.xz"):
            counts.update(line.split())
    return choose_words(
        read_counts(settings.text / "words.txt"), counts, read_dictionary(settings.dictionary)
    )


def build_lexicon(settings: Settings, words: Vocabulary, report: Callable[[str], None]) -> None:
    """Makes the lexicon with the spelling model in the output folder."""
    g2p = load_g2p(settings.output / "g2p.safetensors")
    lexicon = make_lexicon(words, read_dictionary(settings.dictionary), g2p)
    path = settings.output / "lexicon.txt.xz"
    save_lexicon(lexicon, path)
    report(f"{path}: {len(lexicon)} words, {sum(map(len, lexicon.pronunciations))} pronunciations")


def build_ngram(name: str, settings: Settings, words: Vocabulary, report: Callable[[str], None]) -> None:
    """Estimates the language model `name`: books or conversation."""
    lines: Sequence[str | None] = read_lines(settings.text / f"{name}.txt.xz")
    blocks = read_blocks(settings.text / "sources.md", WEIGHTS) if name == "conversation" else []
    weights = line_weights(len(lines), blocks)
    if settings.hold_out:
        lines, _ = held_out_split([line or "" for line in lines])
    text = tokenise(lines, words.numbers, weights)
    if name == "books":
        text = join_sentences(text, JOINED_BOOKS, np.random.default_rng(1))
    tables = fit(text, ORDER, BYTES, settings.budget)
    path = settings.output / f"{name}.ngram.safetensors"
    save_tables(tables, path)
    report(f"{path}: n-grams {tables.level_sizes.tolist()}, {path.stat().st_size} bytes")


def fit(text: TokenText, order: int, costs: Sequence[float], budget: float) -> NGramTables:
    """Estimates a model, keeps the n-grams worth most within a budget, estimates it again and quantises it.

    Args:
        text: sentences.
        order: length of the longest n-grams.
        costs: cost of an n-gram of each order.
        budget: largest sum of costs.
    """
    tables = count_ngrams(text, order)
    steps = full_discounts(tables)
    kept = select(tables, estimate(tables, keep_known(tables), steps), costs, budget)
    return to_tables(tables, estimate(tables, kept, steps))
