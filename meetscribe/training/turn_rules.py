"""`scripts/fit-turns`: fits the rules that close turns and tell them apart to a model, and writes them to it.

    scripts/simulate --corpus CORPUS --cache CACHE --out SETS train/turn-counting train/two-talkers train/meetings
    scripts/fit-turns --model DIR --sets SETS/train --kept KEPT --corpus CORPUS/speech

The network hears some recordings of each set once (`KEPT`, a folder of its own for each model). Their first pass is
searched again with turns that close late, and what is known in each silence and between each two words is gathered
beside what the reference says: is the turn over, are the two words of two turns? Logistic regression weighs it. Then
thresholds are tried in replays of the whole pipeline: the closing one that closes soonest with few enough turns closed
at a pause inside them, then the splitting one with which most recordings have the right number of turns.
The sets are of training speakers: held-out ones are for evaluation.
Not covered: settings that change words (`benchmarks/tune_search.py`), single settings (`benchmarks/tune_turns.py`).
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from meetscribe.checkpoint import Model, description_of, load_model, save_model, save_turns
from meetscribe.engine.batches import InProcessEngine
from meetscribe.errors import InputError, MeetscribeError
from meetscribe.evaluation import controls, latency, material, run, turns
from meetscribe.evaluation.latency import Latencies
from meetscribe.evaluation.material import Item
from meetscribe.evaluation.replay import NATS, Pipeline, Replay, record
from meetscribe.evaluation.segments import Segment, joined_turns
from meetscribe.evaluation.turns import Share
from meetscribe.events import TurnStart
from meetscribe.nn.segmenter import SeparatorTransducerSegmenter
from meetscribe.nn.voice import VoiceConfig
from meetscribe.streaming.leak import activity_between
from meetscribe.streaming.recent import Recent
from meetscribe.streaming.rules import ClosingRule, SplitRule
from meetscribe.streaming.search import FoundWord, Search
from meetscribe.streaming.transcriber import Transcriber, TranscriberSettings
from meetscribe.streaming.turns import Turns, TurnSettings
from meetscribe.training import voices_apart
from meetscribe.training.corpus import Corpus, load_corpus

SETS = ("turn-counting", "two-talkers", "meetings", "one-talker")
HYPOTHESES = 150
"""Kept by the search: fewer are faster, and turns are hardly different."""

PATIENT = replace(
    TurnSettings(), pause=25, active_pause=25, quiet_pause=25, disputed_pause=60, quiet=0.5, ended_pause=25
)
"""Turns that close late, so that long silences are seen."""

NEAR = (3_200, 6_400)
"""Samples before and after a reference turn in which a word may still be of it."""

SHRINKAGE = 0.003
"""Of the regressions' weights, for each example."""

FEWEST = 10
"""Examples of each answer that a rule is fitted to."""

NEVER = 1e6
"""A threshold that no evidence reaches."""

EARLY = 3_200
"""Samples before a turn's end from which on no word of it is missing."""

CLOSING = (1.0, 1.5, 1.75, 2.0, 2.5, 3.0)
SPLITTING = (2.0, 1.0, 0.5, 0.0)
"""Thresholds that are tried, in log odds."""


@dataclass(frozen=True)
class Heard:
    """A recording: what the network said of it, and who says what when; slots are `sure` if they are those said."""

    kind: str
    name: str
    kept: Replay
    reference: list[Segment]
    sure: bool


@dataclass(frozen=True)
class Examples:
    """Evidence (one row each) and whether it is of an end or of two turns."""

    silences: list[tuple[float, ...]] = field(default_factory=list)
    over: list[bool] = field(default_factory=list)
    gaps: list[tuple[float, ...]] = field(default_factory=list)
    divided: list[bool] = field(default_factory=list)


