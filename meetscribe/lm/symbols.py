"""The symbols that the recogniser emits, in their fixed order, and how words are spelled with them.

Not covered: which symbols a network really uses; `<sot>` and `<eot>` are reserved places.
"""

from collections.abc import Sequence

BLANK = 0
START_OF_TURN = 1
END_OF_TURN = 2
FIRST_PHONE_SYMBOL = 3

# fmt: off
PHONES: tuple[str, ...] = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY",
    "F", "G", "HH", "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY",
    "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
)
# fmt: on
"""The 39 phones of the CMU pronouncing dictionary without stress, in alphabetical order."""

PHONE_INDEX: dict[str, int] = {phone: index for index, phone in enumerate(PHONES)}

WORD_END_MARK = "#"
"""Appended to the name of a phone for its variant at the end of a word."""

SYMBOLS: tuple[str, ...] = (
    "<blank>",
    "<sot>",
    "<eot>",
    *(phone + mark for phone in PHONES for mark in ("", WORD_END_MARK)),
)
NUMBER_OF_SYMBOLS = len(SYMBOLS)


def inside_symbol(phone: int) -> int:
    """Returns the symbol of phone number `phone` where the word goes on after it."""
    return FIRST_PHONE_SYMBOL + 2 * phone


def end_symbol(phone: int) -> int:
    """Returns the symbol of phone number `phone` where it is the last of its word."""
    return FIRST_PHONE_SYMBOL + 2 * phone + 1


def symbols_of_phone(phone: str) -> tuple[int, int]:
    """Returns the (inside, word-end) symbols of a phone name; raises KeyError for an unknown name."""
    index = PHONE_INDEX[phone]
    return inside_symbol(index), end_symbol(index)


def phone_of_symbol(symbol: int) -> int | None:
    """Returns the phone number of a symbol, or None for blank and the turn markers."""
    return None if symbol < FIRST_PHONE_SYMBOL else (symbol - FIRST_PHONE_SYMBOL) // 2


def is_word_end(symbol: int) -> bool:
    """Tells whether a word ends with this symbol."""
    return symbol >= FIRST_PHONE_SYMBOL and (symbol - FIRST_PHONE_SYMBOL) % 2 == 1


def spell(phones: Sequence[str]) -> tuple[int, ...]:
    """Returns the symbols of a pronunciation: inside variants, then one word-end variant.

    Args:
        phones: names of phones of one word, at least one.

    Raises:
        ValueError: if there is no phone.
        KeyError: if a phone is unknown.
    """
    if not phones:
        raise ValueError("a pronunciation needs at least one phone")
    indices = [PHONE_INDEX[phone] for phone in phones]
    return (*(inside_symbol(index) for index in indices[:-1]), end_symbol(indices[-1]))


def phones_of(symbols: Sequence[int]) -> tuple[str, ...]:
    """Returns the phone names of phone symbols, whichever variants they are."""
    return tuple(PHONES[(symbol - FIRST_PHONE_SYMBOL) // 2] for symbol in symbols)
