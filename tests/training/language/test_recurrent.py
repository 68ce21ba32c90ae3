from pathlib import Path

import numpy as np
import pytest

from meetscribe.lm.lexicon import Lexicon, save_lexicon
from meetscribe.lm.recurrent import FIRST_WORD, SENTENCE_END, UNKNOWN, RecurrentLM
from meetscribe.lm.symbols import spell
from meetscribe.training.language import recurrent
from meetscribe.training.language.recurrent import Material, Plan, in_rows, perplexity, read_material, train

BOOKS = ("anna saw bo", "bo saw anna", "zed saw anna bo")
TALK = ("anna anna bo",)


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Material:
    folder = tmp_path_factory.mktemp("text")
    (folder / "books.txt").write_text("\n".join(BOOKS * 200) + "\n")
    (folder / "talk.txt").write_text("\n".join(TALK * 400) + "\n")
    known = ("anna", "bo", "saw", "never")
    save_lexicon(Lexicon(known, tuple((spell(["AE", "N"]),) for _ in known)), folder / "lexicon.txt.xz")
    return read_material([folder / "books.txt", folder / "talk.txt"], folder / "lexicon.txt.xz", size=5)


def test_the_commonest_words_of_the_lexicon_have_rows(material: Material) -> None:
    """Others are unknown, each line is ended, and every 200th is held out."""
    assert material.spelled == ("anna", "bo", "saw")
    assert [len(lines) for lines in material.held_out] == [3, 2]
    assert len(material.counts) == FIRST_WORD + 3
    assert material.texts[0][:4].tolist() == [2, 4, 3, SENTENCE_END]
    assert (material.texts[0] == UNKNOWN).sum() == material.counts[UNKNOWN] > 0
    assert material.counts[SENTENCE_END] == 600 - 3 + 400 - 2


def test_texts_lie_side_by_side() -> None:
    """Each has half of the rows; all of the longer one is in them, and each row goes on as its text does."""
    long, short = np.arange(100, dtype=np.int32), np.arange(1000, 1030, dtype=np.int32)
    rows = in_rows([long, short], 8)
    assert rows.shape == (8, 25)
    assert set(rows[:4].flat) == set(long)
    assert set(rows[4:].flat) == set(short)
    following = np.diff(rows.astype(int), axis=1)
    assert set(following.flat) <= {1, -99, -29}


def test_a_run_that_was_stopped_goes_on(material: Material, tmp_path: Path, monkeypatch) -> None:
    """Stopped and started again, a run ends with the same weights as one that was not."""
    folders = [tmp_path / name for name in ("whole", "parts")]
    for folder in folders:
        folder.mkdir()
    plans = [Plan(folder, 4, rows=4, drawn=3) for folder in folders]
    whole = train(material, plans[0]).arrays()
    monkeypatch.setattr(recurrent, "KEPT_EVERY", 1)
    monkeypatch.setattr(recurrent.SampledLoss, "__call__", _stopping(recurrent.SampledLoss.__call__, 2))
    with pytest.raises(KeyboardInterrupt):
        train(material, plans[1])
    parts = train(material, plans[1]).arrays()
    for name, value in whole.items():
        np.testing.assert_allclose(parts[name], value, atol=1e-6)


def _stopping(call, after: int):
    calls: list[int] = []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == after + 1:
            raise KeyboardInterrupt
        return call(*arguments)

    return stopping


def test_what_is_said_often_becomes_likely(material: Material, tmp_path: Path) -> None:
    """After some steps sentences of the text are far likelier than by the frequencies of their words alone."""
    network = train(material, Plan(tmp_path, 60, rate=1e-2, rows=8, drawn=4))
    model = RecurrentLM(material.spelled, network.arrays())
    shares = material.counts / material.counts.sum()
    alone = 1 / np.exp(np.mean(np.log(shares[[2, 4, 3, SENTENCE_END]])))
    assert perplexity(model, ["anna saw bo"]) < 0.7 * alone
