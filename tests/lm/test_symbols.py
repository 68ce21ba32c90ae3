"""The order of the symbols, which a trained network depends on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.lm import symbols


def test_the_symbols_have_their_fixed_order() -> None:
    """Blank and the turn markers come first, then each phone inside a word and at its end."""
    assert symbols.NUMBER_OF_SYMBOLS == 81
    assert symbols.SYMBOLS[:5] == ("<blank>", "<sot>", "<eot>", "AA", "AA#")
    assert symbols.SYMBOLS[-2:] == ("ZH", "ZH#")
    assert list(symbols.PHONES) == sorted(symbols.PHONES)


def test_a_word_of_one_phone_is_its_word_end_symbol() -> None:
    """The article "a" is one symbol."""
    assert symbols.spell(["AH"]) == (symbols.symbols_of_phone("AH")[1],)


@given(st.lists(st.sampled_from(symbols.PHONES), min_size=1, max_size=12))
def test_spelling_and_reading_symbols_are_inverse(phones: list[str]) -> None:
    """Symbols give the phones back; only the last ends a word."""
    spelled = symbols.spell(phones)
    assert symbols.phones_of(spelled) == tuple(phones)
    assert [symbols.is_word_end(symbol) for symbol in spelled] == [False] * (len(phones) - 1) + [True]
    assert [symbols.PHONES[symbols.phone_of_symbol(symbol) or 0] for symbol in spelled] == phones


def test_what_is_no_phone_is_no_word_end() -> None:
    """Blank and the turn markers belong to no word."""
    for symbol in (symbols.BLANK, symbols.START_OF_TURN, symbols.END_OF_TURN):
        assert symbols.phone_of_symbol(symbol) is None
        assert not symbols.is_word_end(symbol)


def test_a_word_without_phones_is_an_error() -> None:
    """Nothing cannot be said."""
    with pytest.raises(ValueError, match="at least one phone"):
        symbols.spell([])
