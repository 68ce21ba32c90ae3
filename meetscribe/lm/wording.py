"""What a meeting's text is to be like: what to listen for, marks and capitals, numbers.

A value that goes from the settings through the engine, also into its worker process, to each stream's transcriber.
Importing this needs neither torch nor numba.
"""

from dataclasses import dataclass
from typing import Literal

Numerals = Literal["words", "digits"]


@dataclass(frozen=True)
class Wording:
    """How a stream's words are found and written.

    Attributes:
        hotwords: phrases to listen for, as `lm.hotwords` reads them.
        learned: others that nobody listed: what people put right before. Where the lexicon has such a word, a capital
            letter says nothing about it.
        punctuation: marks and capitals are written, where the model can.
        numerals: numbers are written as words or as digits.
    """

    hotwords: tuple[str, ...] = ()
    learned: tuple[str, ...] = ()
    punctuation: bool = True
    numerals: Numerals = "words"


RAW = Wording(punctuation=False)
"""Words as they were recognised."""

USUAL = Wording()
"""What transcribers write when nobody says otherwise."""
