"""The pipeline's figures over many recordings: the first pass and the final pass apart, by corpus.

Not covered: choosing and loading a model (`meetscribe.apps.evaluate`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from meetscribe.evaluation import latency, run
from meetscribe.evaluation.error_rate import ErrorRate, rounded
from meetscribe.evaluation.material import Item, load_audio
from meetscribe.evaluation.normaliser import PLAIN, Normaliser
from meetscribe.evaluation.score import Scores, score_session
from meetscribe.evaluation.segments import joined_turns
from meetscribe.evaluation.turns import Share
from meetscribe.timeline import to_samples


@dataclass(frozen=True)
class Outcome:
    """The figures of some recordings: the final pass' scores and the first pass' word error rate."""

    final: Scores = field(default_factory=Scores)
    first_pass: ErrorRate = field(default_factory=ErrorRate)
    recordings: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.final + other.final, self.first_pass + other.first_pass, self.recordings + other.recordings
        )

    def as_dict(self, normaliser: Normaliser = PLAIN) -> dict[str, Any]:
        """Return the keys of INTERFACES for the final pass, and beside them the first pass' error rate."""
        return {
            **self.final.as_dict(normaliser),
            "first_pass": {"wer": self.first_pass.as_dict()},
            "recordings": self.recordings,
            "hours": rounded(self.final.heard / 3600, 3),
        }


def evaluate_item(
    item: Item, pipeline: run.Pipeline, *, multi: bool, normaliser: Normaliser = PLAIN
) -> tuple[Outcome, run.Run]:
    """Transcribe one recording and score it.

    Turn measures and latencies are left empty where the reference's times are not to be trusted.
    """
    done = run.transcribe(pipeline, load_audio(item.audio))
    duration = to_samples(done.heard)
    heard = run.segments_of(item.name, run.final_turns(done.events))
    first = run.segments_of(item.name, run.first_pass_turns(done.events))
    scores = score_session(item.reference, heard, duration=duration, multi=multi, normaliser=normaliser)
    early = score_session(item.reference, first, duration=duration, multi=False, normaliser=normaliser)
    if item.timed:
        delays = latency.measure(joined_turns(item.reference), done.events)
        scores = replace(scores, latency=delays)
    else:
        scores = replace(scores, turns_right=Share(), false_closes=Share(), invented=Share())
    scores = replace(scores, heard=done.heard, spent=done.spent, worked=done.worked)
    return Outcome(scores, early.wer, 1), done


def by_group(outcomes: Iterable[tuple[str, Outcome]]) -> dict[str, Outcome]:
    """Add outcomes up per group (a corpus, the women in it), in order of first appearance."""
    sums: dict[str, Outcome] = {}
    for name, outcome in outcomes:
        sums[name] = sums.get(name, Outcome()) + outcome
    return sums


def total(outcomes: Sequence[Outcome]) -> Outcome:
    """Add all outcomes up."""
    return sum(outcomes, Outcome())
