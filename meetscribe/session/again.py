"""Words that are heard again, after a stream began anew before the end of turns that are final already.

A turn that says what a final says, at the same time, is the same turn: only what comes after that final is new. One
that says something else is another person, who spoke at the same time.
"""

from collections.abc import Sequence
from dataclasses import replace

from meetscribe.events import Turn, Word
from meetscribe.timeline import SAMPLE_RATE

_SAME_TIME = SAMPLE_RATE // 2  # samples between the middles of one word that was heard twice


def without_known(turn: Turn, known: Sequence[Turn]) -> Turn | None:
    """Return what is new of a turn; None where nothing is, the turn itself where all of it is."""
    words = turn.words
    for old in known:
        again = [word for word in words if old.start <= _middle(word) <= old.end]
        if again and 2 * sum(_is_known(word, old) for word in again) >= len(again):
            words = tuple(word for word in words if word not in again)
    if len(words) == len(turn.words):
        return turn
    if not words:
        return None
    text = " ".join(word.word for word in words)
    return replace(turn, words=words, text=text, start=words[0].start, end=words[-1].end)


def _is_known(word: Word, old: Turn) -> bool:
    return any(
        _bare(one) == _bare(word) and abs(_middle(one) - _middle(word)) <= _SAME_TIME for one in old.words
    )


def _bare(word: Word) -> str:
    """Return a word without its mark and capitals, which depend on what was heard around it."""
    return word.word.strip(".,?").casefold()


def _middle(word: Word) -> int:
    return (word.start + word.end) // 2
