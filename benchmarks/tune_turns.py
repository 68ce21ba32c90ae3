"""Tries settings of turns and leaks on what a network said of simulated meetings: latency against false closes.

    python benchmarks/tune_turns.py --model NAME --set SETS/turn-counting --kept DIR ended_pause=6,8 quiet=0.2,0.3

The network hears each recording once; its tables and activity are kept in `DIR` (one npz a recording; a folder belongs
to one model). Then every combination of the values given is replayed through the whole transcriber and prints a line:
latencies of the start and the close of turns (p50/p90), turns closed at a pause inside them, recordings whose turns
were counted right, words outside slot 0 (of one talker there should be none). Names are those of TurnSettings and
LeakSettings, or `start_penalty` and `end_penalty` of the first pass; what is not named is the model's own.
In a replay the final pass reads the first pass' tables: times and counts are those of the pipeline, words are not.
Not covered: settings of the search that change words (`tune_search.py`).
"""

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from search import combinations

from meetscribe import models
from meetscribe.checkpoint import Model, Settings, load_model
from meetscribe.engine.batches import InProcessEngine
from meetscribe.evaluation import latency, material, run, turns
from meetscribe.evaluation.latency import Latencies
from meetscribe.evaluation.material import Item
from meetscribe.evaluation.segments import joined_turns
from meetscribe.evaluation.turns import Share
from meetscribe.session.ports import Engine
from meetscribe.session.ports import Transcriber as AnyTranscriber
from meetscribe.streaming.steps import (
    STEP_FRAMES,
    STEP_SAMPLES,
    StepRequest,
    StepResult,
    StreamResult,
    StreamStep,
    WholeResult,
)

NATS = 1 / 20
"""Log probabilities are kept in this unit, in a byte: what is below -12.7 is never searched."""


@dataclass(frozen=True, eq=False)
class Replay:
    """An engine that answers with what was kept: tables, uint8 [C, T, V, V], and activity, float32 [C, T]."""

    tables: np.ndarray
    activity: np.ndarray

    def run(self, requests: Sequence[StepRequest]) -> list[StepResult]:
        """Return the results of the steps, in their order; features hold slot and step."""
        return [
            self._stream(request) if isinstance(request, StreamStep) else self._whole(request.features)
            for request in requests
        ]

    def _stream(self, request: StreamStep) -> StreamResult:
        first = request.state or 0
        steps = np.arange(first, first + len(request.audio) // STEP_SAMPLES)
        slots, frames = np.arange(len(self.tables))[:, None], np.repeat(steps, STEP_FRAMES)[None]
        features = np.stack(np.broadcast_arrays(slots, frames), -1).astype(np.float32)
        scores = self.tables[:, steps].astype(np.float32) * -NATS
        return StreamResult(scores, self.activity[:, steps], features, int(steps[-1]) + 1)

    def _whole(self, features: np.ndarray) -> WholeResult:
        steps = features[::STEP_FRAMES, 1].astype(int)
        return WholeResult(self.tables[int(features[0, 0]), steps].astype(np.float32) * -NATS)


@dataclass(frozen=True)
class Pipeline:
    """What `run.transcribe` needs."""

    engine: Engine
    new_transcriber: Callable[[], AnyTranscriber]


@dataclass(frozen=True)
class Result:
    """What one combination of settings gives; results add."""

    delays: Latencies = field(default_factory=Latencies)
    counted: Share = field(default_factory=Share)
    false_closes: Share = field(default_factory=Share)
    begun: Share = field(default_factory=Share)
    beside: Share = field(default_factory=Share)

    def __add__(self, other: "Result") -> "Result":
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in dataclasses.fields(self))
        return Result(*(one + two for one, two in pairs))

    def line(self) -> str:
        """Return one line for people."""
        times = self.delays.as_dict()
        shown = [f"{name} {times[name]['p50']}/{times[name]['p90']} s" for name in ("sot", "close")]
        parts = (("false closes", self.false_closes), ("counted right", self.counted), ("begun", self.begun))
        shown += [f"{name} {100 * (share.value or 0):.1f} %" for name, share in parts]
        return ", ".join((*shown, f"{self.beside.value} words/min outside slot 0"))


