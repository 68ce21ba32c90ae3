import json

import pytest


def segments(*words):
    rows = [
        {
            "session_id": "m",
            "speaker": f"s{n}",
            "slot": 0,
            "start_time": n,
            "end_time": n + 0.9,
            "words": text,
        }
        for n, text in enumerate(words)
    ]
    return json.dumps(rows)


def test_a_comparison_ends_with_one_line_of_json(cli, tmp_path):
    """The figures have the documented keys, and a perfect transcript has no errors."""
    pytest.importorskip("meeteval")
    (tmp_path / "r.seglst.json").write_text(segments("one two", "three"))
    (tmp_path / "h.seglst.json").write_text(segments("one too", "three"))
    result = cli("evaluate", "--reference", "r.seglst.json", "--hypothesis", "h.seglst.json")
    assert result.code == 0
    figures = json.loads(result.out.splitlines()[-1])
    assert (figures["wer"]["errors"], figures["wer"]["length"]) == (1, 3)
    assert {"orc_wer", "cp_wer", "tcp_wer", "turns_right", "latency", "rtf", "normaliser"} <= set(figures)
    same = cli("evaluate", "--reference", "r.seglst.json", "--hypothesis", "r.seglst.json")
    assert json.loads(same.out)["tcp_wer"]["errors"] == 0


def test_an_alignment_can_be_read(cli, tmp_path):
    """With --alignment what was said and heard around errors comes before the line of JSON; STM is read too."""
    pytest.importorskip("meeteval")
    (tmp_path / "r.stm").write_text("m 1 alice 0.0 1.0 one two\nm 1 bob 1.0 2.0 three\n")
    (tmp_path / "h.seglst.json").write_text(segments("one too", "three"))
    result = cli("evaluate", "--reference", "r.stm", "--hypothesis", "h.seglst.json", "--alignment")
    assert result.code == 0
    assert "said  one TWO" in result.out
    assert "heard one TOO" in result.out
    assert json.loads(result.out.splitlines()[-1])["cp_wer"]["errors"] == 1


def test_files_that_cannot_be_compared_are_refused(cli, tmp_path):
    """A missing or foreign file is one sentence and exit code 2."""
    (tmp_path / "r.seglst.json").write_text(segments("one"))
    (tmp_path / "bad.json").write_text("{")
    for bad in ("none.seglst.json", "bad.json", "r.pdf"):
        result = cli("evaluate", "--reference", "r.seglst.json", "--hypothesis", bad)
        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
        assert bad in result.err
