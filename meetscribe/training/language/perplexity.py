"""How well language models predict text.

Words outside the vocabulary are skipped, though they stay in the history as `<unk>`; ends of sentences count.

Not covered: error rates, which only a search gives.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log

import numpy as np

from meetscribe.lm.mixture import MixtureWeights, mixture_score
from meetscribe.lm.ngram import NGram, score_sequence
from meetscribe.training.language.text import TokenText


@dataclass(frozen=True)
class Prediction:
    """How a text was predicted; values add.

    Attributes:
        log_prob: sum of natural log probabilities.
        words: words predicted, ends of sentences among them.
        unknown: words skipped.
    """

    log_prob: float = 0.0
    words: int = 0
    unknown: int = 0

    def __add__(self, other: "Prediction") -> "Prediction":
        return Prediction(
            self.log_prob + other.log_prob, self.words + other.words, self.unknown + other.unknown
        )

    @property
    def perplexity(self) -> float:
        """Inverse of the geometric mean of the probabilities; infinite without words."""
        return exp(-self.log_prob / self.words) if self.words else float("inf")


def sentences(text: TokenText) -> Iterator[np.ndarray]:
    """Yields the word numbers of each sentence without `<s>`, with `</s>`."""
    starts = np.flatnonzero(text.tokens == text.vocabulary)
    for start, end in zip(starts, [*starts[1:], len(text.tokens)], strict=True):
        yield text.tokens[start + 1 : end].astype(np.int64)


def predict(model: NGram, text: TokenText) -> Prediction:
    """Predicts a text with one model."""
    total = Prediction()
    for words in sentences(text):
        scores, _ = score_sequence(model.arrays, model.begin_state, words)
        known = words != model.unknown
        total += Prediction(float(scores[known].sum()), int(known.sum()), int((~known).sum()))
    return total


def predict_mixed(
    books: NGram, conversation: NGram, text: TokenText, adapt: bool = True, carry: bool = True
) -> Prediction:
    """Predicts a text with the mixture.

    Args:
        books: one model.
        conversation: the other.
        text: one stream of speech.
        adapt: whether weights follow the words, or stay equal.
        carry: whether weights are kept from sentence to sentence, or each starts anew.
    """
    total, weights, equal = Prediction(), MixtureWeights(), (log(0.5), log(0.5))
    for words in sentences(text):
        states = (books.begin_state, conversation.begin_state)
        weights = weights if carry else MixtureWeights()
        for word in words.tolist():
            share = weights.log_weights if adapt else equal
            score, states, parts = mixture_score(books.arrays, conversation.arrays, share, states, word)
            if word == books.unknown:
                total += Prediction(unknown=1)
                continue
            total += Prediction(float(score), 1)
            weights = weights.after(parts)
    return total
