import json
import lzma
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from meetscribe.errors import InputError
from meetscribe.training.corpus import load_corpus
from meetscribe.training.prepare import ami, librispeech
from meetscribe.training.prepare.__main__ import app
from meetscribe.training.prepare.manifest import spoken

MEETINGS = """<nite:root nite:id="meetings" xmlns:nite="http://nite.sourceforge.net/">
 <meeting nite:id="m1" observation="EN2001a">
  <speaker nite:id="s1" nxt_agent="A" global_name="MEO069" channel="0"/>
  <speaker nite:id="s2" nxt_agent="B" global_name="FEE085" channel="1"/></meeting>
 <meeting nite:id="m2" observation="ES2011b">
  <speaker nite:id="s3" nxt_agent="A" global_name="FEE041" channel="0"/></meeting>
</nite:root>"""
WORDS = """<nite:root nite:id="w" xmlns:nite="http://nite.sourceforge.net/">
 <w nite:id="1" starttime="0.5" endtime="0.8">The</w><w nite:id="2" starttime="0.8" endtime="1.2">L_C_D_</w>
 <w nite:id="3" starttime="1.2" endtime="1.2" punc="true">,</w><w nite:id="4" starttime="1.4" endtime="1.6">isn't</w>
 <vocalsound nite:id="5" starttime="1.7" endtime="1.9" type="laugh"/>
 <w nite:id="6" starttime="2.5" endtime="2.7" trunc="true">wha</w><w nite:id="7" starttime="2.8" endtime="3.0">what</w>
 <w nite:id="8" starttime="3.6" endtime="3.9">Okay</w><w nite:id="9" starttime="3.9" endtime="3.9" punc="true">.</w>
</nite:root>"""


def noise(path: Path, seconds: float) -> None:
    """Writes quiet noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(1).normal(size=int(16_000 * seconds)) * 0.01
    soundfile.write(path, samples, 16_000)


@pytest.fixture
def librispeech_folder(tmp_path: Path) -> Path:
    """Returns a tree as LibriSpeech's archives unpack to."""
    folder = tmp_path / "LibriSpeech"
    for part, speaker, said in (("train-clean-100", 19, "CHAPTER ONE"), ("dev-clean", 84, "GO, DON'T")):
        chapter = folder / part / str(speaker) / "198"
        noise(chapter / f"{speaker}-198-0000.flac", 1.5)
        (chapter / f"{speaker}-198.trans.txt").write_text(f"{speaker}-198-0000 {said}\n")
    return folder


@pytest.fixture
def ami_folders(tmp_path: Path) -> tuple[Path, Path]:
    """Returns trees as AMI's download and its annotations unpack to."""
    audio, annotations = tmp_path / "amicorpus", tmp_path / "manual"
    (annotations / "corpusResources").mkdir(parents=True)
    (annotations / "words").mkdir()
    (annotations / "corpusResources" / "meetings.xml").write_text(MEETINGS)
    for meeting in ("EN2001a", "ES2011b"):
        noise(audio / meeting / "audio" / f"{meeting}.Headset-0.wav", 5)
        (annotations / "words" / f"{meeting}.A.words.xml").write_text(WORDS)
    return audio, annotations


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CHAPTER ONE", "chapter one"),
        ("Don’t, 'tis naïve!", "don't tis naive"),
        ("Room 12", None),
        ("...", ""),
    ],
)
def test_texts_are_brought_to_what_is_spoken(text: str, expected: str | None) -> None:
    """Small letters, apostrophes inside words and spaces are left; digits have no one reading."""
    assert spoken(text) == expected


def test_librispeech_becomes_a_corpus_where_it_lies(librispeech_folder: Path) -> None:
    """Each part goes to its split, and training reads the folder once it is aligned."""
    assert CliRunner().invoke(app, ["librispeech", str(librispeech_folder)]).exit_code == 0
    (row,) = read(librispeech_folder / "train.jsonl")
    assert row == {
        "audio": "train-clean-100/19/198/19-198-0000.flac",
        "text": "chapter one",
        "speaker": "ls-19",
        "duration": 1.5,
        "corpus": "librispeech",
        "licence": "CC-BY-4.0",
    }
    assert [row["text"] for row in read(librispeech_folder / "dev.jsonl")] == ["go don't"]
    words = [["chapter", 10, "CH:5 AE:5 P:5 T:5 ER:10"], ["one", 50, "W:10 AH:10 N:10"]]
    line = json.dumps({"audio": row["audio"], "words": words})
    (librispeech_folder / "alignments.jsonl.xz").write_bytes(lzma.compress(line.encode()))
    corpus = load_corpus(librispeech_folder, "train", librispeech_folder / "cache")
    assert [(one.text, one.samples) for one in corpus.utterances] == [("chapter one", 24_000)]


def test_ami_headsets_are_cut_into_turns(ami_folders: tuple[Path, Path], tmp_path: Path) -> None:
    """Turns end at pauses, what is cut short or unspelled is left out, and meetings go to AMI's own splits."""
    audio, annotations = ami_folders
    out = tmp_path / "ami"
    arguments = ["ami", str(audio), str(annotations), "--out", str(out)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    rows = read(out / "train.jsonl")
    assert [(row["text"], row["speaker"]) for row in rows] == [
        ("the l c d isn't", "ami-MEO069"),
        ("okay", "ami-MEO069"),
    ]
    assert (
        soundfile.info(out / rows[0]["audio"]).duration == pytest.approx(1.6, abs=0.01) == rows[0]["duration"]
    )
    assert [row["speaker"] for row in read(out / "dev.jsonl")] == ["ami-FEE041"] * 2
    before = (out / rows[0]["audio"]).stat().st_mtime_ns
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert (out / rows[0]["audio"]).stat().st_mtime_ns == before


def test_folders_of_something_else_are_named(tmp_path: Path) -> None:
    """A folder that is none of the corpus is an error with the remedy."""
    with pytest.raises(InputError, match="give the folder LibriSpeech"):
        librispeech.rows_of(tmp_path)
    with pytest.raises(InputError, match="give the folder of the manual annotations"):
        ami.rows_of(tmp_path, tmp_path, tmp_path)


def test_splits_of_ami_have_no_meeting_in_common() -> None:
    """Every meeting is of one split, by the series that it is of."""
    assert [ami.split_of(name) for name in ("ES2011a", "EN2002d", "ES2002a")] == ["dev", "test", "train"]


def test_alignments_are_resumed_and_failures_counted(librispeech_folder: Path, monkeypatch) -> None:
    """What was aligned is not aligned again; recordings that do not hold their words are left out."""
    pytest.importorskip("pocketsphinx", reason="extra `train`")
    from meetscribe.models import find
    from meetscribe.training.prepare import alignments

    assert CliRunner().invoke(app, ["librispeech", str(librispeech_folder)]).exit_code == 0
    part = librispeech_folder / "alignments.part.jsonl"
    done = {"audio": "train-clean-100/19/198/19-198-0000.flac", "words": [["chapter", 10, "CH:5"]]}
    part.write_text(json.dumps(done) + "\n")
    spelling = find(None).path / "g2p.safetensors"
    assert alignments.align(librispeech_folder, spelling, 1) == (1, 1)  # nobody says "go don't" in the noise
    with lzma.open(librispeech_folder / "alignments.jsonl.xz", "rt") as file:
        assert [json.loads(line) for line in file] == [done]
    monkeypatch.setattr(
        alignments, "_worked", lambda shares, processes: pytest.fail("again") if shares else []
    )
    assert alignments.align(librispeech_folder, spelling, 1) == (1, 1)
