"""The language of symbols that the transcripts of a corpus speak, for the discriminative stage."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from meetscribe.lm.symbols import BLANK, FIRST_PHONE_SYMBOL, NUMBER_OF_SYMBOLS
from meetscribe.training.batches import BatchConfig, cut
from meetscribe.training.corpus import Corpus
from meetscribe.training.export import SETTINGS
from meetscribe.training.targets import turn_symbols, turns_of

SEEN = 0.2
"""How often a pair of symbols that was never seen counts as seen, times how frequent the second one is."""


@dataclass(frozen=True)
class PhoneLanguage:
    """What is added to the transducer's scores in training, as the search adds its language models and priors.

    Attributes:
        added: nats added to symbol j after label i, float32 (V, V); row 0 is the beginning of a piece.
    """

    added: Tensor


def phone_language(
    sequences: Iterable[Sequence[int]], lm_weight: float, prior_scale: float, blank_penalty: float
) -> PhoneLanguage:
    """Return a bigram of symbols, weighed as in the search's settings.

    Args:
        sequences: symbols of pieces of speech, no blanks.
        lm_weight: factor on the bigram's log probabilities.
        prior_scale: factor on the log frequency of phones, which is taken off.
        blank_penalty: taken from each blank.
    """
    counts = np.zeros((NUMBER_OF_SYMBOLS, NUMBER_OF_SYMBOLS))
    for symbols in sequences:
        np.add.at(counts, ([BLANK, *symbols[:-1]], list(symbols)), 1.0)
    frequency = counts.sum(0) + 1e-2
    frequency[BLANK] = 1e-9
    frequency /= frequency.sum()
    smoothed = counts + SEEN * NUMBER_OF_SYMBOLS * frequency
    added = lm_weight * np.log(smoothed / smoothed.sum(1, keepdims=True))
    added[:, FIRST_PHONE_SYMBOL:] -= prior_scale * np.log(frequency[FIRST_PHONE_SYMBOL:])
    added[:, BLANK] = -blank_penalty
    return PhoneLanguage(torch.from_numpy(added.astype(np.float32)))


def spoken_language(corpora: Sequence[Corpus], seed: int) -> PhoneLanguage:
    """Return the language of symbols that transcripts speak, cut as in training and weighed as in the final pass."""
    rng, pieces = np.random.default_rng(seed), []
    for utterance in (utterance for corpus in corpora for utterance in corpus.utterances):
        for first, last in cut(utterance.words, BatchConfig(), rng):
            turns = turns_of(utterance.words[first:last])
            pieces.append([symbol for turn in turns for symbol in turn_symbols(turn)])
    search = SETTINGS.final_pass
    return phone_language(pieces, search.lm_weight, search.prior_scale, search.blank_penalty)
