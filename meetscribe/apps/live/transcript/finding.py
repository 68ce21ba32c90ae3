"""Search in the turns of a transcript. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from meetscribe.apps.live.transcript.layout import Said


@dataclass(frozen=True)
class Found:
    """A turn with what was searched for."""

    turn: str
    wanted: str
    text: str

    @cached_property
    def words(self) -> frozenset[int]:
        """Return the numbers of the words that hold it; of most turns that are found nobody ever asks."""
        return _words_with(self.wanted, self.text.split())


def find(query: str, said: Iterable[Said]) -> list[Found]:
    """Return the turns that hold the text of `query`, whatever its case, in the order given."""
    wanted = " ".join(query.casefold().split())
    if not wanted:
        return []
    found = []
    for one in said:
        if wanted in " ".join(one.turn.text.split()).casefold():
            found.append(Found(one.turn.id, wanted, one.turn.text))
    return found


def _words_with(wanted: str, texts: list[str]) -> frozenset[int]:
    """Return the numbers of the words that hold the text or a part of it."""
    folded = [text.casefold() for text in texts]
    ends = list(accumulate(len(text) + 1 for text in folded))
    whole, numbers, start = " ".join(folded), set(), 0
    while (start := whole.find(wanted, start)) >= 0:
        stop = start + len(wanted)
        numbers.update(n for n, end in enumerate(ends) if end - len(folded[n]) - 1 < stop and start < end - 1)
        start += 1
    return frozenset(numbers)
