"""Which words there are, and how they are said."""

from pathlib import Path

import pytest

from meetscribe.lm.g2p import GraphemeToPhoneme
from meetscribe.lm.ngram import assemble
from meetscribe.lm.symbols import spell
from meetscribe.training.language.g2p import train_g2p
from meetscribe.training.language.lexicon import (
    choose_words,
    make_lexicon,
    pronunciations,
    read_dictionary,
    read_word_counts,
)

DICTIONARY = {
    "b": [("B", "IY")],
    "t": [("T", "IY")],
    "bet": [("B", "EH", "T")],
    "bus": [("B", "AH", "S")],
    "bake": [("B", "EY", "K")],
    "rob": [("R", "AA", "B")],
    "sipping": [("S", "IH", "P", "IH", "NG")],
    "they": [("DH", "EY")],
    "and": [("AH", "N", "D"), ("AE", "N", "D")],
}


@pytest.fixture(scope="module")
def g2p() -> GraphemeToPhoneme:
    """Returns a model that reads a few letters."""
    words = {
        "bab": [("B", "AA", "B")],
        "bob": [("B", "AO", "B")],
        "tot": [("T", "AO", "T")],
        "tab": [("T", "AA", "B")],
    }
    letters, phones, tables = train_g2p(words, budget=1e4)
    return GraphemeToPhoneme(letters, phones, assemble(tables))


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("bet's", "B EH T S"),
        ("bus's", "B AH S IH Z"),
        ("robs", "R AA B Z"),
        ("robs'", "R AA B Z"),
        ("baked", "B EY K T"),
        ("robed", "R AA B D"),
        ("beted", "B EH T IH D"),
        ("rob'd", "R AA B D"),
        ("baking", "B EY K IH NG"),
        ("sippin'", "S IH P IH N"),
        ("they'll", "DH EY AH L"),
        ("tbt", "T IY B IY T IY"),
        ("tot", "T AO T"),
        ("tot's", "T AO T S"),
    ],
)
def test_words_outside_the_dictionary_are_said_by_rule(g2p: GraphemeToPhoneme, word: str, said: str) -> None:
    """Endings of known stems follow English, words without vowels are spelled, and others are read."""
    ways = pronunciations(
        word, DICTIONARY if word != "robs'" else {**DICTIONARY, "robs": [("R", "AA", "B", "Z")]}, g2p
    )
    assert ways[0] == tuple(said.split())


def test_the_dictionary_comes_first_and_reduced_forms_last(g2p: GraphemeToPhoneme) -> None:
    """Common words of talk gain the short ways people say them."""
    chosen = choose_words({"and": 9}, {}, DICTIONARY)
    ways = make_lexicon(chosen, DICTIONARY, g2p).pronunciations[0]
    assert ways == tuple(spell(phones.split()) for phones in ("AH N D", "AE N D", "AH N"))


def test_words_are_chosen_for_use() -> None:
    """Fragments and mark-up are left out, spellings without apostrophe mean the word, known words are added."""
    frequent = {"they": 500, "don't": 100, "dont": 9, "xq": 20, "quot": 200, "kubernetes": 12}
    chosen = choose_words(frequent, {"rob": 4, "bet": 5, "zyx": 9, "bus": 1}, DICTIONARY)
    assert chosen.words == ("they", "don't", "kubernetes", "bet", "rob")
    assert chosen.numbers["dont"] == chosen.numbers["don't"] == 1


def test_files_are_read(tmp_path: Path) -> None:
    """Variants of a word go together; words with other characters are left out."""
    (tmp_path / "d").write_text("a AH\na(2) EY\na. EY\nbet B EH T\nbet(2) B EH T\n")
    (tmp_path / "w").write_text("the\t12\nof\t3\n")
    assert read_dictionary(tmp_path / "d") == {"a": (("AH",), ("EY",)), "bet": (("B", "EH", "T"),)}
    assert read_word_counts(tmp_path / "w") == {"the": 12, "of": 3}
