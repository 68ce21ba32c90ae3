"""Small random worlds for the search: a lexicon, language models and tables, all from one generator."""

from collections.abc import Iterator, Sequence

import numpy as np

from meetscribe.lm.lexicon import Lexicon
from meetscribe.lm.ngram import NGram, NGramTables, assemble
from meetscribe.lm.recurrent import FIRST_WORD, RecurrentLM
from meetscribe.lm.symbols import (
    BLANK,
    END_OF_TURN,
    FIRST_PHONE_SYMBOL,
    NUMBER_OF_SYMBOLS,
    START_OF_TURN,
    is_word_end,
    spell,
)
from meetscribe.streaming.search import Search, SearchSettings

PHONES = ("AA", "B", "K")
WIDE = SearchSettings(beam=1e6, word_margin=1e6, symbol_beam=1e6, most_hypotheses=4000)


def random_lexicon(rng: np.random.Generator, words: int) -> Lexicon:
    """Returns words of one to three of three phones; the first word has two pronunciations."""
    ways = [spell([PHONES[i] for i in rng.integers(0, 3, rng.integers(1, 4))]) for _ in range(words + 1)]
    return Lexicon(tuple("abcdefghij"[:words]), ((ways[0], ways[-1]), *((way,) for way in ways[1:words])))


def random_ngram(rng: np.random.Generator, words: int, share: float = 0.5) -> NGram:
    """Returns a bigram model whose probabilities and back-off weights are random, and sum to nothing.

    It knows this share of all pairs.
    """
    size = words + 3
    pairs = [(first, second) for first in range(words + 1) for second in range(size) if rng.random() < share]
    counts = np.bincount([first for first, _ in pairs], minlength=size)
    return assemble(
        NGramTables(
            level_sizes=np.array([size, len(pairs)]),
            words=np.array([second for _, second in pairs], np.uint16),
            prob=rng.integers(0, 256, size + len(pairs)).astype(np.uint8),
            backoff=rng.integers(0, 256, size).astype(np.uint8),
            children=counts.astype(np.uint16),
            prob_values=-rng.gamma(2.0, 2.0, 256).astype(np.float32),
            backoff_values=rng.normal(-0.5, 0.5, 256).astype(np.float32),
        )
    )


def random_scores(
    rng: np.random.Generator, frames: int, peak: float = 3.0, marks: bool = False
) -> np.ndarray:
    """Returns a table of log probabilities, normalised over the next symbol; only known phones are likely.

    With `marks` so are starts and ends of turns.
    """
    logits = rng.normal(size=(frames, NUMBER_OF_SYMBOLS, NUMBER_OF_SYMBOLS)) * peak
    known = [0, *(symbol for phone in PHONES for symbol in (*spell([phone, phone])[:1], *spell([phone])))]
    known += [START_OF_TURN, END_OF_TURN] if marks else []
    logits[:, :, np.setdiff1d(np.arange(NUMBER_OF_SYMBOLS), known)] -= 20
    logits[:, :, 0] += peak
    return (logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)).astype(np.float32)


def random_search(rng: np.random.Generator, settings: SearchSettings, words: int = 6) -> Search:
    """Returns a search over a random lexicon with two random language models and random priors."""
    models = random_ngram(rng, words), random_ngram(rng, words)
    prior = np.log(rng.dirichlet(np.ones(NUMBER_OF_SYMBOLS)))
    return Search.build(random_lexicon(rng, words), *models, settings, prior)


def random_recurrent(rng: np.random.Generator, words: Sequence[str]) -> RecurrentLM:
    """Returns a model of some words with strong opinions."""
    rows, width, hidden = FIRST_WORD + len(words), 5, 7
    shapes = {
        "words": (rows, width),
        "words_bias": (rows,),
        "inputs": (width, 4 * hidden),
        "recurrent": (hidden, 4 * hidden),
        "bias": (4 * hidden,),
        "output": (hidden, width),
        "output_bias": (width,),
    }
    weights = {name: rng.normal(0, 1.5, shape).astype(np.float32) for name, shape in shapes.items()}
    return RecurrentLM(tuple(words), weights)


def clear_scores(said: dict[int, int], frames: int) -> np.ndarray:
    """Returns a table in which the symbols of `said` (frame: symbol) are almost certain, and blanks elsewhere."""
    scores = np.full((frames, NUMBER_OF_SYMBOLS, NUMBER_OF_SYMBOLS), -12.0, np.float32)
    for frame in range(frames):
        scores[frame, :, said.get(frame, 0)] = -0.01
    return scores


def paths(scores: np.ndarray, marks: bool, symbol: int = BLANK) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yields every sequence of one symbol a frame over three phones, with its log probability.

    With `marks` a turn may start where none has or one has ended, and end after a word.
    """
    if len(scores) == 0:
        yield (), 0.0
        return
    used = [FIRST_PHONE_SYMBOL + 2 * phone + end for phone in (0, 6, 19) for end in (0, 1)]
    if marks and symbol in (BLANK, END_OF_TURN):
        used.append(START_OF_TURN)
    if marks and is_word_end(symbol):
        used.append(END_OF_TURN)
    for following in [BLANK, *used]:
        for rest, score in paths(scores[1:], marks, following if following != BLANK else symbol):
            yield (following, *rest), float(scores[0, symbol, following]) + score


def readings(lexicon: Lexicon, labels: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yields every sequence of words that is spelled so."""
    if not labels:
        yield ()
    for word, ways in enumerate(lexicon.pronunciations):
        for way in ways:
            if labels[: len(way)] == way:
                for rest in readings(lexicon, labels[len(way) :]):
                    yield (word, *rest)
