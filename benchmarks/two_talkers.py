"""Every figure of two people at once, from one model in one run, beside its controls.

    python benchmarks/two_talkers.py --model NAME --sets SETS --clips CORPUS/meetings --manifest dev.jsonl

`SETS` is the folder of what `scripts/simulate` writes; `docs/evaluation.md` defines the figures. A set that is not
there is left out with a sentence. What was heard is kept (`--kept`), so that a run that was stopped goes on, and
another question of the same model is answered at once.
Not covered: making the sets.
"""

import argparse
import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from meetscribe import models
from meetscribe.errors import MeetscribeError
from meetscribe.evaluation import figures, material, pieces, report
from meetscribe.evaluation.controls import BYPASSED, CONTROLS, NO_LANGUAGE, ORACLE, POCKETSPHINX, WHOLE
from meetscribe.evaluation.figures import Figures
from meetscribe.evaluation.material import Item
from meetscribe.evaluation.regions import Regional
from meetscribe.evaluation.rounds import Round, Task
from meetscribe.timeline import to_samples

_ALL = CONTROLS
_NETWORK = (WHOLE, BYPASSED)
_WORDS = (WHOLE, BYPASSED, POCKETSPHINX)
USED = {
    report.TWO_TALKERS: (*_ALL, ORACLE),
    report.ROOMS: (*_ALL, ORACLE),
    report.COUNTING: (*_NETWORK, ORACLE),
    report.MEETINGS: (*_WORDS, ORACLE),
    report.LONG: (WHOLE, ORACLE),
    report.ONE_TALKER: (*_NETWORK, ORACLE),
    report.NOISE: _NETWORK,
    report.TWO_VOICES: (*_WORDS, ORACLE),
    report.CLIPS: _ALL,
    report.SINGLE: (WHOLE, BYPASSED, NO_LANGUAGE, POCKETSPHINX),
}
"""Which controls a set is run with; with perfect separation only where `--control oracle` asks for it."""


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _sets(options: argparse.Namespace) -> dict[str, list[Item]]:
    """Return the recordings of every set that is there."""
    found: dict[str, list[Item]] = {}
    for name in report.SETS:
        if not (options.sets / name / material.REFERENCE).is_file():
            _tell(f"{options.sets / name} holds no set: its figures are left out; scripts/simulate writes it")
            continue
        found[name] = material.read_set(options.sets / name)
    if options.clips is not None:
        found[report.CLIPS] = material.read_set(options.clips)
    if options.manifest is not None:
        found[report.SINGLE] = material.read_manifest(options.manifest, ["librispeech"])
    chosen = {name: items for name, items in found.items() if not options.only or name in options.only}
    return {name: _limited(name, items, options.limit) for name, items in chosen.items()}


def _limited(name: str, items: list[Item], limit: int | None) -> list[Item]:
    """Take recordings spread over all; the first ones where every sixth has the same number of turns."""
    return items[:limit] if name == report.COUNTING else material.sample(items, limit)


def _figures(name: str, items: list[Item], control: str, around: Round) -> Figures:
    tasks = [Task(f"{name}/{item.name}", item.audio) for item in items]
    runs = around.run(tasks, control, lambda said: _tell(f"{name}, {said}"))
    parts = [figures.measure(item, done) for item, done in zip(items, runs, strict=True)]
    return sum(parts, Figures())


def _against_pieces(items: list[Item], around: Round) -> report.Pieces:
    """Compare each long stream with its own pieces."""
    stream, alone = [Regional(), Regional()], [Regional(), Regional()]
    for item in items:
        (whole,) = around.run([Task(f"{report.LONG}/{item.name}", item.audio)], WHOLE, _tell)
        duration = to_samples(whole.heard)
        borders = pieces.borders(item.reference, duration)
        spans = list(itertools.pairwise(borders))
        tasks = [Task(f"{report.LONG}/{item.name}", item.audio, start, end) for start, end in spans]
        runs = around.run(tasks, WHOLE, lambda said: _tell(f"pieces of {report.LONG}, {said}"))
        parts = figures.measure_pieces(item, whole, borders)
        stream = [a + b for a, b in zip(stream, parts, strict=True)]
        for (start, end), done in zip(spans, runs, strict=True):
            piece = replace(item, reference=tuple(pieces.cut_out(item.reference, start, end)))
            parts = figures.measure_pieces(piece, done, [0, end - start])
            alone = [a + b for a, b in zip(alone, parts, strict=True)]
    return report.Pieces((stream[0], stream[1]), (alone[0], alone[1]))


def measure(options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Return the tables and all figures.

    Raises:
        MeetscribeError: something that was named cannot be used.
    """
    model = models.find(options.model)
    around = Round(model.path, options.kept, options.together, options.jobs)
    found: dict[str, dict[str, Figures]] = {}
    compared = None
    for name, items in _sets(options).items():
        chosen = [control for control in USED[name] if control in (options.control or CONTROLS)]
        found[name] = {control: _figures(name, items, control, around) for control in chosen}
        if name == report.LONG and WHOLE in chosen:
            compared = _against_pieces(items, around)
    result = {
        "model": model.name,
        "limit": options.limit,
        "sets": {
            name: {control: part.as_dict() for control, part in parts.items()}
            for name, parts in found.items()
        },
        "compared": report.derived(found, compared),
        "long": None if compared is None else compared.as_dict(),
    }
    return report.markdown(found, compared), result


def main() -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Every figure of two people at once, beside the controls.")
    parser.add_argument("--model", help="a name or a directory; default: the shipped one")
    parser.add_argument("--sets", type=Path, required=True, help="the folder of simulated sets")
    parser.add_argument("--clips", type=Path, help="a folder of real recordings with a reference")
    parser.add_argument("--manifest", type=Path, help="utterances of Librispeech dev, for one talker")
    parser.add_argument("--only", action="append", default=[], help="only this set (repeatable)")
    parser.add_argument(
        "--control",
        action="append",
        default=[],
        choices=(*CONTROLS, ORACLE),
        help="only this one (repeatable)",
    )
    parser.add_argument("--limit", type=int, help="only so many recordings of each set, spread over all")
    parser.add_argument("--together", type=int, default=8, help="recordings that share an engine")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="processes")
    parser.add_argument("--kept", type=Path, default=Path("two-talkers-runs"), help="where runs are kept")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    options = parser.parse_args()
    try:
        table, result = measure(options)
    except MeetscribeError as error:
        _tell(str(error))
        return error.exit_code
    print(table)
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
