"""What is done to words before they are compared; a figure without its normaliser's name means little."""

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Normaliser:
    """A named way to bring a text into comparable words; `name` stands beside every figure."""

    name: str
    apply: Callable[[str], str]

    def words(self, text: str) -> list[str]:
        """Return the words of a text that are compared."""
        return self.apply(text).split()


def _plain(text: str) -> str:
    text = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    text = re.sub(r"[^a-z0-9' ]", " ", text)
    return " ".join(word for part in text.split() if (word := part.strip("'")))


def _without_apostrophes(text: str) -> str:
    text = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return re.sub(r"[^a-z0-9 ]", "", text)


PLAIN = Normaliser("lower, other than a-z 0-9 ' to space, ' stripped at the edges of words", _plain)
MEETEVAL = Normaliser("lower,rm([^a-z0-9 ])", _without_apostrophes)
NORMALISERS = (PLAIN, MEETEVAL)
