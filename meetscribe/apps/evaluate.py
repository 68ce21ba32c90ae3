"""Figures of the shipped pipeline over a manifest or over recordings with a reference (`scripts/evaluate`).

    scripts/evaluate --manifest dev.jsonl --corpus librispeech --model NAME --limit 80 --json
    scripts/evaluate --reference meeting.seglst.json --audio FILE|FOLDER --model NAME

The pipeline streams inside, as in a meeting. Results go to stdout and end with one JSON line; with `--json`
that line is all of stdout. The exit codes are those of the command line: 0, 2 bad input, 3 something missing.
Not covered: comparing two transcripts in files (`meetscribe evaluate`).
"""

import argparse
import json
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from meetscribe import models
from meetscribe.apps.recogniser import Recogniser, load_recogniser, load_thorough
from meetscribe.errors import MeetscribeError, UsageError
from meetscribe.evaluation import corpora, material, multitalker, run
from meetscribe.evaluation.corpora import Outcome
from meetscribe.evaluation.error_rate import ErrorRate
from meetscribe.evaluation.material import Item
from meetscribe.lm.wording import RAW

Load = Callable[[Path], Recogniser]
_loaded: dict[Path, Recogniser] = {}  # one per process: workers keep their model from recording to recording


def load_raw(directory: Path) -> Recogniser:
    """Load the model of a directory to write words as they are recognised: marks settle later than words are firm.

    Raises:
        CheckpointError: its files are damaged or foreign.
    """
    return load_recogniser(directory).worded(RAW)


def load_raw_thorough(directory: Path) -> Recogniser:
    """Load the model as `transcribe --quality best` does, to write words as they are recognised.

    Raises:
        CheckpointError: its files are damaged or foreign.
    """
    return load_thorough(directory).worded(RAW)


def evaluate_one(item: Item, model: Path, multi: bool, load: Load) -> tuple[Outcome, dict[str, Any]]:
    """Transcribe and score one recording; also returns what was heard, for people to read."""
    if model not in _loaded:
        _loaded[model] = load(model)
        run.warm_up(_loaded[model])
    outcome, done = corpora.evaluate_item(item, _loaded[model], multi=multi)
    heard = {
        "audio": item.name,
        "reference": " ".join(segment.text for segment in item.reference),
        "first_pass": " ".join(turn.text for turn in run.first_pass_turns(done.events)),
        "final": " ".join(turn.text for turn in run.final_turns(done.events)),
        "errors": outcome.final.wer.errors,
    }
    return outcome, heard


def evaluate_items(
    items: Sequence[Item], model: Path, *, multi: bool, jobs: int, load: Load = load_raw
) -> Iterator[tuple[Item, Outcome, dict[str, Any]]]:
    """Evaluate recordings in turn, or several at once in `jobs` processes; results keep the order."""
    if jobs <= 1:
        for item in items:
            yield (item, *evaluate_one(item, model, multi, load))
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(evaluate_one, item, model, multi, load) for item in items]
        for item, future in zip(items, futures, strict=True):
            yield (item, *future.result())


def _percent(rate: ErrorRate | None) -> str:
    if rate is None or rate.rate is None:
        return "—"
    return f"{100 * rate.rate:.1f} % ({rate.errors}/{rate.length})"


