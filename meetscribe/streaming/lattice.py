"""Hypotheses, the words behind them, and the care of both: posteriors of words, what is certain, what can go.

Every complete word of a hypothesis is a link to the word before, so that hypotheses share their past. Links
stand in the order in which they came up: a link's previous one is always before it.
Not covered: how hypotheses come about (`meetscribe.streaming.search_kernels`).
"""

import numpy as np
from numba import njit

NO_WORD = -1
NO_LINK = -1
NO_FRAME = -1
NO_ROW = -1

HYPOTHESIS = np.dtype(
    [
        ("score", np.float64),  # natural log, look-ahead included
        ("node", np.int32),  # in the lexical tree
        ("books", np.int32),  # state of that language model
        ("conversation", np.int32),
        ("symbol", np.int32),  # last one that was no blank
        ("link", np.int32),  # last complete word, NO_LINK for none
        ("first", np.int32),  # frame of the first symbol of the word at hand
        ("last", np.int32),  # frame of the last symbol of a word
        ("acoustic", np.float32),  # sum of log probabilities of the symbols of the word at hand
        ("labels", np.int32),  # number of them
        ("word", np.int32),  # word that ended in this frame, until it has a link; else NO_WORD
        ("begun", np.int32),  # frame of the first start of a turn, NO_FRAME for none
        ("ended", np.int32),  # frame of the first end of a turn, NO_FRAME for none
    ],
    align=True,
)

LINK = np.dtype(
    [
        ("word", np.int32),
        ("previous", np.int32),  # link of the word before, NO_LINK for none
        ("first", np.int32),  # frame of its first symbol
        ("last", np.int32),  # frame of its last symbol
        ("acoustic", np.float32),
        ("labels", np.int32),
        ("symbol", np.int32),  # its last symbol
        ("lm", np.float32),  # natural log probability in the n-gram models; NaN for parts of hot phrases
        ("row", np.int32),  # of what a recurrent model remembers after it, NO_ROW for none
        ("posterior", np.float32),  # sum of sampled posteriors
        ("samples", np.int32),  # number of them
    ],
    align=True,
)


POSTERIOR_EVERY = 4
"""Posteriors of words are sampled in frames whose numbers are multiples of this, whatever the chunks."""

POSTERIOR_FRAMES = 24
"""For so many frames after its end the posterior of a word is sampled."""

SAME_WORD_FRAMES = 8
"""Two links are the same word, heard at slightly different times, if their ends are no further apart."""

SMALLEST_MASS = 1e-3
"""Links that carry less of the probability than this are no competitors."""


@njit(cache=True, nogil=True)
def _masses(hypotheses: np.ndarray, links: np.ndarray, scale: float) -> np.ndarray:
    """Returns the share of the probability of all hypotheses that goes through each link, float64 [links]."""
    masses = np.zeros(len(links), np.float64)
    total = 0.0
    for index in range(len(hypotheses)):
        mass = np.exp(scale * (hypotheses[index]["score"] - hypotheses[0]["score"]))
        total += mass
        if hypotheses[index]["link"] >= 0:
            masses[hypotheses[index]["link"]] += mass
    for index in range(len(links) - 1, -1, -1):
        previous = links[index]["previous"]
        if previous >= 0:
            masses[previous] += masses[index]
    return masses / total


@njit(cache=True, nogil=True)
def sample_posteriors(hypotheses: np.ndarray, links: np.ndarray, scale: float, frame: int) -> None:
    """Adds to each recent link the present posterior of its word: that of all links that are the same word.

    Args:
        hypotheses: HYPOTHESIS [H], the best first.
        links: LINK [K]; `posterior` and `samples` are changed.
        scale: factor on differences of scores before they are taken for log probabilities.
        frame: number of the frame that was just searched.
    """
    masses = _masses(hypotheses, links, scale)
    recent = np.empty(len(links), np.int64)
    count = 0
    for index in range(len(links)):
        if masses[index] >= SMALLEST_MASS and frame - links[index]["last"] <= POSTERIOR_FRAMES:
            recent[count] = index
            count += 1
    for position in range(count):
        link = links[recent[position]]
        total = 0.0
        for other in range(count):
            rival = links[recent[other]]
            if rival["word"] == link["word"] and abs(rival["last"] - link["last"]) <= SAME_WORD_FRAMES:
                total += masses[recent[other]]
        link["posterior"] += np.float32(min(1.0, total))
        link["samples"] += 1


@njit(cache=True, nogil=True)
def certain_links(hypotheses: np.ndarray, links: np.ndarray) -> np.ndarray:
    """Returns the links that all hypotheses have in their past, oldest first, int64."""
    users = np.zeros(len(links), np.int64)
    for index in range(len(hypotheses)):
        if hypotheses[index]["link"] >= 0:
            users[hypotheses[index]["link"]] += 1
    for index in range(len(links) - 1, -1, -1):
        if links[index]["previous"] >= 0:
            users[links[index]["previous"]] += users[index]
    return np.flatnonzero(users == len(hypotheses))


@njit(cache=True, nogil=True)
def drop_links(hypotheses: np.ndarray, links: np.ndarray, finished: int) -> int:
    """Removes links that no hypothesis needs, and those up to the link `finished` that all have in common.

    Args:
        hypotheses: HYPOTHESIS [H]; their links are renumbered.
        links: LINK [K]; those that stay move to the front.
        finished: last link of the certain words to remove, or NO_LINK.

    Returns:
        The number of links that stay.
    """
    number = np.full(len(links), NO_LINK, np.int32)
    for index in range(len(hypotheses)):
        if hypotheses[index]["link"] > finished:
            number[hypotheses[index]["link"]] = 0
    for index in range(len(links) - 1, finished, -1):
        if number[index] == 0 and links[index]["previous"] > finished:
            number[links[index]["previous"]] = 0
    kept = 0
    for index in range(finished + 1, len(links)):
        if number[index] == 0:
            number[index] = kept
            links[kept] = links[index]
            previous = links[kept]["previous"]
            links[kept]["previous"] = number[previous] if previous > finished else NO_LINK
            kept += 1
    for index in range(len(hypotheses)):
        link = hypotheses[index]["link"]
        hypotheses[index]["link"] = number[link] if link > finished else NO_LINK
    return kept
