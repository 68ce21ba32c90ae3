"""The language of symbols that the transcripts of a corpus speak, for the discriminative stage."""

from collections.abc import Sequence

import numpy as np

from meetscribe.nn.discriminative_loss import PhoneLanguage, phone_language
from meetscribe.training.batches import BatchConfig, cut
from meetscribe.training.corpus import Corpus
from meetscribe.training.export import SETTINGS
from meetscribe.training.targets import turn_symbols, turns_of


def spoken_language(corpora: Sequence[Corpus], seed: int) -> PhoneLanguage:
    """Return the language of symbols that transcripts speak, cut as in training and weighed as in the final pass."""
    rng, pieces = np.random.default_rng(seed), []
    for utterance in (utterance for corpus in corpora for utterance in corpus.utterances):
        for first, last in cut(utterance.words, BatchConfig(), rng):
            turns = turns_of(utterance.words[first:last])
            pieces.append([symbol for turn in turns for symbol in turn_symbols(turn)])
    search = SETTINGS.final_pass
    return phone_language(pieces, search.lm_weight, search.prior_scale, search.blank_penalty)
