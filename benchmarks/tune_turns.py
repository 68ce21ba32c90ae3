"""Tries settings of turns and leaks on what a network said of simulated meetings: latency against false closes.

    python benchmarks/tune_turns.py --model NAME --sets SETS/train --kept DIR ended_pause=6,8 closing.threshold=1,1.5

The network hears some recordings of each set once; its tables and activity are kept in `DIR` (a folder for each model,
the same as that of `scripts/fit-turns`). Then every combination of the values given is replayed through the whole
transcriber and prints a line: latencies of the start and the close of turns (p50/p90), turns closed at a pause inside
them, recordings whose turns were counted right, turns that were announced and withdrawn, words outside slot 0 of one
talker. Names are those of TurnSettings, its rules (`closing.…`, `splitting.…`) and LeakSettings, or `start_penalty` and
`end_penalty` of the first pass; what is not named is the model's own. `--show` prints what was heard beside what was
said where the number of turns is wrong.
In a replay the final pass reads the first pass' tables: times and counts are those of the pipeline, words are not.
Not covered: fitting rules (`scripts/fit-turns`), settings of the search that change words (`tune_search.py`).
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from search import combinations

from meetscribe import models
from meetscribe.checkpoint import Settings, load_model
from meetscribe.evaluation.segments import Segment
from meetscribe.timeline import to_seconds
from meetscribe.training.turn_rules import HYPOTHESES, Heard, Passes, Result, hear


def changed(settings: Settings, values: dict[str, float]) -> Settings:
    """Return the settings with some values changed.

    Raises:
        ValueError: a name is of no setting that can be tried here.
    """
    parts: dict[str, Any] = {name: getattr(settings, name) for name in ("turns", "leak", "first_pass")}
    for name, value in values.items():
        rule, _, weight = name.rpartition(".")
        if rule in ("closing", "splitting"):
            weighed = replace(getattr(parts["turns"], rule), **{weight: value})
            parts["turns"] = replace(parts["turns"], **{rule: weighed})
            continue
        owners = [key for key in parts if hasattr(parts[key], name)]
        if not owners:
            raise ValueError(f"{name} is no setting of turns, leaks or the first pass")
        part = parts[owners[0]]
        parts[owners[0]] = replace(part, **{name: type(getattr(part, name))(value)})
    return replace(settings, **parts)


def show(heard: Heard, found: Sequence[Segment]) -> None:
    """Print what was said and what was heard, where the numbers of turns differ."""
    if len(found) == len(heard.reference):
        return
    print(f"{heard.name}: {len(heard.reference)} turns, {len(found)} heard")
    for mark, part in (("said", heard.reference), ("heard", found)):
        for turn in part:
            print(
                f"  {mark:6}{turn.slot} {to_seconds(turn.start):6.2f}-{to_seconds(turn.end):6.2f} {turn.text[:70]}"
            )


def main() -> None:
    """Print a line for each combination of settings."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="a name or a directory; default: the shipped one")
    parser.add_argument("--sets", type=Path, required=True, help="a folder of sets")
    parser.add_argument("--kept", type=Path, required=True, help="where tables are kept")
    parser.add_argument(
        "--limit", type=int, default=36, help="recordings of turn-counting, as much of other sets"
    )
    parser.add_argument(
        "--hypotheses", type=int, default=HYPOTHESES, help="kept by the search: fewer are faster"
    )
    parser.add_argument("--oracle", action="store_true", help="with perfect separation")
    parser.add_argument(
        "--show", action="store_true", help="print the recordings whose turns are counted wrong"
    )
    parser.add_argument("settings", nargs="*", help="name=value,value,…")
    options = parser.parse_intermixed_args()
    model = load_model(models.find(options.model).path)
    heard = hear(model, options.sets, options.kept, options.limit, options.oracle)
    for values in combinations(options.settings):
        tried = replace(model, settings=changed(model.settings, values))
        passes, results = Passes.of(tried, options.hypotheses), dict[str, Result]()
        for one in heard:
            found, result = passes.outcome(one, tried.settings.turns)
            results[one.kind] = results.get(one.kind, Result()) + result
            if options.show:
                show(one, found)
        shown = " ".join(f"{name}={value:g}" for name, value in values.items())
        for kind, result in results.items():
            print(f"{result.line()}  {kind} {shown}", flush=True)


if __name__ == "__main__":
    main()