def record(model: Model, item: Item, path: Path) -> None:
    """Keep what the network says of a recording."""
    engine, chunk, state = InProcessEngine(model.network), model.network.chunk_samples, None
    audio = material.load_audio(item.audio)
    results: list[StreamResult] = []
    for begin in range(0, len(audio), chunk):
        part = audio[begin : begin + chunk]
        (result,) = engine.run([StreamStep(np.pad(part, (0, chunk - len(part))), state)])
        assert isinstance(result, StreamResult)
        state = result.state
        results.append(result)
    scores = np.concatenate([result.scores for result in results], 1)
    tables = np.clip(np.round(-scores / NATS), 0, 255).astype(np.uint8)
    activity = np.concatenate([result.activity for result in results], 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, tables=tables, activity=activity, samples=len(audio))


def changed(settings: Settings, values: dict[str, float]) -> Settings:
    """Return the settings with some values changed.

    Raises:
        ValueError: a name is of no setting that can be tried here.
    """
    parts = {"turns": settings.turns, "leak": settings.leak, "first_pass": settings.first_pass}
    for name, value in values.items():
        owners = [key for key in parts if hasattr(parts[key], name)]
        if not owners:
            raise ValueError(f"{name} is no setting of turns, leaks or the first pass")
        part = parts[owners[0]]
        kind = type(getattr(part, name))
        parts[owners[0]] = replace(part, **{name: kind(value)})
    return replace(settings, **parts)


def measure(model: Model, item: Item, path: Path) -> Result:
    """Replay a recording with the settings of a model."""
    with np.load(path) as kept:
        engine, silence = Replay(kept["tables"], kept["activity"]), np.zeros(int(kept["samples"]), np.float32)
    done = run.transcribe(Pipeline(engine, model.new_transcriber), silence)
    heard = run.segments_of(item.name, run.final_turns(done.events))
    expected = joined_turns(item.reference)
    delays = latency.measure(expected, done.events)
    return Result(
        delays,
        turns.counted_right(expected, heard),
        turns.false_closes(expected, heard),
        Share(len(delays.sot), len(expected)),
        turns.beside_slot(heard, 0, len(silence)),
    )


def main() -> None:
    """Print a line for each combination of settings."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="a name or a directory; default: the shipped one")
    parser.add_argument("--set", type=Path, required=True, help="a folder of recordings with a reference")
    parser.add_argument("--kept", type=Path, required=True, help="where tables are kept")
    parser.add_argument("--limit", type=int, help="only so many recordings, spread evenly over all")
    parser.add_argument("--hypotheses", type=int, default=150, help="kept by the search: fewer are faster")
    parser.add_argument("settings", nargs="*", help="name=value,value,…")
    options = parser.parse_intermixed_args()
    model = load_model(models.find(options.model).path)
    items = material.sample(material.read_set(options.set), options.limit)
    paths = [options.kept / f"{item.name}.npz" for item in items]
    for item, path in zip(items, paths, strict=True):
        if not path.is_file():
            record(model, item, path)
    passes = {name: getattr(model.settings, name) for name in ("first_pass", "final_pass")}
    narrow = {name: replace(value, most_hypotheses=options.hypotheses) for name, value in passes.items()}
    base = replace(model.settings, **narrow)
    for values in combinations(options.settings):
        tried = replace(model, settings=changed(base, values))
        results = [measure(tried, item, path) for item, path in zip(items, paths, strict=True)]
        shown = " ".join(f"{name}={value:g}" for name, value in values.items())
        print(f"{sum(results, Result()).line()}  {shown}", flush=True)


if __name__ == "__main__":
    main()
