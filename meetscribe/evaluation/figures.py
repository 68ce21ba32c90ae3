"""The figures of two people at once, of recordings and of sets: frozen values that add (see `docs/evaluation.md`).

Not covered: running anything (`run.py`), and which figure of which set is to be reached (`report.py`).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from meetscribe.evaluation import latency, turns
from meetscribe.evaluation.error_rate import ErrorRate, rounded, word_error_rate
from meetscribe.evaluation.latency import Latencies
from meetscribe.evaluation.material import Item
from meetscribe.evaluation.normaliser import PLAIN, Normaliser
from meetscribe.evaluation.pieces import cut_out
from meetscribe.evaluation.regions import Regional, orc_by_region
from meetscribe.evaluation.run import Run, final_turns, first_pass_turns, segments_of
from meetscribe.evaluation.score import words_of
from meetscribe.evaluation.segments import Segment, joined_turns, normalised
from meetscribe.evaluation.turns import Share
from meetscribe.timeline import to_samples

SETTLED = 5
"""Minutes after which memory is expected not to grow."""


@dataclass(frozen=True)
class Words:
    """How right one pass' words are."""

    wer: ErrorRate = field(default_factory=ErrorRate)
    orc: Regional = field(default_factory=Regional)
    leakage4: Share = field(default_factory=Share)
    omission4: Share = field(default_factory=Share)

    def __add__(self, other: "Words") -> "Words":
        return Words(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def as_dict(self) -> dict[str, Any]:
        """Return the figures under the keys of INTERFACES, and ORC-WER by region."""
        return {
            "wer": self.wer.as_dict(),
            "orc_wer": self.orc.all.as_dict(),
            "orc_wer_overlapped": self.orc.overlapped.as_dict(),
            "orc_wer_single": self.orc.single.as_dict(),
            "leakage4": self.leakage4.value,
            "omission4": self.omission4.value,
        }


@dataclass(frozen=True)
class Figures:
    """All figures of one or more recordings.

    `counted` holds for each number of turns in the recordings how many of them were counted right; `began` how many
    reference turns a turn began for. `growth` is MB of memory from minute `SETTLED` to the end, the worst.
    """

    final: Words = field(default_factory=Words)
    first_pass: Words = field(default_factory=Words)
    counted: tuple[tuple[int, Share], ...] = ()
    groups_right: Share = field(default_factory=Share)
    false_closes: Share = field(default_factory=Share)
    began: Share = field(default_factory=Share)
    latency: Latencies = field(default_factory=Latencies)
    beside: Share = field(default_factory=Share)
    slots_meet: Share = field(default_factory=Share)
    invented: Share = field(default_factory=Share)
    heard: float = 0.0
    spent: float = 0.0
    worked: float = 0.0
    recordings: int = 0
    growth: float | None = None

    def __add__(self, other: "Figures") -> "Figures":
        names = [f.name for f in fields(self) if f.name not in ("counted", "growth")]
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        counted = dict(self.counted)
        for number, share in other.counted:
            counted[number] = counted.get(number, Share()) + share
        growths = [growth for growth in (self.growth, other.growth) if growth is not None]
        return Figures(**sums, counted=tuple(sorted(counted.items())), growth=max(growths, default=None))

    @property
    def counted_right(self) -> Share:
        """Return the share of recordings whose turns were counted right."""
        return sum((share for _, share in self.counted), Share())

    def as_dict(self, normaliser: Normaliser = PLAIN) -> dict[str, Any]:
        """Return everything for JSON; the keys of INTERFACES where they exist."""
        return {
            **self.final.as_dict(),
            "first_pass": self.first_pass.as_dict(),
            "turns_counted_right": self.counted_right.value,
            "turns_counted_right_by_turns": {str(number): share.value for number, share in self.counted},
            "turns_right": self.groups_right.value,
            "false_close_rate": self.false_closes.value,
            "turns_begun": self.began.value,
            "latency": self.latency.as_dict(),
            "words_beside_slot_0_per_minute": self.beside.value,
            "slots_meet": self.slots_meet.value,
            "invented_words": self.invented.count,
            "invented_words_per_minute": self.invented.value,
            "rtf": rounded(self.spent / self.heard) if self.heard else None,
            "processor_rtf": rounded(self.worked / self.heard) if self.heard else None,
            "memory_growth_mb": rounded(self.growth, 1),
            "recordings": self.recordings,
            "hours": rounded(self.heard / 3600, 3),
            "normaliser": normaliser.name,
        }


def measure(item: Item, done: Run, normaliser: Normaliser = PLAIN) -> Figures:
    """Return the figures of one recording; those of turns only where the reference's times can be trusted.

    Raises:
        MissingError: meeteval is not installed.
    """
    expected = [segment for segment in normalised(item.reference, normaliser) if segment.words]
    heard, early = (_heard(item.name, done, first, normaliser) for first in (False, True))
    duration = to_samples(done.heard)
    found = Figures(
        final=_words(expected, heard),
        first_pass=_words(expected, early),
        beside=turns.beside_slot(heard, 0, duration),
        slots_meet=turns.slots_meet(heard),
        heard=done.heard,
        spent=done.spent,
        worked=done.worked,
        recordings=1,
        growth=done.memory[-1] - done.memory[SETTLED - 1] if len(done.memory) > SETTLED else None,
    )
    if not item.timed:
        return found
    spoken = joined_turns(expected)
    delays = latency.measure(spoken, done.events)
    return replace(
        found,
        counted=((len(spoken), turns.counted_right(expected, heard)),),
        groups_right=turns.turns_right(expected, heard),
        false_closes=turns.false_closes(expected, heard),
        began=Share(len(delays.sot), len(spoken)),
        latency=delays,
        invented=turns.invented_words(expected, heard, duration),
    )


def measure_pieces(
    item: Item, done: Run, borders: Sequence[int], normaliser: Normaliser = PLAIN
) -> tuple[Regional, Regional]:
    """Return the ORC-WER of a stream's first and final pass, scored piece by piece.

    Raises:
        MissingError: meeteval is not installed.
    """
    expected = normalised(item.reference, normaliser)
    passes = [Regional(), Regional()]
    for number, first in enumerate((True, False)):
        heard = _heard(item.name, done, first, normaliser)
        for start, end in itertools.pairwise(borders):
            passes[number] += orc_by_region(cut_out(expected, start, end), cut_out(heard, start, end))
    return passes[0], passes[1]


def _heard(name: str, done: Run, first_pass: bool, normaliser: Normaliser) -> list[Segment]:
    found = first_pass_turns(done.events) if first_pass else final_turns(done.events)
    return [segment for segment in normalised(segments_of(name, found), normaliser) if segment.words]


def _words(expected: Sequence[Segment], heard: Sequence[Segment]) -> Words:
    return Words(
        wer=word_error_rate(words_of(expected), words_of(heard)),
        orc=orc_by_region(expected, heard),
        leakage4=turns.leakage4(expected, heard),
        omission4=turns.omission4(expected, heard),
    )
