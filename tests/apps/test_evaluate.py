import json
import lzma
from pathlib import Path

import numpy as np
import pytest
import soundfile

from meetscribe.apps import evaluate
from meetscribe.apps.recogniser import Recogniser
from meetscribe.events import Final, Partial, Turn, TurnStart


class _Silent:
    """An engine with nothing to run."""

    def run(self, requests):
        return list(requests)


class _Echo:
    """Hears "hello there" in the first pass and "hello world" in the final, one turn per recording."""

    def __init__(self):
        self._heard = 0
        self._events = []

    def _turn(self, text):
        return Turn("t1", 0, 1600, max(self._heard, 3200), text)

    def receive_audio(self, samples):
        assert samples.dtype == np.float32
        if not self._heard:
            self._events.append(TurnStart(turn="t1", slot=0, start=1600, at=len(samples)))
        self._heard += len(samples)
        self._events.append(Partial(turn=self._turn("hello there"), revision=1, stable=0, at=self._heard))

    def receive_eof(self):
        self._events.append(Final(turn=self._turn("Hello world."), at=self._heard))

    def requests(self):
        return []

    def receive_result(self, result):
        raise AssertionError("nothing was asked for")

    def events(self):
        taken, self._events = self._events, []
        return taken


def _load(model: Path) -> Recogniser:
    return Recogniser(model.name, _Silent(), _Echo)


@pytest.fixture
def corpus(tmp_path):
    """A manifest of three utterances of two corpora, two of them aligned, and a model's directory."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").write_text("{}")
    rows, aligned = [], []
    for index, name in enumerate(("one", "one", "two")):
        audio = f"{index}.wav"
        soundfile.write(tmp_path / audio, np.zeros(16000), 16000)
        row = {"audio": audio, "text": "hello world", "corpus": name, "duration": 1.0, "speaker": "a"}
        rows.append(row | [{"age": 12, "gender": "f"}, {"age": 17}, {}][index])
        if index:
            words = [["hello", 10, "HH:5 AH:5 L:5 OW:5"], ["world", 40, "W:5 ER:5 L:5 D:5"]]
            aligned.append({"audio": audio, "words": words})
    rows.append({"audio": "none.wav", "text": None, "corpus": "one"})
    (tmp_path / "dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = "".join(json.dumps(row) + "\n" for row in aligned)
    (tmp_path / "alignments.jsonl.xz").write_bytes(lzma.compress(lines.encode()))
    return tmp_path


def _main(corpus, capsys, *arguments):
    base = ["--manifest", str(corpus / "dev.jsonl"), "--model", str(corpus / "model")]
    code = evaluate.main([*base, *arguments], _load)
    return code, capsys.readouterr()


def test_first_and_final_pass_are_scored_apart(corpus, capsys):
    """Half of the first pass' words are wrong, none of the final's; both are in the one line of JSON."""
    code, out = _main(corpus, capsys, "--json")
    assert code == 0
    (line,) = out.out.splitlines()
    figures = json.loads(line)
    assert figures["wer"] == {"errors": 0, "length": 6, "rate": 0.0}
    assert figures["first_pass"]["wer"]["rate"] == 0.5
    assert figures["recordings"] == 3
    assert 0 <= figures["rtf"] < 1  # of a network that says at once what it was told to
    assert figures["orc_wer"] is None
    assert set(figures["by_corpus"]) == {"one", "two"}


def test_groups_of_speakers_are_scored_apart(corpus, capsys):
    """Ages are told apart at 13 and 18; who says nothing of himself is in no group."""
    _, out = _main(corpus, capsys, "--json", "--by", "age", "--by", "gender")
    figures = json.loads(out.out)
    assert set(figures["by_age"]) == {"one, age under 13", "one, age 13 to 17"}
    assert figures["by_gender"]["one, gender f"]["wer"]["length"] == 2


def test_latencies_come_from_aligned_utterances_only(corpus, capsys):
    """The start of the turn is told after 0.1 s, as the reference's; the close at the end of the audio."""
    _, out = _main(corpus, capsys, "--json")
    latency = json.loads(out.out)["latency"]
    assert latency["sot"]["p50"] == 0.0
    assert latency["close"]["p50"] == pytest.approx(1.0 - 0.6)


def test_a_limit_takes_recordings_spread_over_all_and_a_corpus_only_its_own(corpus, capsys):
    """--corpus and --limit choose, people's lines come before the JSON, what was heard is written."""
    heard = corpus / "heard.jsonl"
    code, out = _main(corpus, capsys, "--corpus", "one", "--limit", "1", "--hypotheses", str(heard))
    assert code == 0
    lines = out.out.splitlines()
    assert lines[0].startswith("one: 1 recordings")
    assert json.loads(lines[-1])["recordings"] == 1
    assert json.loads(heard.read_text())["final"] == "Hello world."


def test_a_recording_with_a_reference_is_scored(corpus, capsys):
    """A SegLST reference and its recording give all figures that meeteval and the events allow."""
    row = {"session_id": "m", "speaker": "A", "start_time": 0.1, "end_time": 0.9, "words": "hello world"}
    (corpus / "m.seglst.json").write_text(json.dumps([row]))
    arguments = ["--reference", str(corpus / "m.seglst.json"), "--audio", str(corpus / "0.wav"), "--json"]
    assert evaluate.main([*arguments, "--model", str(corpus / "model")], _load) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["wer"]["errors"] == 0
    assert figures["turns_right"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--manifest", "nowhere.jsonl"], "nowhere.jsonl"),
        ([], "--manifest"),
        (["--reference", "a.seglst.json"], "--audio"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_2(arguments, said, capsys):
    """What is missing is named on stderr, nothing on stdout."""
    assert evaluate.main(arguments, _load) == 2
    out = capsys.readouterr()
    assert said in out.err
    assert out.out == ""


def test_an_unknown_corpus_is_refused_with_those_that_exist(corpus, capsys):
    """The message lists the manifest's corpora."""
    code, out = _main(corpus, capsys, "--corpus", "three")
    assert code == 2
    assert "one, two" in out.err
