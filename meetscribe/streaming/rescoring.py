"""What a recurrent language model has to say of the words of hypotheses, once every few frames.

The search asks its n-gram models for every word that it might add, thousands of times a second. A recurrent model is
asked only for words that hypotheses have by the end of a block of frames, and their scores are put right then: the
n-grams' probability of each new word is replaced by the mean of theirs and the recurrent model's. So hypotheses that
n-grams cannot tell apart are judged a few words after, before most of them have become one.
Words that were spoken as parts of hot phrases keep the phrase's probability.
Not covered: the model itself (`meetscribe.lm.recurrent`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from meetscribe.lm.recurrent import SENTENCE_END, UNKNOWN, Memory, RecurrentLM
from meetscribe.streaming.lattice import NO_ROW, NO_WORD

HISTORY_WORDS = 30
"""So many words before the first frame are remembered."""


@dataclass(frozen=True, eq=False)
class Past:
    """What the recurrent model knows of a stream's hypotheses: a row for each link, which names it as `row`.

    Attributes:
        memory: after the words of each row.
        outlook: of each row, NaN until it is asked for, float32 [rows, width + 1].
        root: row of what lies before the first links.
    """

    memory: Memory
    outlook: NDArray[np.float32]
    root: int = 0


@dataclass(frozen=True, eq=False)
class Rescorer:
    """A recurrent language model beside the n-grams.

    Attributes:
        model: the recurrent language model.
        rows: its row for each word of the lexicon, int32 [words].
        portions: natural log of each word's portion of its row's probability, float32 [words].
        share: weight of the model in the mean with the n-grams, 0 to 1.
        lm_weight: what the search multiplies log probabilities of language models with.
    """

    model: RecurrentLM
    rows: NDArray[np.int32]
    portions: NDArray[np.float32]
    share: float
    lm_weight: float

    @classmethod
    def of(
        cls,
        model: RecurrentLM,
        words: Sequence[str],
        unigram: NDArray[np.float32],
        share: float,
        weight: float,
    ) -> "Rescorer":
        """Makes a rescorer.

        Args:
            model: the recurrent language model.
            words: of the search; those that hot words brought, if any, come last.
            unigram: natural log probabilities of the others, float32 [words].
            share: weight of the model.
            weight: what the search multiplies log probabilities of language models with.
        """
        known = words[: len(unigram)]
        rows = np.array([model.numbers.get(word, UNKNOWN) for word in known], np.int32)
        portions = np.zeros(len(known), np.float32)
        rare = rows == UNKNOWN
        if rare.any():
            portions[rare] = unigram[rare] - np.logaddexp.reduce(unigram[rare])
        return cls(model, rows, portions, share, weight)

    def begin(self, history: Sequence[int]) -> Past:
        """Returns the past after words, by their numbers; NO_WORD where a sentence ended."""
        memory = self.model.begin
        for word in history[-HISTORY_WORDS:]:
            row = np.array([SENTENCE_END]) if word == NO_WORD else self._rows(np.array([word]))
            memory = self.model.after(memory, row)
        return Past(memory, self._unseen(1))

    def rescore(self, hypotheses: np.ndarray, links: np.ndarray, past: Past, margin: float = np.inf) -> Past:
        """Puts the scores of hypotheses right for the words that are new in them.

        Args:
            hypotheses: HYPOTHESIS [H], the best first; scores are changed, and the best one comes first again.
            links: LINK [K]; new ones are given their row.
            past: what was known before.
            margin: words are left for later while all hypotheses that have them are so much worse than the best.

        Returns:
            What is known now, of these links only.
        """
        past = _kept(links, past)
        wanted = np.flatnonzero(_wanted(hypotheses, links, margin))
        before = np.full(len(links), NO_ROW)
        memory, count, new = past.memory, len(past.outlook), wanted
        while len(new):  # the words after one another, each when what comes before it is remembered
            rows = np.where(links["previous"][new] < 0, past.root, links["row"][links["previous"][new]])
            ready = rows != NO_ROW
            now = new[ready]
            before[now] = rows[ready]
            links["row"][now] = count + np.arange(len(now))
            memory = memory + self.model.after(memory.take(rows[ready]), self._rows(links["word"][now]))
            count, new = count + len(now), new[~ready]
        unseen = self._unseen(count - len(past.outlook))
        past = Past(memory, np.concatenate([past.outlook, unseen]), past.root)
        corrections = np.zeros(len(links))
        # All at once: the time goes into reading the model's words from memory.
        corrections[wanted] = self._corrections(links[wanted], self._outlook(past, before[wanted]))
        _credit(hypotheses, links, corrections)
        return past

    def _corrections(self, links: np.ndarray, outlook: NDArray[np.float32]) -> NDArray[np.float64]:
        """Returns what the scores of links are wrong by, of which the outlook before each is given."""
        words, hot = links["word"], np.isnan(links["lm"])
        portions = self.portions[np.minimum(words, len(self.portions) - 1)]
        mine = portions + self.model.log_probs(outlook, self._rows(words))
        theirs = np.where(hot, 0, links["lm"])
        mean = np.logaddexp(np.log1p(-self.share) + theirs, np.log(self.share) + mine)
        return np.where(hot, 0, self.lm_weight * (mean - theirs))

    def sentence_ends(
        self, links: np.ndarray, past: Past, last: NDArray[np.integer], ngrams: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Returns the log probabilities that sentences end after links, where those of the n-grams are given.

        Args:
            links: LINK [K], all of which have their row.
            past: what is known of them.
            last: numbers of the links, NO_LINK for none, [N].
            ngrams: natural log probabilities that the n-grams give, [N].
        """
        rows = np.append(links["row"], past.root)[last]
        mine = self.model.log_probs(self._outlook(past, rows), np.full(len(rows), SENTENCE_END))
        return np.logaddexp(np.log1p(-self.share) + ngrams, np.log(self.share) + mine)

    def _outlook(self, past: Past, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Returns the outlook of some rows, found once for each."""
        unseen = np.unique(rows[np.isnan(past.outlook[rows, -1])])
        if len(unseen):
            past.outlook[unseen] = self.model.outlook(past.memory.take(unseen))
        return past.outlook[rows]

    def _unseen(self, rows: int) -> NDArray[np.float32]:
        return np.full((rows, self.model.weights["words"].shape[1] + 1), np.nan, np.float32)

    def _rows(self, words: NDArray[np.integer]) -> NDArray[np.integer]:
        """Returns the rows of words, of which those that hot words brought have none."""
        return np.where(words < len(self.rows), self.rows[np.minimum(words, len(self.rows) - 1)], UNKNOWN)


def _kept(links: np.ndarray, past: Past) -> Past:
    """Returns the past of the root and of these links alone; they are given their new rows."""
    known = links["row"] != NO_ROW
    rows = np.concatenate([[past.root], links["row"][known]])
    links["row"][known] = 1 + np.arange(known.sum())
    return Past(past.memory.take(rows), past.outlook[rows], 0)


@njit(cache=True, nogil=True)
def _wanted(hypotheses: np.ndarray, links: np.ndarray, margin: float) -> np.ndarray:
    """Returns which links have no row yet and belong to a hypothesis not much worse than the best, bool [K]."""
    wanted = np.zeros(len(links), np.bool_)
    for index in range(len(hypotheses)):
        if hypotheses[index]["link"] >= 0 and hypotheses[index]["score"] >= hypotheses[0]["score"] - margin:
            wanted[hypotheses[index]["link"]] = True
    for index in range(len(links) - 1, -1, -1):
        if wanted[index] and links[index]["previous"] >= 0:
            wanted[links[index]["previous"]] = True
        wanted[index] &= links[index]["row"] == NO_ROW
    return wanted


@njit(cache=True, nogil=True)
def _credit(hypotheses: np.ndarray, links: np.ndarray, corrections: np.ndarray) -> None:
    """Adds to each hypothesis the corrections of all its links, and moves the best to the front.

    Args:
        hypotheses: HYPOTHESIS [H].
        links: LINK [K], previous ones first.
        corrections: of each link, float64 [K]; overwritten.
    """
    for index in range(len(links)):
        if links[index]["previous"] >= 0:
            corrections[index] += corrections[links[index]["previous"]]
    best = 0
    for index in range(len(hypotheses)):
        if hypotheses[index]["link"] >= 0:
            hypotheses[index]["score"] += corrections[hypotheses[index]["link"]]
        if hypotheses[index]["score"] > hypotheses[best]["score"]:
            best = index
    if best > 0:
        first = hypotheses[:1].copy()
        hypotheses[0] = hypotheses[best]
        hypotheses[best] = first[0]
