import dataclasses

import pytest

from meetscribe.evaluation.record import Record
from meetscribe.evaluation.run import Run
from meetscribe.events import Event, Final, Partial, Turn, TurnStart, Word

TURN = Turn("t1", 1, 1600, 4800, "hello\u2028there", (Word("hello\u2028there", 1600, 4800),))
EVENTS: tuple[Event, ...] = (
    TurnStart(turn="t1", slot=1, start=1600, at=3200),
    Partial(turn=TURN, revision=1, stable=0, at=4800),
    Final(turn=TURN, at=6400),
)
RUN = Run(EVENTS, heard=2.5, spent=0.5, worked=0.25, memory=(100.0, 101.5))


def test_what_was_written_is_read_back(tmp_path):
    """All events, partials too, and the times taken are there again."""
    record = Record(tmp_path / "runs")
    record.write("a/b", RUN)
    assert record.read("a/b") == RUN
    assert record.missing(["a/b", "c"]) == ["c"]


@pytest.mark.parametrize("damage", ["", "{}", "[]\n", '{"heard": 1}\nnonsense'])
def test_a_damaged_run_is_missing(tmp_path, damage):
    """Whatever a file holds, it is either the whole run or none."""
    record = Record(tmp_path)
    record.write("a", RUN)
    (path,) = tmp_path.iterdir()
    path.write_text(damage)
    assert record.read("a") is None


def test_a_run_can_be_written_again(tmp_path):
    """The newer one stands."""
    record = Record(tmp_path)
    record.write("a", RUN)
    record.write("a", dataclasses.replace(RUN, heard=9.0))
    found = record.read("a")
    assert found is not None
    assert found.heard == 9.0
