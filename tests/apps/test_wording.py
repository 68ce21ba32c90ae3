import subprocess
import sys
from pathlib import Path

import pytest
import stored_meetings as made

from meetscribe import events as ev
from meetscribe.apps.config import load_settings
from meetscribe.apps.wording import wording_of
from meetscribe.errors import UsageError
from meetscribe.lm.wording import USUAL
from meetscribe.store.store import Store


@pytest.fixture
def settings(tmp_path: Path):
    """Returns settings of an empty configuration file and some flags."""
    (tmp_path / "config.toml").write_text("")
    return lambda **flags: load_settings(tmp_path / "config.toml", {"data_dir": tmp_path, **flags})


def test_nothing_chosen_is_the_usual(settings) -> None:
    """Without a list text has marks and capitals, numbers in words, and nothing to listen for."""
    assert wording_of(settings()) == USUAL


def test_a_list_comes_from_a_file_or_the_settings(settings, tmp_path: Path) -> None:
    """`--hotwords` names a file; config.toml may name one, or hold the phrases."""
    (tmp_path / "names.txt").write_text("\ufeffAnna Nagy\nKubernetes\n", encoding="utf-8")
    assert wording_of(settings(hotwords=tmp_path / "names.txt")).hotwords == ("Anna Nagy", "Kubernetes")
    (tmp_path / "config.toml").write_text(
        'hotwords = ["Anna", "Bo"]\nnumerals = "digits"\npunctuation = false\n'
    )
    chosen = wording_of(settings())
    assert (chosen.hotwords, chosen.numerals, chosen.punctuation) == (("Anna", "Bo"), "digits", False)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no such list of hot words; check --hotwords"),
        (b"\xff\xfe\x00", "cannot be read as UTF-8"),
        (b"Anna\n" * 100_000, "too long for a list"),
        ("北京\n".encode(), "line 1: '北京' cannot be read aloud"),
    ],
)
def test_a_list_that_cannot_be_used_is_one_sentence(settings, tmp_path: Path, content, reason: str) -> None:
    """The file is named, with what is wrong and what to do."""
    if content is not None:
        (tmp_path / "names.txt").write_bytes(content)
    with pytest.raises(UsageError, match=rf"names\.txt.*{reason}"):
        wording_of(settings(hotwords=tmp_path / "names.txt"))


def test_what_people_put_right_is_listened_for_later(settings, tmp_path: Path) -> None:
    """Corrected words of past meetings follow the list, each once; a setting turns that off."""
    with Store(tmp_path) as store:
        for name, word in (("a", "Nagy"), ("b", "Anna")):
            made.record(
                store,
                ev.Final(turn=made.turn("t1", 0, 2, "this is data today", "s1")),
                ev.Correction(turn="t1", text=f"this is {word} today"),
                first=made.start(name),
            )
        (tmp_path / "names.txt").write_text("anna\n")
        chosen = wording_of(settings(hotwords=tmp_path / "names.txt"), store)
        assert (chosen.hotwords, chosen.learned) == (("anna",), ("Nagy",))
        assert wording_of(settings(learn_corrections=False), store) == USUAL


def test_lists_are_read_without_the_recogniser() -> None:
    """The process that records reads lists without loading torch or numba."""
    code = "import sys, meetscribe.apps.wording; print([m for m in ('torch', 'numba') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
