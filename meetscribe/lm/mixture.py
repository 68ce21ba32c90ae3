"""Two language models, books and conversation, interpolated with a weight that follows what is being said.

The weight is a posterior: after each recognised word the share of the books' model in explaining it counts,
with exponential forgetting, against a prior of equal shares. It is a value that is passed in and returned,
one for each stream of words; nothing is remembered here.

Not covered: more than two models.
"""

from dataclasses import dataclass
from math import exp, log

import numpy as np
from numba import njit

from meetscribe.lm.ngram import NGramArrays, Whole, ngram_score

MEMORY_WORDS = 50.0
"""Words after which the weight of a word in the posterior has fallen to 1/e."""

PRIOR_WORDS = 1.0
"""Strength of the prior of equal shares, in words."""


@dataclass(frozen=True)
class MixtureWeights:
    """What is known of the kind of speech in one stream.

    Attributes:
        books: discounted number of words that the books' model explained.
        words: discounted number of words.
    """

    books: float = 0.0
    words: float = 0.0

    @property
    def share(self) -> float:
        """Weight of the books' model, 0 to 1; the conversation's has the rest."""
        return (self.books + 0.5 * PRIOR_WORDS) / (self.words + PRIOR_WORDS)

    @property
    def log_weights(self) -> tuple[float, float]:
        """Natural logs of the weights of (books, conversation), as `mixture_score` takes them."""
        return log(self.share), log(1.0 - self.share)

    def after(self, log_probs: tuple[float, float]) -> "MixtureWeights":
        """Returns the weights after a word with these log probabilities in (books, conversation)."""
        books, conversation = self.log_weights
        explained = 1.0 / (1.0 + exp(min(700.0, log_probs[1] + conversation - log_probs[0] - books)))
        keep = exp(-1.0 / MEMORY_WORDS)
        return MixtureWeights(self.books * keep + explained, self.words * keep + 1.0)


@njit(cache=True, nogil=True)
def mixture_score(
    books: NGramArrays,
    conversation: NGramArrays,
    log_weights: tuple[float, float],
    state_pair: tuple[Whole, Whole],
    word: Whole,
) -> tuple[float, tuple[Whole, Whole], tuple[float, float]]:
    """Scores a word with both models.

    Args:
        books: arrays of one model.
        conversation: arrays of the other, over the same words.
        log_weights: natural logs of the weights of the two.
        state_pair: states of the history in the two.
        word: number of the word.

    Returns:
        Natural log probability of the word in the mixture, the next states, and the log probabilities in the
        two models, with which the weights are brought up to date.
    """
    first, first_state = ngram_score(books, state_pair[0], word)
    second, second_state = ngram_score(conversation, state_pair[1], word)
    weighted_first, weighted_second = first + log_weights[0], second + log_weights[1]
    high, low = max(weighted_first, weighted_second), min(weighted_first, weighted_second)
    mixed = high + np.log1p(np.exp(low - high))
    return mixed, (first_state, second_state), (first, second)
