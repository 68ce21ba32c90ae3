"""The figures of INTERFACES: one set of keys for `meetscribe evaluate` and `scripts/evaluate`.

A figure that the given inputs cannot tell is None, never invented: latencies need the events, the real-time
factor needs the run, leakage needs slots.
Not covered: running a model (`meetscribe.apps.evaluate`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from meetscribe.errors import InputError
from meetscribe.evaluation import multitalker, turns
from meetscribe.evaluation.error_rate import ErrorRate, rounded, word_error_rate
from meetscribe.evaluation.latency import Latencies, measure
from meetscribe.evaluation.normaliser import PLAIN, Normaliser
from meetscribe.evaluation.regions import Regional, orc_by_region
from meetscribe.evaluation.segments import Segment, by_session, joined_turns, normalised, read_segments
from meetscribe.evaluation.turns import Share
from meetscribe.formats import jsonl, registry

_Rate = TypeVar("_Rate", ErrorRate, Regional)


@dataclass(frozen=True)
class Scores:
    """Everything measured over one or more sessions; sums are over sessions, and ratios come last.

    `wer` compares all words in order of time and knows no speakers. The three multi-talker rates (`orc` by region)
    are None where they were not asked for, `turns_right` and `false_closes` are empty where turn times are not known.
    `heard`, `spent` and `worked` are seconds of audio, by the clock, and of processor time.
    """

    wer: ErrorRate = field(default_factory=ErrorRate)
    orc: Regional | None = None
    cp_wer: ErrorRate | None = None
    tcp_wer: ErrorRate | None = None
    turns_right: Share = field(default_factory=Share)
    false_closes: Share = field(default_factory=Share)
    leakage4: Share = field(default_factory=Share)
    omission4: Share = field(default_factory=Share)
    invented: Share = field(default_factory=Share)
    latency: Latencies = field(default_factory=Latencies)
    heard: float = 0.0
    spent: float = 0.0
    worked: float = 0.0

    def __add__(self, other: "Scores") -> "Scores":
        return Scores(
            self.wer + other.wer,
            _sum(self.orc, other.orc),
            _sum(self.cp_wer, other.cp_wer),
            _sum(self.tcp_wer, other.tcp_wer),
            self.turns_right + other.turns_right,
            self.false_closes + other.false_closes,
            self.leakage4 + other.leakage4,
            self.omission4 + other.omission4,
            self.invented + other.invented,
            self.latency + other.latency,
            self.heard + other.heard,
            self.spent + other.spent,
            self.worked + other.worked,
        )

    def _per_second(self, seconds: float) -> float | None:
        return rounded(seconds / self.heard) if self.heard and seconds else None

    def as_dict(self, normaliser: Normaliser = PLAIN) -> dict[str, Any]:
        """Return the figures under the keys of INTERFACES."""
        orc = self.orc
        rates = {
            "wer": self.wer,
            "orc_wer": None if orc is None else orc.all,
            "orc_wer_overlapped": None if orc is None else orc.overlapped,
            "orc_wer_single": None if orc is None else orc.single,
            "cp_wer": self.cp_wer,
            "tcp_wer": self.tcp_wer,
        }
        return {
            **{name: None if rate is None else rate.as_dict() for name, rate in rates.items()},
            "turns_right": self.turns_right.value,
            "false_close_rate": self.false_closes.value,
            "latency": self.latency.as_dict(),
            "rtf": self._per_second(self.spent),
            "processor_rtf": self._per_second(self.worked),
            "leakage4": self.leakage4.value,
            "omission4": self.omission4.value,
            "invented_words_per_minute": self.invented.value,
            "normaliser": normaliser.name,
        }


def _sum(first: _Rate | None, second: _Rate | None) -> _Rate | None:
    """Add two rates; one that is missing on either side does not count."""
    if first is None or second is None:
        return first or second
    return first + second


def words_of(segments: Sequence[Segment]) -> list[str]:
    """Return all words in the order of their segments' starts."""
    return [word.word for segment in sorted(segments, key=lambda s: s.start) for word in segment.words]


def score_session(
    reference: Sequence[Segment],
    hypothesis: Sequence[Segment],
    *,
    duration: int | None = None,
    multi: bool = True,
    normaliser: Normaliser = PLAIN,
) -> Scores:
    """Score one session.

    Args:
        reference: segments of the reference, with times.
        hypothesis: segments of the hypothesis; what a segment is decides the turn measures.
        duration: samples of audio; without it the last end of either side.
        multi: whether to compute ORC-WER, cpWER and tcpWER.
        normaliser: what is done to the words first.

    Raises:
        MissingError: `multi` is asked for and meeteval is not installed.
    """
    expected, heard = normalised(reference, normaliser), normalised(hypothesis, normaliser)
    spoken = [segment for segment in heard if segment.words]
    if duration is None:
        duration = max((segment.end for segment in (*expected, *heard)), default=0)
    return Scores(
        wer=word_error_rate(words_of(expected), words_of(heard)),
        orc=orc_by_region(expected, heard) if multi else None,
        cp_wer=multitalker.cp_wer(expected, heard) if multi else None,
        tcp_wer=multitalker.tcp_wer(expected, heard) if multi else None,
        turns_right=turns.turns_right(expected, spoken),
        false_closes=turns.false_closes(expected, spoken),
        leakage4=turns.leakage4(expected, heard),
        omission4=turns.omission4(expected, heard),
        invented=turns.invented_words(expected, heard, duration),
    )


def read_pair(
    reference: Path | str, hypothesis: Path | str
) -> tuple[dict[str, list[Segment]], dict[str, list[Segment]]]:
    """Return the segments of both files by the reference's sessions.

    Raises:
        InputError: a file cannot be read, or the hypothesis has a session that the reference lacks.
    """
    expected = by_session(read_segments(Path(reference)))
    heard = by_session(read_segments(Path(hypothesis)))
    if len(expected) == len(heard) == 1:
        heard = dict(zip(expected, heard.values(), strict=True))
    unknown = sorted(set(heard) - set(expected))
    if unknown:
        raise InputError(
            f"{hypothesis}: session {unknown[0]!r} is not in {reference}; give both the same session_id"
        )
    return expected, heard


def evaluate_files(reference: Path | str, hypothesis: Path | str) -> dict[str, Any]:
    """Compare two transcripts in files and return the figures of INTERFACES.

    Sessions are matched by their ids; one session on each side is matched whatever their ids are. A session
    of the reference that the hypothesis lacks counts as nothing heard. Turns of the hypothesis are the file's
    segments.

    Raises:
        InputError: a file cannot be read, or the hypothesis has a session that the reference lacks.
        MissingError: meeteval is not installed.
    """
    expected, heard = read_pair(reference, hypothesis)
    total = Scores(latency=_latencies(expected, Path(hypothesis)))
    for name, segments in expected.items():
        total += score_session(segments, heard.get(name, []))
    return total.as_dict()


def _latencies(expected: dict[str, list[Segment]], hypothesis: Path) -> Latencies:
    """Return what the events of one meeting tell of delays; nothing where the file holds no events."""
    if registry.by_path(hypothesis.name).name != "jsonl" or len(expected) != 1:
        return Latencies()
    (segments,) = expected.values()
    events = jsonl.decode(hypothesis.read_text(encoding="utf-8"))
    return measure(joined_turns(normalised(segments, PLAIN)), events)
