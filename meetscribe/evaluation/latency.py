"""How late things come out: start of a turn, its first word, its last word, its final.

An event's `at` is how much audio had been heard when it came out, so these are the latencies of the model's
look-ahead, chunks and decisions; the time of computing is not in them (the real-time factor tells it).
Each is measured against the reference turn that the hypothesis' turn belongs to (`matching.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from meetscribe.evaluation.error_rate import rounded
from meetscribe.evaluation.matching import best_match
from meetscribe.evaluation.segments import LONGEST_PAUSE, Segment
from meetscribe.events import Event, Final, Partial, TurnStart
from meetscribe.timeline import to_seconds


@dataclass(frozen=True)
class Latencies:
    """Delays in samples, one per matched turn; negative where something came before its reference time."""

    sot: tuple[int, ...] = ()
    first_word: tuple[int, ...] = ()
    last_word: tuple[int, ...] = ()
    close: tuple[int, ...] = ()

    def __add__(self, other: "Latencies") -> "Latencies":
        return Latencies(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def as_dict(self) -> dict[str, dict[str, float | None]]:
        """Return the median and the 90th percentile of each, in seconds; None without measurements."""
        return {field.name: _percentiles(getattr(self, field.name)) for field in fields(self)}


def _percentiles(delays: Sequence[int]) -> dict[str, float | None]:
    if not delays:
        return {"p50": None, "p90": None}
    p50, p90 = np.percentile(np.asarray(delays, dtype=float), (50, 90))
    return {"p50": rounded(to_seconds(round(p50)), 3), "p90": rounded(to_seconds(round(p90)), 3)}


def measure(reference: Sequence[Segment], events: Iterable[Event]) -> Latencies:
    """Measure one session's events against its reference turns (see `segments.joined_turns`).

    A turn whose final has no words, or that shares no time with a reference turn, is left out. Of several
    hypothesis turns for one reference turn the first gives the latencies of the start, the last those of
    the end. One that begins over 0.5 s before the reference did not begin for it, and one that ends so long after
    it did not end for it: they give no latency there, rather than a flattering one.
    """
    history = _History(events)
    first: dict[int, str] = {}
    last: dict[int, str] = {}
    for name, final in history.finals.items():
        index = best_match(reference, final.turn.start, final.turn.end)
        if index is not None:
            first.setdefault(index, name)
            last[index] = name
    sot, first_word, last_word, close = [], [], [], []
    for index, turn in enumerate(reference):
        if index not in first:
            continue
        opened, ended = first[index], last[index]
        if history.finals[opened].turn.start >= turn.start - LONGEST_PAUSE:
            if opened in history.started:
                sot.append(history.started[opened] - turn.start)
            if history.has_partials:
                first_word.append(history.first_word[opened] - turn.start)
        if history.finals[ended].turn.end <= turn.end + LONGEST_PAUSE:
            if history.has_partials:
                last_word.append(history.all_words[ended] - turn.end)
            close.append(history.finals[ended].at - turn.end)
    return Latencies(tuple(sot), tuple(first_word), tuple(last_word), tuple(close))


class _History:
    """When each turn started, showed its first word, first showed its last one, and closed."""

    def __init__(self, events: Iterable[Event]):
        self.started: dict[str, int] = {}
        self.first_word: dict[str, int] = {}
        self.all_words: dict[str, int] = {}
        self.finals: dict[str, Final] = {}
        self.has_partials = False  # a log keeps none: then nobody can tell when words were shown
        shown: dict[str, list[tuple[int, int]]] = {}  # when, and up to where, a turn was shown
        for event in events:
            if isinstance(event, TurnStart):
                self.started.setdefault(event.turn, event.at)
            elif isinstance(event, Partial) and event.turn.text:
                self.has_partials = True
                self.first_word.setdefault(event.turn.id, event.at)
                shown.setdefault(event.turn.id, []).append((event.at, event.turn.end))
            elif isinstance(event, Final) and event.turn.text:
                name, turn = event.turn.id, event.turn
                self.finals[name] = event
                self.first_word.setdefault(name, event.at)
                begins = turn.words[-1].start if turn.words else turn.end - 1
                self.all_words[name] = next((at for at, end in shown.get(name, []) if end > begins), event.at)
