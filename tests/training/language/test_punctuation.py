from pathlib import Path

import numpy as np
import pytest

from meetscribe.lm.lexicon import Lexicon, save_lexicon
from meetscribe.lm.punctuation import LONG_PAUSE, UNKNOWN_PAUSE
from meetscribe.lm.symbols import spell
from meetscribe.training.language import punctuation
from meetscribe.training.language.cased_text import read_written
from meetscribe.training.language.punctuation import (
    MOST_WORDS,
    NO_LABEL,
    Material,
    Network,
    Plan,
    cut,
    draw_pauses,
    measure,
    piece_of,
    read_material,
    shortened,
    train,
)

LINES = ("Why did Anna go home? I do not know.", "Anna went home, I think.", "Did Bo go? Yes.")


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Material:
    folder = tmp_path_factory.mktemp("text")
    (folder / "cased.txt").write_text("\n".join(LINES * 3000) + "\n")
    save_lexicon(Lexicon(("anna",), ((spell(["AE", "N"]),),)), folder / "lexicon.txt.xz")
    return read_material(folder / "cased.txt", folder / "lexicon.txt.xz")


def test_stretches_of_lines_are_held_out(material: Material) -> None:
    """What is measured on was not trained on, and names have their own forms."""
    assert len(material.held_out["ami"]) == 3000 * 3 // 20 // 400 * 400
    assert material.forms["anna"].form == "Anna"
    assert len(material.training) + len(material.held_out["ami"]) == 9000
    assert material.meetings == len(material.training)


def test_a_run_that_was_stopped_goes_on(material: Material, tmp_path: Path, monkeypatch) -> None:
    """Stopped after two steps and started again, a run ends with the same weights as one that was not."""
    whole = (
        train(material, Plan(tmp_path / "whole", 4, 300, 1e-2))
        if (tmp_path / "whole").mkdir() is None
        else None
    )
    monkeypatch.setattr(punctuation, "KEPT_EVERY", 1)
    (tmp_path / "parts").mkdir()
    plan, loss_of, calls = Plan(tmp_path / "parts", 4, 300, 1e-2), punctuation.loss_of, []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return loss_of(*arguments)

    monkeypatch.setattr(punctuation, "loss_of", stopping)
    with pytest.raises(KeyboardInterrupt):
        train(material, plan)
    again = train(material, plan)
    assert whole is not None
    for name, value in whole.arrays().items():
        assert np.array_equal(again.arrays()[name], value)


def test_marks_are_learned(material: Material, tmp_path: Path) -> None:
    """A short run learns what is regular in a text."""
    network = train(material, Plan(tmp_path, 60, 600, 1e-2))
    model = punctuation.Punctuator(material.numbers, material.forms, network.arrays())
    found = measure(model, material.held_out["ami"][:60], 0.25)
    assert found["."].f1 > 0.8
    assert found["?"].f1 > 0.8
    assert found["capitals"].f1 > 0.8


def test_pieces_are_heard_as_turns_and_partials_are() -> None:
    """A piece is whole, ends with a long pause, or anywhere, where it is not known how long the pause will be."""
    (written,) = read_written("Yes. I do not know, why do you ask me that? " * 3, ())
    piece, rng = piece_of(written), np.random.default_rng(1)
    seen = set()
    for _ in range(200):
        pauses = draw_pauses(piece.marks, rng)
        count, last = shortened(piece, pauses, rng)
        assert 1 <= count <= len(piece.words)
        assert last == UNKNOWN_PAUSE or pauses[count - 1] == LONG_PAUSE
        seen.add((count == len(piece.words), last))
    assert len(seen) > 2


def test_what_begins_a_sentence_says_nothing_of_capitals() -> None:
    """Only words inside sentences tell whether they have a form of their own."""
    (written,) = read_written("Anna saw Bo. Then he left.", ())
    assert piece_of(written).formed.tolist() == [NO_LABEL, 0, 1, NO_LABEL, 0, 0]
    assert [len(part) for part in cut(written * 20)] == [MOST_WORDS - 2, 42]


def test_the_network_has_what_arrays_need() -> None:
    """Every weight that the plain arrays read is there."""
    assert len(Network(5).arrays()) == 5 + 3 * len(punctuation.DILATIONS)
