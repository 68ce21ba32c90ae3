"""The lexicon and its file."""

import lzma
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.errors import CheckpointError
from meetscribe.lm.lexicon import Lexicon, dump_lexicon, load_lexicon, parse_lexicon, save_lexicon
from meetscribe.lm.symbols import PHONES, spell

_pronunciation = st.lists(st.sampled_from(PHONES), min_size=1, max_size=6).map(spell)
_words = st.lists(st.text("abc'", min_size=1, max_size=5), unique=True, max_size=8)


@st.composite
def lexicons(draw: st.DrawFn) -> Lexicon:
    """Draws lexicons."""
    words = draw(_words)
    ways = st.lists(_pronunciation, min_size=1, max_size=3).map(tuple)
    return Lexicon(tuple(words), tuple(draw(ways) for _ in words))


@given(lexicons())
def test_a_lexicon_comes_back_from_its_file_as_it_was(lexicon: Lexicon) -> None:
    """Reading what was written gives the same words in the same order."""
    assert parse_lexicon(dump_lexicon(lexicon)) == lexicon


def test_words_are_numbered_by_their_place() -> None:
    """The number of a word is its position, which the language models share."""
    lexicon = Lexicon(("to", "be"), ((spell(["T", "UW"]),), (spell(["B", "IY"]),)))
    assert lexicon.numbers == {"to": 0, "be": 1}


def test_added_words_follow_the_present_ones() -> None:
    """Present words keep their numbers and gain pronunciations, each once."""
    lexicon = Lexicon(("to",), ((spell(["T", "UW"]),),))
    more = lexicon.extended(
        [("two", (spell(["T", "UW"]),)), ("to", (spell(["T", "AH"]), spell(["T", "UW"])))]
    )
    assert more.words == ("to", "two")
    assert more.pronunciations[0] == (spell(["T", "UW"]), spell(["T", "AH"]))


@pytest.mark.parametrize(
    "pronunciations", [((),), (), ((spell(["T"]),), (spell(["T"]),))], ids=["none", "missing", "too many"]
)
def test_every_word_has_a_pronunciation(pronunciations: tuple) -> None:
    """A word that cannot be said cannot be recognised."""
    with pytest.raises(ValueError, match="needs a pronunciation"):
        Lexicon(("to",), pronunciations)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        lzma.compress(b"something else 1\n"),
        lzma.compress(b"meetscribe-lexicon 1 2\nto\tT UW\n"),
        lzma.compress(b"meetscribe-lexicon 1 1\nto\tT QQ\n"),
        lzma.compress(b"meetscribe-lexicon 1 1\nto\n"),
        dump_lexicon(Lexicon(("to",), ((spell(["T", "UW"]),),)))[:-5],
    ],
)
def test_a_damaged_file_is_named_with_its_remedy(tmp_path: Path, content: bytes) -> None:
    """What is no whole lexicon gives one sentence with the name of the file."""
    path = tmp_path / "lexicon.txt.xz"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"lexicon\.txt\.xz .* install the model again"):
        load_lexicon(path)


def test_a_lexicon_is_saved(tmp_path: Path) -> None:
    """Saving and loading give the same lexicon."""
    lexicon = Lexicon(("a",), ((spell(["AH"]), spell(["EY"])),))
    save_lexicon(lexicon, tmp_path / "x")
    assert load_lexicon(tmp_path / "x") == lexicon
