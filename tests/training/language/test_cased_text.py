import pytest

from meetscribe.lm.punctuation import MARKS
from meetscribe.training.language.cased_text import own_forms, read_written

KNOWN = {"nasa", "okay", "we"}


def read(line: str) -> list[str]:
    """Returns each piece of a line as words with their marks, written small."""
    pieces = read_written(line, KNOWN)
    return [" ".join(written.word + MARKS[written.mark] for written in piece) for piece in pieces]


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("Okay, let's go! Why not?", ["okay, let's go. why not?"]),
        ("It's well-known: NASA's API, the TV...", ["it's well known, nasa's a p i, the t v."]),
        ("Mr. Smith paid 25 people - we think.", ["mr smith paid twenty five people, we think."]),
        ("We spent $3.50 there. Then left.", ["we spent", "there. then left."]),
        ("“Café” [laughs] (inaudible) naïve", ["cafe naive"]),
        ("... -- [x]", []),
    ],
)
def test_a_line_is_read_as_it_is_said(line: str, pieces: list[str]) -> None:
    """Marks are those that can be heard, acronyms letters, numbers words; where nothing can be read a text is cut."""
    assert read(line) == pieces


def test_forms_are_counted_inside_sentences() -> None:
    """How a word is written is not learned where a sentence begins with it."""
    pieces = list(read_written("The Hague. The Hague is in the north.", KNOWN))
    assert own_forms(pieces) == {
        "hague": {"Hague": 2},
        "is": {"is": 1},
        "in": {"in": 1},
        "the": {"the": 1},
        "north": {"north": 1},
    }
