import itertools
from pathlib import Path

import pytest

from meetscribe.evaluation import multitalker
from meetscribe.evaluation.figures import Figures, measure, measure_pieces
from meetscribe.evaluation.material import Item
from meetscribe.evaluation.run import Run
from meetscribe.evaluation.turns import Share
from meetscribe.events import Final, Partial, Turn, TurnStart, Word
from meetscribe.timeline import to_samples

from .builders import segment

pytestmark = pytest.mark.skipif(not multitalker.available(), reason="meeteval is not installed")

REFERENCE = (segment("A", 0, 4, "one two three four"), segment("B", 2, 4, "five six"))


def _events(name: str, slot: int, start: float, text: str, partial: str) -> list:
    def turn(said: str) -> Turn:
        edges = [to_samples(start + index) for index in range(len(said.split()) + 1)]
        words = tuple(
            Word(w, a, b) for w, (a, b) in zip(said.split(), itertools.pairwise(edges), strict=True)
        )
        return Turn(name, slot, edges[0], edges[-1], said, words)

    return [
        TurnStart(turn=name, slot=slot, start=to_samples(start), at=to_samples(start + 0.5)),
        Partial(turn=turn(partial), revision=1, stable=0, at=to_samples(start + 1)),
        Final(turn=turn(text), at=turn(text).end + to_samples(0.7)),
    ]


def _run(*turns: tuple, memory: tuple[float, ...] = ()) -> Run:
    events = [event for number, rest in enumerate(turns) for event in _events(f"t{number}", *rest)]
    return Run(tuple(events), 60.0, 6.0, 3.0, memory)


def _item(timed: bool = True) -> Item:
    return Item("m", Path("m.wav"), REFERENCE, "", timed)


BOTH = ((0, 0, "one two three four", "one two tree for"), (1, 2, "five six", "five six"))


def test_both_passes_are_scored_by_region():
    """The final pass is right; the first misread two words, both where two people speak."""
    found = measure(_item(), _run(*BOTH)).as_dict()
    assert found["orc_wer"] == {"errors": 0, "length": 6, "rate": 0.0}
    assert found["first_pass"]["orc_wer_overlapped"] == {"errors": 2, "length": 4, "rate": 0.5}
    assert found["first_pass"]["orc_wer_single"]["errors"] == 0
    assert found["turns_counted_right"] == 1.0
    assert found["turns_counted_right_by_turns"] == {"2": 1.0}
    assert found["latency"]["sot"]["p50"] == 0.5
    assert found["latency"]["close"]["p50"] == 0.7
    assert found["turns_begun"] == 1.0
    assert found["words_beside_slot_0_per_minute"] == 2.0
    assert found["slots_meet"] == 1.0
    assert (found["rtf"], found["processor_rtf"]) == (0.1, 0.05)


def test_one_slot_loses_what_the_other_would_have_had():
    """What one slot alone says counts against the overlap, and the turns are counted wrongly."""
    found = measure(_item(), _run(BOTH[0]))
    assert found.final.orc.overlapped.errors == 2
    assert found.counted_right == Share(0, 1)
    assert found.began == Share(1, 2)


def test_times_that_cannot_be_trusted_give_no_figures_of_turns():
    """Words are scored all the same."""
    found = measure(_item(timed=False), _run(*BOTH)).as_dict()
    assert found["orc_wer"]["errors"] == 0
    assert found["turns_counted_right"] is None
    assert found["latency"]["sot"]["p50"] is None


def test_figures_of_recordings_add():
    """Counts add, and the worst growth of memory stands."""
    one = measure(_item(), _run(*BOTH, memory=(9.0,) * 5 + (10.0,)))
    two = measure(_item(), _run(BOTH[0], memory=(9.0,) * 5 + (8.0, 12.5)))
    total = sum((one, two), Figures())
    assert total.recordings == 2
    assert total.growth == 3.5
    assert total.final.orc.all.length == 12
    assert total.counted == ((2, Share(1, 2)),)
    assert total.as_dict()["hours"] == pytest.approx(120 / 3600, abs=1e-3)


def test_a_stream_is_scored_piece_by_piece():
    """With one piece the figures are the whole's; with more, words are right in the piece that they lie in."""
    done = _run(*BOTH)
    first, final = measure_pieces(_item(), done, [0, to_samples(60)])
    whole = measure(_item(), done)
    assert (first, final) == (whole.first_pass.orc, whole.final.orc)
    assert measure_pieces(_item(), done, [0, to_samples(2), to_samples(60)])[1].all.errors == 0