@dataclass(frozen=True)
class Result:
    """What one combination of settings gives; results add."""

    delays: Latencies = field(default_factory=Latencies)
    counted: Share = field(default_factory=Share)
    false_closes: Share = field(default_factory=Share)
    begun: Share = field(default_factory=Share)
    withdrawn: Share = field(default_factory=Share)
    beside: Share = field(default_factory=Share)

    def __add__(self, other: "Result") -> "Result":
        return Result(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def close(self) -> float:
        """Return the median time from a turn's end to its close, in seconds."""
        return self.delays.as_dict()["close"]["p50"] or 0.0

    def line(self) -> str:
        """Return one line for people."""
        times = self.delays.as_dict()
        shown = [f"{name} {times[name]['p50']}/{times[name]['p90']} s" for name in ("sot", "close")]
        parts = (
            ("false closes", self.false_closes),
            ("counted right", self.counted),
            ("begun", self.begun),
            ("withdrawn", self.withdrawn),
        )
        shown += [f"{name} {100 * (share.value or 0):.1f} %" for name, share in parts]
        return ", ".join((*shown, f"{self.beside.value} words/min outside slot 0"))


@dataclass(frozen=True)
class Passes:
    """The searches of a model, narrowed, and its settings."""

    model: Model
    first: Search
    final: Search

    @classmethod
    def of(cls, model: Model, hypotheses: int = HYPOTHESES) -> "Passes":
        """Return the passes of a model."""
        settings = model.settings
        first, final = (
            model.search.with_settings(replace(one, most_hypotheses=hypotheses), model.log_prior)
            for one in (settings.first_pass, settings.final_pass)
        )
        return cls(model, first, final)

    def measure(self, heard: Sequence[Heard], settings: TurnSettings) -> Result:
        """Return what the pipeline does with settings of turns."""
        return sum((self.outcome(one, settings)[1] for one in heard), Result())

    def outcome(self, heard: Heard, settings: TurnSettings) -> tuple[list[Segment], Result]:
        """Return the turns that are heard in a recording, and what they are worth."""
        chunk, slots = self.model.network.recogniser.config.encoder.chunk, len(heard.kept.tables)
        chosen = TranscriberSettings(chunk, slots, turns=settings, leak=self.model.settings.leak)
        pipeline = Pipeline(heard.kept, lambda: Transcriber(self.first, self.final, chosen))
        events = run.transcribe(pipeline, np.zeros(heard.kept.samples, np.float32)).events
        found = run.segments_of(heard.name, run.final_turns(events))
        delays = latency.measure(heard.reference, events)
        starts = sum(isinstance(event, TurnStart) for event in events)
        return found, Result(
            delays,
            turns.counted_right(heard.reference, found),
            turns.false_closes(heard.reference, found),
            Share(len(delays.sot), len(heard.reference)),
            Share(starts - len(found), starts),
            turns.beside_slot(found, 0, heard.kept.samples) if heard.kind == "one-talker" else Share(),
        )


def hear(model: Model, sets: Path, kept: Path, limit: int, oracle: bool) -> list[Heard]:
    """Return what the network says of some recordings of each set that is there; it is kept for the next time.

    Raises:
        InputError: there is no set.
    """
    pipeline = controls.load_oracle(model.directory) if oracle else None
    found: list[Heard] = []
    for name in SETS:
        if not (sets / name / material.REFERENCE).is_file():
            continue
        items = material.read_set(sets / name)
        for item in chosen_items(name, items, limit):
            path = kept / ("oracle" if oracle else "model") / name / f"{item.name}.npz"
            if not path.is_file():
                engine = pipeline(item.audio).engine if pipeline else InProcessEngine(model.network)
                record(engine, material.load_audio(item.audio), model.network.chunk_samples).write(path)
            found.append(Heard(name, item.name, Replay.read(path), joined_turns(item.reference), oracle))
    if not found:
        raise InputError(f"{sets} holds none of {', '.join(SETS)}; scripts/simulate writes them (train/NAME)")
    return found


def chosen_items(name: str, items: Sequence[Item], limit: int) -> list[Item]:
    """Return `limit` times 20 s of a set, about: the first ones where every sixth has the same number of turns."""
    if name == "turn-counting":
        return list(items[:limit])
    share = {"two-talkers": 2, "meetings": 12, "one-talker": 12}[name]
    return material.sample(items, max(1, limit // share))


def gather(search: Search, heard: Sequence[Heard], model: Model) -> Examples:
    """Return the evidence of all silences and gaps, where the reference tells what they are."""
    examples, leak = Examples(), model.settings.leak.quiet
    chunk, spread = model.network.recogniser.config.encoder.chunk, spread_of(model.settings.turns)
    patient = replace(PATIENT, splitting=SplitRule(threshold=NEVER, spread=spread))
    for one in heard:
        for slot, (table, activity) in enumerate(zip(one.kept.tables, one.kept.activity, strict=True)):
            own = [turn for turn in one.reference if not one.sure or turn.slot == slot]
            subject, known = Turns(search, patient), Recent()
            known.append(activity)
            for begin in range(0, len(table), chunk):
                part = slice(begin, begin + chunk)
                voice = one.kept.voice[slot, part]
                subject.advance(table[part].astype(np.float32) * -NATS, activity[part], voice)
                if subject.is_open:
                    _gather_gaps(subject, own, examples)
                    _gather_silence(subject, own, examples, known, leak)
    return examples


def spread_of(settings: TurnSettings) -> tuple[float, ...]:
    """Return by how much voices differ between people, as the settings have it."""
    return () if settings.splitting is None else settings.splitting.spread


def _gather_silence(
    subject: Turns, reference: Sequence[Segment], examples: Examples, activity: Recent, leak: float
) -> None:
    silent = subject.silent()
    if silent is None:
        return
    word = subject.words[-1]
    owners = owners_of(word, reference)
    if owners and activity_between(activity, word.start, word.end) >= leak:
        examples.silences.append(silent.values)
        examples.over.append(all(turn.end - word.end < EARLY for turn in owners))


def _gather_gaps(subject: Turns, reference: Sequence[Segment], examples: Examples) -> None:
    words = subject.words
    for number, gap in subject.gaps():
        owners = [owners_of(word, reference) for word in words[number - 1 : number + 1]]
        if all(owners):
            examples.gaps.append(gap.values)
            examples.divided.append(owners[0][0] is not owners[1][0])


def owners_of(word: FoundWord, reference: Sequence[Segment]) -> list[Segment]:
    """Return the reference turns that a word may be of: those that have it, else those at its time, nearest first."""
    middle = (word.start + word.end) // 2
    near = [turn for turn in reference if turn.start - NEAR[0] <= middle <= turn.end + NEAR[1]]
    said = [
        turn
        for turn in near
        if any(own.word == word.text and abs(own.middle - middle) < NEAR[0] for own in turn.words)
    ]
    return said or sorted(near, key=lambda turn: max(turn.start - middle, middle - turn.end, 0))


def logistic(rows: Sequence[Sequence[float]], answers: Sequence[bool]) -> list[float]:
    """Return bias and weights of the logistic regression that answers rows of evidence.

    More evidence never speaks against: what would get a weight below 0, since other evidence says the same, gets 0.
    """
    evidence, wanted = np.asarray(rows, np.float64), np.asarray(answers, np.float64)
    used = [column for column in range(evidence.shape[1]) if evidence[:, column].std() > 0]
    while True:
        bias, weights = _regression(evidence[:, used], wanted)
        if not used or weights.min() >= 0:
            break
        del used[int(weights.argmin())]
    every = np.zeros(evidence.shape[1])
    every[used] = weights
    return [round(float(value), 4) for value in (bias, *every)]


def _regression(
    evidence: NDArray[np.float64], wanted: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Return bias and weights, slightly shrunk, by Newton's method."""
    mean, deviation = evidence.mean(0), evidence.std(0)
    inputs = np.c_[np.ones(len(evidence)), (evidence - mean) / deviation]
    penalty = SHRINKAGE * len(evidence) * np.r_[1e-3, np.ones(evidence.shape[1])]
    weights = np.zeros(inputs.shape[1])
    for _ in range(30):
        found = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (wanted - found) - penalty * weights
        curvature = (inputs.T * (found * (1 - found))) @ inputs + np.diag(penalty)
        weights += np.linalg.solve(curvature, slope)
    scaled = weights[1:] / deviation
    return float(weights[0] - scaled @ mean), scaled


def fitted(settings: TurnSettings, examples: Examples) -> TurnSettings:
    """Return settings with rules that the examples answer to.

    Raises:
        InputError: too few examples of one kind or the other.
    """
    for answers, what in ((examples.over, "silences"), (examples.divided, "gaps")):
        if min(sum(answers), len(answers) - sum(answers)) < FEWEST:
            raise InputError(f"too few {what} to learn from: give more or longer recordings (--limit)")
    closing = ClosingRule(*logistic(examples.silences, examples.over))
    splitting = SplitRule(*logistic(examples.gaps, examples.divided), spread=spread_of(settings))
    return replace(settings, closing=closing, splitting=splitting)


def tried(
    passes: Passes, heard: Sequence[Heard], settings: TurnSettings, most: float
) -> Iterator[tuple[TurnSettings, Result]]:
    """Yield combinations of thresholds with their results; the last one is the best.

    Args:
        passes: the model's.
        heard: recordings.
        settings: with rules.
        most: share of the turns that may be closed at a pause inside them.
    """
    closing, splitting = settings.closing, settings.splitting
    assert closing is not None
    assert splitting is not None
    whole = replace(settings, splitting=None)
    first: list[tuple[TurnSettings, Result]] = []
    for one in _closings(whole, closing):
        first.append((one, passes.measure(heard, one)))
        yield first[-1]
    few = [pair for pair in first if (pair[1].false_closes.value or 0.0) <= most]
    best = min(few or first[-1:], key=lambda pair: pair[1].close)
    for threshold in SPLITTING:
        one = replace(best[0], splitting=replace(splitting, threshold=threshold))
        result = passes.measure(heard, one)
        yield one, result
        allowed = max(most, best[1].false_closes.value or 0.0) + 0.01
        if result.counted.count > best[1].counted.count and (result.false_closes.value or 0.0) <= allowed:
            best = one, result
    yield best


def _closings(settings: TurnSettings, rule: ClosingRule) -> Iterator[TurnSettings]:
    for threshold in CLOSING:
        yield replace(settings, closing=replace(rule, threshold=threshold))


def with_voice(model: Model, corpus: Corpus) -> Model:
    """Return the model with voices told apart, as utterances of a corpus teach; written to its directory."""
    recogniser = model.network.recogniser
    utterances = voices_apart.chosen(corpus, np.random.default_rng(1))
    heard = voices_apart.hear(recogniser, corpus, utterances)
    voice, spread = voices_apart.estimated(heard, VoiceConfig(classes=recogniser.config.frame_classes))
    network = SeparatorTransducerSegmenter(recogniser, model.network.separator, voice).eval()
    turn_settings = replace(model.settings.turns, splitting=SplitRule(threshold=NEVER, spread=spread))
    taught = replace(model, network=network, settings=replace(model.settings, turns=turn_settings))
    card = (model.directory / "CARD.md").read_text(encoding="utf-8")
    save_model(taught, card, description_of(model.directory))
    return load_model(model.directory)


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    options = argparse.ArgumentParser(prog="scripts/fit-turns", description="Fit a model's rules of turns.")
    add = options.add_argument
    add("--model", type=Path, required=True, help="the model's directory; its model.json is written")
    add("--sets", type=Path, required=True, help="simulated sets of training speakers: SETS/train")
    add("--kept", type=Path, required=True, help="where the network's answers are kept, for this model alone")
    add("--corpus", type=Path, help="a corpus of many people, to learn first what tells voices apart")
    add("--cache", type=Path, help="folder for its decoded audio; default: in --kept")
    add(
        "--limit", type=int, default=36, help="so many recordings of turn-counting, as much of each other set"
    )
    add(
        "--false-closes", type=float, default=0.03, help="share of turns that may be closed at a pause inside"
    )
    add("--oracle", action="store_true", help="with perfect separation in place of the model's own")
    add("--dry", action="store_true", help="print, do not write")
    return options


def main(options: argparse.Namespace) -> int:
    """Fit and write; returns the exit code."""
    try:
        model = load_model(options.model)
        if options.corpus is not None:
            corpus = load_corpus(options.corpus, "train", options.cache or options.kept / "cache")
            model = with_voice(model, corpus)
        heard = hear(model, options.sets, options.kept, options.limit, options.oracle)
        passes = Passes.of(model)
        examples = gather(passes.first, heard, model)
        start = replace(
            model.settings.turns, quiet=PATIENT.quiet, open_run=3, quiet_pause=model.settings.turns.pause
        )
        settings = fitted(start, examples)
        print(
            f"{len(examples.over)} silences, {len(examples.divided)} gaps: {settings.closing} {settings.splitting}"
        )
        best = settings
        print(passes.measure(heard, model.settings.turns).line(), " as it was", flush=True)
        for best, result in tried(passes, heard, settings, options.false_closes):
            assert best.closing is not None
            split = None if best.splitting is None else best.splitting.threshold
            print(f"{result.line()}  closing at {best.closing.threshold}, splitting at {split}", flush=True)
        if not options.dry:
            save_turns(options.model, best)
    except MeetscribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(parser().parse_args()))
