"""The whole build, on a small folder of text."""

import lzma
from pathlib import Path

import numpy as np
import pytest

from meetscribe.lm.lexicon import load_lexicon
from meetscribe.lm.ngram import load_ngram
from meetscribe.training.language.__main__ import main, parse
from meetscribe.training.language.build import read_blocks
from meetscribe.training.language.perplexity import Prediction, predict, predict_mixed
from meetscribe.training.language.text import tokenise

TALK = ["yes we can", "no we can not", "can we", "yes", "no no yes"]
STORIES = ["the cat sat", "a cat can sit", "the dog sat", "the dog and the cat sat"]
WORDS = sorted({word for line in TALK + STORIES for word in line.split()})
DICTIONARY = {word: " ".join("AH" if letter in "aeiouy" else "T" for letter in word) for word in WORDS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder of text, with what is built from it in `out`."""
    root = tmp_path_factory.mktemp("text")
    (root / "words.txt").write_text("".join(f"{word}\t{200 - len(word)}\n" for word in WORDS))
    (root / "books.txt.xz").write_bytes(lzma.compress("\n".join(STORIES * 30).encode()))
    (root / "conversation.txt.xz").write_bytes(lzma.compress("\n".join(TALK * 30).encode()))
    (root / "sources.md").write_text(
        "| source | lines |\n| --- | --- |\n| ami | 1-100 | 9 |\n| changelog | 101-150 |\n"
    )
    (root / "dictionary").write_text("".join(f"{word} {said}\n" for word, said in DICTIONARY.items()))
    _build(root, root / "out")
    return root


def _build(root: Path, output: Path) -> None:
    main(["--text", str(root), "--dictionary", str(root / "dictionary"), "--output", str(output)])


def test_everything_is_built_and_fits_together(folder: Path) -> None:
    """The lexicon has the words, and the models number them as it does."""
    lexicon = load_lexicon(folder / "out/lexicon.txt.xz")
    books, talk = (load_ngram(folder / f"out/{name}.ngram.safetensors") for name in ("books", "conversation"))
    assert sorted(lexicon.words) == WORDS
    assert books.sentence_begin == talk.sentence_begin == len(lexicon)
    stories, dialogue = (tokenise(lines, lexicon.numbers) for lines in (STORIES, TALK))
    assert predict(books, stories).perplexity < predict(talk, stories).perplexity
    assert predict(talk, dialogue).perplexity < predict(books, dialogue).perplexity


def test_the_mixture_learns_what_it_hears(folder: Path) -> None:
    """With adapting weights a long text of one kind is predicted better than with equal ones."""
    lexicon = load_lexicon(folder / "out/lexicon.txt.xz")
    books, talk = (load_ngram(folder / f"out/{name}.ngram.safetensors") for name in ("books", "conversation"))
    for lines in (TALK, STORIES):
        text = tokenise(lines * 10, lexicon.numbers)
        fixed = predict_mixed(books, talk, text, adapt=False)
        assert predict_mixed(books, talk, text).perplexity < fixed.perplexity
        assert predict_mixed(books, talk, text).words == fixed.words == predict(books, text).words


def test_building_twice_gives_the_same_files(folder: Path, tmp_path: Path) -> None:
    """Nothing depends on chance or on the clock."""
    _build(folder, tmp_path)
    for path in (folder / "out").iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_blocks_are_read_from_the_table_of_sources(folder: Path) -> None:
    """Each row with a range of lines is a block with its weight."""
    blocks = read_blocks(folder / "sources.md", {"ami": 3.0})
    assert [(block.name, block.first, block.last, block.weight) for block in blocks] == [
        ("ami", 1, 100, 3.0),
        ("changelog", 101, 150, 1.0),
    ]


def test_steps_are_done_in_their_order() -> None:
    """All steps without a name, else those named."""
    assert parse(["--dictionary", "d"])[1] == ["g2p", "lexicon", "books", "conversation"]
    assert parse(["conversation", "g2p", "--dictionary", "d"])[1] == ["g2p", "conversation"]


def test_an_unknown_step_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong step ends with what there is."""
    with pytest.raises(SystemExit):
        parse(["novels", "--dictionary", "d"])
    assert "no step novels" in capsys.readouterr().err


def test_predictions_add() -> None:
    """Perplexity is of all words together."""
    total = Prediction(-4 * np.log(2), 4) + Prediction(-2 * np.log(16), 2, 1)
    assert total.perplexity == pytest.approx(4.0)
    assert (total.words, total.unknown) == (6, 1)
    assert Prediction().perplexity == float("inf")
