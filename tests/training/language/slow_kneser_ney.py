"""Interpolated modified Kneser-Ney by the book, with dictionaries, and random texts to try it on."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import strategies as st

from meetscribe.training.language.counts import CountTable
from meetscribe.training.language.kneser_ney import NEVER, Estimate
from meetscribe.training.language.text import TokenText

WORDS = 4
BEGIN, END, UNKNOWN = WORDS, WORDS + 1, WORDS + 2
Gram = tuple[int, ...]


@st.composite
def texts(draw: st.DrawFn) -> list[list[int]]:
    """Draws sentences over four words."""
    sentence = st.lists(st.integers(0, WORDS - 1), min_size=1, max_size=8)
    return draw(st.lists(sentence, min_size=2, max_size=12))


def as_text(sentences: Sequence[Sequence[int]], weights: Sequence[float] | None = None) -> TokenText:
    """Returns sentences with their markers."""
    tokens = [token for words in sentences for token in (BEGIN, *words, END)]
    per_sentence = weights or [1.0] * len(sentences)
    repeated = np.repeat(per_sentence, [len(words) + 2 for words in sentences])
    return TokenText(np.array(tokens, np.uint16), repeated.astype(np.float32), WORDS)


def unpack(table: CountTable) -> list[Gram]:
    """Returns the n-grams of a table as tuples."""
    mask = (1 << table.bits) - 1
    shifts = [table.bits * place for place in range(table.order - 1, -1, -1)]
    return [tuple((int(key) >> shift) & mask for shift in shifts) for key in table.keys]


def as_grams(tables: Sequence[CountTable], estimates: Sequence[Estimate]) -> dict[Gram, tuple[float, float]]:
    """Returns the kept n-grams with (log probability, log back-off weight)."""
    grams = {}
    for table, own in zip(tables, estimates, strict=True):
        for gram, prob, backoff, keep in zip(unpack(table), own.probs, own.backoffs, own.keep, strict=True):
            if keep:
                grams[gram] = (float(np.log(prob)) if prob > 0 else NEVER, float(np.log(backoff)))
    return grams


def _counts(sentences: Sequence[Sequence[int]], order: int) -> list[Counter[Gram]]:
    """Returns the Kneser-Ney counts of orders 1 to `order`."""
    padded = [(BEGIN, *words, END) for words in sentences]
    seen = [
        Counter(words[i : i + size] for words in padded for i in range(len(words) - size + 1))
        for size in range(1, order + 1)
    ]
    result = [seen[-1]]
    for size in range(order - 1, 0, -1):
        types: defaultdict[Gram, set[int]] = defaultdict(set)
        for gram in seen[size]:
            types[gram[1:]].add(gram[0])
        counts = Counter({gram: len(before) for gram, before in types.items()})
        if size > 1:
            counts.update({gram: count for gram, count in seen[size - 1].items() if gram[0] == BEGIN})
        result.insert(0, counts)
    return result


def slow_probability(
    sentences: Sequence[Sequence[int]], order: int, steps: Sequence[np.ndarray]
) -> Callable[[Gram, int], float]:
    """Returns the function (history, word) -> probability."""
    counts = _counts(sentences, order)

    def probability(history: Gram, word: int) -> float:
        size = len(history) + 1
        table, step = counts[size - 1], steps[size - 1]
        lower = 1.0 / (WORDS + 2) if size == 1 else probability(history[1:], word)
        if size == 1 and word == BEGIN:
            return 0.0
        after = {gram: count for gram, count in table.items() if gram[:-1] == history}
        total = sum(after.values())
        if not total:
            return lower
        passed = sum(step[min(count, 3)] for count in after.values()) / total
        count = after.get((*history, word), 0)
        return max(0.0, count - step[min(count, 3)]) / total + passed * lower

    return probability
