"""What a turn's words are and when: for formats whose lines are words or short stretches of text.

Not covered: how a format writes them.
"""

from collections.abc import Sequence
from itertools import pairwise

from meetscribe.events import Turn, Word
from meetscribe.timeline import to_samples

LONGEST_PAUSE = to_samples(0.5)  # inside a turn; longer ones end it


def words_of(turn: Turn) -> tuple[Word, ...]:
    """Return the words of a turn's text with times.

    They are the heard ones where the text still consists of them (a person's correction may have more or fewer words);
    elsewhere the text's words share the turn's time by their letters, and are marked as estimated.
    """
    texts = turn.text.split()
    if len(texts) == len(turn.words):
        own = turn.words
        return tuple(
            Word(text, word.start, word.end, word.confidence, word.estimated)
            for text, word in zip(texts, own, strict=True)
        )
    return spread(texts, turn.start, turn.end)


def spread(texts: Sequence[str], start: int, end: int) -> tuple[Word, ...]:
    """Give words times by their share of the letters, one after another from `start` to `end`."""
    total = sum(map(len, texts)) or 1
    edges, heard = [start], 0
    for text in texts:
        heard += len(text)
        edges.append(start + (end - start) * heard // total)
    return tuple(Word(text, *edge, estimated=True) for text, edge in zip(texts, pairwise(edges), strict=True))


def one_line(text: str) -> str:
    """Return text on one line, with single spaces."""
    return " ".join(text.split())


def token(text: str) -> str:
    """Return text as one field of a format whose fields end at white space; `-` where there is none.

    A leading semicolon would begin a comment.
    """
    return "_".join(text.split()).replace(";", "_", 1 if text.lstrip().startswith(";") else 0) or "-"
