import json

import pytest

from meetscribe.errors import InputError
from meetscribe.evaluation import multitalker
from meetscribe.evaluation.score import Scores, evaluate_files, score_session
from meetscribe.events import Final, Session, Turn
from meetscribe.formats import jsonl

from .builders import segment

KEYS = {
    "wer", "orc_wer", "cp_wer", "tcp_wer", "turns_right", "false_close_rate", "latency", "rtf", "leakage4",
    "omission4", "invented_words_per_minute", "normaliser", "processor_rtf", "orc_wer_overlapped",
    "orc_wer_single",
}  # fmt: skip
needs_meeteval = pytest.mark.skipif(not multitalker.available(), reason="meeteval is not installed")


def _write(path, rows):
    keys = ("session_id", "speaker", "start_time", "end_time", "words")
    path.write_text(json.dumps([dict(zip(keys, row, strict=True)) for row in rows]))
    return path


@needs_meeteval
def test_a_transcript_against_itself_is_without_fault(tmp_path):
    """The same file on both sides has no errors, all turns right, nothing invented or left out."""
    path = _write(
        tmp_path / "a.seglst.json", [("m", "A", 0, 2, "one two three four"), ("m", "B", 5, 6, "yes")]
    )
    found = evaluate_files(path, path)
    assert set(found) == KEYS
    assert found["wer"] == {"errors": 0, "length": 5, "rate": 0.0}
    assert found["cp_wer"] == found["tcp_wer"] == found["orc_wer"] == found["wer"]
    assert (found["turns_right"], found["omission4"], found["invented_words_per_minute"]) == (1.0, 0.0, 0.0)


@needs_meeteval
def test_what_files_cannot_tell_is_null(tmp_path):
    """Two SegLST files know no latencies, no computing time, no slots."""
    path = _write(tmp_path / "a.seglst.json", [("m", "A", 0, 2, "one two three four")])
    found = evaluate_files(path, path)
    assert found["rtf"] is None
    assert found["leakage4"] is None
    assert all(value == {"p50": None, "p90": None} for value in found["latency"].values())


@needs_meeteval
def test_a_log_of_events_tells_when_turns_closed(tmp_path):
    """A log of finals gives the latency of closing; when words were shown it does not say."""
    reference = _write(tmp_path / "r.seglst.json", [("m", "A", 0, 2, "one two")])
    turn = Turn("t1", 0, 0, 32000, "one two")
    log = [Session(title="m", started="", session="m", seq=1), Final(turn=turn, at=40000, session="m", seq=2)]
    (tmp_path / "h.jsonl").write_text(jsonl.encode(log))
    latency = evaluate_files(reference, tmp_path / "h.jsonl")["latency"]
    assert latency["close"]["p50"] == 0.5
    assert latency["first_word"]["p50"] is None


@needs_meeteval
def test_a_session_that_was_not_heard_counts_as_deleted(tmp_path):
    """Words of a session that the hypothesis lacks are errors; an unknown session is refused."""
    reference = _write(tmp_path / "r.seglst.json", [("m", "A", 0, 2, "one two"), ("n", "A", 0, 2, "three")])
    part = _write(tmp_path / "h.seglst.json", [("m", "x", 0, 2, "one two")])
    assert evaluate_files(reference, part)["wer"] == {"errors": 1, "length": 3, "rate": 0.3333}
    foreign = _write(tmp_path / "f.seglst.json", [("q", "x", 0, 2, "one two")])
    with pytest.raises(InputError, match="'q'"):
        evaluate_files(reference, foreign)


@needs_meeteval
def test_one_session_on_each_side_is_matched_by_itself(tmp_path):
    """A single recording need not be named alike on both sides."""
    reference = _write(tmp_path / "r.seglst.json", [("m", "A", 0, 2, "one two")])
    other = _write(tmp_path / "h.seglst.json", [("recording", "x", 0, 2, "One, two!")])
    assert evaluate_files(reference, other)["wer"]["errors"] == 0


def test_scores_add_counts_and_derive_ratios_last():
    """Two sessions of different lengths weigh by their words, not by their rates."""
    short = score_session([segment("A", 0, 1, "a")], [], multi=False)
    long = score_session([segment("A", 0, 9, "a b c d e f g h i")], [segment("x", 0, 9, "a b c d e f g h i")],
                         multi=False)  # fmt: skip
    assert (short + long).as_dict()["wer"] == {"errors": 1, "length": 10, "rate": 0.1}
    assert Scores(heard=10.0, spent=2.0).as_dict()["rtf"] == 0.2
    assert (short + long).as_dict()["orc_wer"] is None
