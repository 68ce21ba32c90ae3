from meetscribe.evaluation.latency import Latencies, measure
from meetscribe.events import Final, Partial, Turn, TurnStart
from meetscribe.timeline import to_samples

from .builders import segment


def _turn(name: str, start: float, end: float, text: str) -> Turn:
    return Turn(name, 0, to_samples(start), to_samples(end), text)


def _events(name: str, start: float, end: float, times: tuple[float, float, float, float]) -> list:
    began, first, last, closed = (to_samples(time) for time in times)
    return [
        TurnStart(turn=name, slot=0, start=to_samples(start), at=began),
        Partial(turn=_turn(name, start, (start + end) / 2, "hello"), revision=1, stable=0, at=first),
        Partial(turn=_turn(name, start, end, "hello there"), revision=2, stable=1, at=last),
        Partial(turn=_turn(name, start, end, "hello where"), revision=3, stable=1, at=last + 1600),
        Final(turn=_turn(name, start, end, "hello there"), at=closed),
    ]


def test_each_latency_is_measured_from_its_own_reference_time():
    """Start and first word count from the turn's start, last word and close from its end."""
    found = measure([segment("A", 1, 3, "hello there")], _events("t1", 1, 3, (1.3, 1.5, 3.2, 3.9)))
    assert found.as_dict() == {
        "sot": {"p50": 0.3, "p90": 0.3},
        "first_word": {"p50": 0.5, "p90": 0.5},
        "last_word": {"p50": 0.2, "p90": 0.2},
        "close": {"p50": 0.9, "p90": 0.9},
    }


def test_a_turn_in_two_pieces_starts_with_the_first_and_ends_with_the_last():
    """When a turn was closed early, its end is that of the last piece."""
    events = _events("t1", 1, 2, (1.1, 1.2, 2.0, 2.1)) + _events("t2", 2.2, 3, (2.4, 2.5, 3.1, 3.6))
    found = measure([segment("A", 1, 3, "hello there")], events)
    assert found.first_word == (to_samples(0.2),)
    assert found.close == (to_samples(0.6),)


def test_turns_that_were_not_heard_give_no_figures():
    """Without a matching turn everything is None, never zero."""
    found = measure([segment("A", 50, 51, "hello")], _events("t1", 1, 3, (1.3, 1.5, 3.2, 3.9)))
    assert found == Latencies()
    assert found.as_dict()["close"] == {"p50": None, "p90": None}


def test_percentiles_are_of_all_sessions_together():
    """Sums keep every delay, and percentiles are taken last."""
    one, two = Latencies(close=(16000,)), Latencies(close=(32000,))
    assert (one + two).as_dict()["close"]["p50"] == 1.5


def test_a_turn_that_ran_into_the_next_is_no_fast_one():
    """One turn over two of the reference neither began for the second nor ended for the first."""
    reference = [segment("A", 1, 3, "hello there"), segment("A", 4, 9, "how do you do")]
    found = measure(reference, _events("t1", 1, 9, (1.3, 1.5, 9.2, 9.9)))
    assert found.sot == ()
    assert found.first_word == ()
    assert found.close == (to_samples(0.9),)
