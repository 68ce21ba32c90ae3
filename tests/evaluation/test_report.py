from meetscribe.evaluation.controls import BYPASSED, WHOLE
from meetscribe.evaluation.error_rate import ErrorRate
from meetscribe.evaluation.figures import Figures, Words
from meetscribe.evaluation.regions import Regional
from meetscribe.evaluation.report import (
    LONG,
    SINGLE,
    TWO_TALKERS,
    Pieces,
    derived,
    improvement,
    markdown,
    pooled,
)


def _figures(errors: int, length: int = 100) -> Figures:
    rate = ErrorRate(errors, length, substitutions=errors)
    words = Words(wer=rate, orc=Regional(rate, ErrorRate(0, 100)))
    return Figures(final=words, first_pass=words, recordings=1, heard=60.0, worked=6.0)


def test_the_model_is_compared_with_the_separator_bypassed():
    """Thirty errors in place of sixty are half as many, and one talker is four points worse."""
    sets = {
        TWO_TALKERS: {WHOLE: _figures(30), BYPASSED: _figures(60)},
        SINGLE: {WHOLE: _figures(24), BYPASSED: _figures(20)},
    }
    found = derived(sets, None)
    assert found["two-talkers: overlapped, better than bypassed"] == 0.5
    assert found["one talker, worse than the recogniser alone"] == 0.04
    assert improvement(ErrorRate(), ErrorRate()) is None


def test_a_set_that_is_not_there_leaves_dashes():
    """Every row is there whatever was run; what was not run is a dash, and comparisons know nothing."""
    table = markdown({}, None)
    assert "| leakage@4 | 5 % | 1 % | — | — | — | — |" in table
    assert set(derived({}, None).values()) == {None}
    assert pooled({}, (TWO_TALKERS,), WHOLE) is None


def test_cells_hold_the_final_pass_and_the_first():
    """Rates are per cent, of the control whose column they stand in; all rows are equally wide."""
    table = markdown({TWO_TALKERS: {BYPASSED: _figures(30)}, LONG: {WHOLE: _figures(10)}}, None)
    row = next(line for line in table.splitlines() if line.startswith("| two talkers, overlapped"))
    assert [cell.strip() for cell in row.split("|")[4:6]] == ["—", "30.0 % (30.0 %)"]
    assert "| real-time factor, one thread | 0.3 |  | 0.10 |" in table
    (first, *_), *_ = [block.splitlines() for block in table.split("\n\n")]
    assert all(line.count("|") == first.count("|") for line in table.split("\n\n")[0].splitlines())


def test_the_long_stream_is_compared_with_its_pieces():
    """Two points more errors as a stream than by the piece."""
    stream, alone = (Regional(single=ErrorRate(n, 100, substitutions=n)) for n in (22, 20))
    pieces = Pieces((stream, stream), (alone, alone))
    assert derived({}, pieces)["20-minute stream, worse than its pieces"] == 0.02
    assert "stream 22.0 % (22.0 %), pieces 20.0 % (20.0 %)" in markdown({}, pieces)
    assert pieces.as_dict()["pieces"]["final"]["rate"] == 0.2