def describe(name: str, outcome: Outcome) -> str:
    """Return one line about some recordings for people to read."""
    figures = outcome.as_dict()
    first, final = _percent(outcome.first_pass), _percent(outcome.final.wer)
    return (
        f"{name}: {outcome.recordings} recordings, {figures['hours']:.2f} h; WER first pass {first}, "
        f"final {final}; real-time factor {figures['rtf']} (processor {figures['processor_rtf']})"
    )


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/evaluate", description="Error rates of a model's pipeline."
    )
    parser.add_argument("--manifest", type=Path, help="JSON lines with audio, text, corpus")
    parser.add_argument("--corpus", action="append", default=[], help="only this corpus (repeatable)")
    parser.add_argument(
        "--by",
        action="append",
        default=[],
        choices=material.GROUPS,
        help="figures per group too (repeatable)",
    )
    parser.add_argument("--reference", type=Path, help="SegLST reference, instead of a manifest")
    parser.add_argument("--audio", type=Path, help="its recording, or the folder of its recordings")
    parser.add_argument("--model", help="a name or a directory; default: the shipped one")
    parser.add_argument(
        "--quality", choices=("normal", "best"), default="normal", help="as of `meetscribe transcribe`"
    )
    parser.add_argument("--limit", type=int, help="only so many recordings, spread evenly over all")
    parser.add_argument(
        "-j", "--jobs", type=int, default=1, help="processes (the real-time factor is of each)"
    )
    parser.add_argument("--hypotheses", type=Path, help="write what was heard as JSON lines")
    parser.add_argument("--json", action="store_true", help="only the JSON line on stdout")
    return parser


def _items(options: argparse.Namespace) -> list[Item]:
    if (options.manifest is None) == (options.reference is None):
        raise UsageError("give either --manifest, or --reference with --audio")
    if options.manifest is not None:
        return material.sample(material.read_manifest(options.manifest, options.corpus), options.limit)
    if options.audio is None:
        raise UsageError("--reference needs --audio: the recording, or the folder of its recordings")
    return material.sample(material.read_recordings(options.reference, options.audio), options.limit)


def evaluate(options: argparse.Namespace, load: Load | None = None) -> dict[str, Any]:
    """Evaluate as the options say; prints lines for people unless `--json`, returns the figures.

    `load` takes the place of what `--quality` loads.

    Raises:
        MeetscribeError: something that was named cannot be used.
    """
    items = _items(options)
    load = load or (load_raw_thorough if options.quality == "best" else load_raw)
    model = models.find(options.model).path
    multi = options.reference is not None
    if multi and not multitalker.available():
        print(
            "meeteval is missing: no orc_wer, cp_wer, tcp_wer; pip install 'meetscribe[eval]'",
            file=sys.stderr,
        )
        multi = False
    done: list[tuple[str, Outcome]] = []
    grouped: dict[str, list[tuple[str, Outcome]]] = {name: [] for name in options.by}
    heard_lines = []
    for item, outcome, heard in evaluate_items(items, model, multi=multi, jobs=options.jobs, load=load):
        done.append((item.corpus, outcome))
        for name, members in grouped.items():
            if name in item.groups:
                members.append((f"{item.corpus}, {name} {item.groups[name]}", outcome))
        heard_lines.append(json.dumps(heard, ensure_ascii=False) + "\n")
        if len(done) % 20 == 0:
            so_far = corpora.total([outcome for _, outcome in done])
            print(describe(f"{len(done)} of {len(items)}", so_far), file=sys.stderr)
    if options.hypotheses is not None:
        options.hypotheses.write_text("".join(heard_lines), encoding="utf-8")
    total = corpora.total([outcome for _, outcome in done])
    parts = corpora.by_group(done)
    groups = {name: corpora.by_group(members) for name, members in grouped.items()}
    if not options.json:
        for name, part in [*parts.items(), *(each for group in groups.values() for each in group.items())]:
            print(describe(name or "recordings", part))
    figures = {"model": model.name, **total.as_dict()}
    if any(parts):
        figures["by_corpus"] = _error_rates(parts)
    for name, members in groups.items():
        figures[f"by_{name}"] = _error_rates(members)
    return figures


def _error_rates(parts: dict[str, Outcome]) -> dict[str, Any]:
    return {
        name: {"wer": part.final.wer.as_dict(), "first_pass": {"wer": part.first_pass.as_dict()}}
        for name, part in parts.items()
    }


def main(arguments: Sequence[str] | None = None, load: Load | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _arguments().parse_args(arguments)
    try:
        figures = evaluate(options, load)
    except MeetscribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(json.dumps(figures, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
