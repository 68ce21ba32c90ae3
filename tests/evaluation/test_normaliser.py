import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.evaluation.normaliser import MEETEVAL, NORMALISERS, PLAIN


@given(st.text(), st.sampled_from(NORMALISERS))
def test_normalising_twice_changes_nothing_more(text, normaliser):
    """A normalised text is a fixed point."""
    once = normaliser.apply(text)
    assert normaliser.apply(once) == once


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Can we move it to Friday?", ["can", "we", "move", "it", "to", "friday"]),
        ("It\N{RIGHT SINGLE QUOTATION MARK}s twenty-five 'quoted'", ["it's", "twenty", "five", "quoted"]),
        ("…", []),
    ],
)
def test_plain_words(text, words):
    """Case and punctuation go, apostrophes inside words stay, hyphens part words."""
    assert PLAIN.words(text) == words


def test_meetevals_normaliser_deletes_apostrophes():
    """The other one is named as meeteval names it, and does what the name says."""
    assert MEETEVAL.words("It's twenty-five") == ["its", "twentyfive"]
