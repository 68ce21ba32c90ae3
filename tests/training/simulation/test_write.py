from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from meetscribe.training.corpus import AlignedWord, Corpus
from meetscribe.training.simulation.render import Mixture, SimulatedTurn
from meetscribe.training.simulation.write import main, only, reference_rows


def mixture(*turns: SimulatedTurn) -> Mixture:
    return Mixture(np.zeros(32_000, np.float32), np.zeros((2, 32_000), np.float32), turns)


def test_a_turn_becomes_a_segment_with_the_times_of_its_words():
    """SegLST's keys in seconds, and beside them the slot and a pair of seconds for each word."""
    words = (AlignedWord("well", 1_600, (5,), (4_800,)), AlignedWord("yes", 8_000, (6, 7), (9_000, 16_000)))
    assert reference_rows("x", mixture(SimulatedTurn("p1", 1, 1_600, 16_000, words))) == [
        {
            "session_id": "x",
            "speaker": "p1",
            "slot": 1,
            "start_time": 0.1,
            "end_time": 1.0,
            "words": "well yes",
            "word_times": [[0.1, 0.3], [0.5, 1.0]],
        }
    ]


def test_a_recording_without_speech_is_in_the_reference_all_the_same():
    """One segment without words stands for it, or nobody would evaluate it."""
    (row,) = reference_rows("x", mixture())
    assert (row["session_id"], row["words"], row["start_time"], row["end_time"]) == ("x", "", 0.0, 0.0)


def test_a_joined_manifest_can_be_narrowed_to_one_corpus(corpus: Corpus):
    """Only the utterances of the corpus that was named are left."""
    mixed = Corpus((replace(corpus.utterances[0], corpus="other"), *corpus.utterances[1:]), corpus.audio)
    assert only(mixed, "librispeech").utterances == corpus.utterances[1:]


def test_a_missing_corpus_is_said_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The exit code is that of bad input, and the message names the file."""
    with pytest.raises(SystemExit) as ended:
        main(tmp_path, tmp_path / "cache", tmp_path / "out", ["noise"])
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "dev.jsonl" in captured.err.replace("\n", "")
