"""`scripts/simulate`: writes named evaluation sets of simulated meetings.

    scripts/simulate --corpus CORPUS --cache CACHE --out SETS two-talkers long

A set is a folder with FLAC files, `reference.seglst.json` and `figures.json`. The reference has one object a turn:
SegLST's keys, and beside them `slot` and `word_times` ([start, end] of each word in seconds). A recording without
speech has one object without words, so that it is evaluated at all. What each slot's talkers contribute lies in
`slots/`, two channels to a recording, for the control that separates perfectly.
A name after `train/` is the same set made of training speakers, rooms and noise, to fit settings on.
Not covered: what the sets are (`docs/simulation.md`).
"""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer
from rich.console import Console

from meetscribe.errors import InputError, MeetscribeError
from meetscribe.timeline import SAMPLE_RATE, to_seconds
from meetscribe.training.corpus import Corpus, load_corpus
from meetscribe.training.simulation.evaluation_sets import NAMES, Material, draw_set
from meetscribe.training.simulation.plan import MeetingPlan, talking_time
from meetscribe.training.simulation.render import Mixture
from meetscribe.training.simulation.rooms import load_meeting_rooms

REFERENCE = "reference.seglst.json"
SLOTS_FOLDER = "slots"
NOBODY = "nobody"
SYNTHETIC = "two-voices"
TRAINING = "train/"
"""What begins the name of a set of training speakers."""


def write_set(name: str, drawn: Iterable[tuple[MeetingPlan, Mixture]], folder: Path) -> dict[str, float]:
    """Write a set's recordings and reference into `folder`, and return its figures."""
    (folder / SLOTS_FOLDER).mkdir(parents=True, exist_ok=True)
    rows: list[dict] = []
    plans: list[MeetingPlan] = []
    for number, (plan, mixture) in enumerate(drawn):
        session = f"{name}-{number:02d}"
        _write_audio(folder / f"{session}.flac", mixture.audio)
        if mixture.turns:
            _write_audio(folder / SLOTS_FOLDER / f"{session}.flac", mixture.sources.T)
        rows += reference_rows(session, mixture)
        plans.append(plan)
    result = figures(plans, rows)
    (folder / REFERENCE).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    (folder / "figures.json").write_text(json.dumps(result) + "\n", encoding="utf-8")
    return result


def _write_audio(path: Path, samples: np.ndarray) -> None:
    """Write samples in -1…1, float32 (n,) or (n, channels), as 16-bit FLAC."""
    pcm = np.rint(np.clip(samples, -1.0, 1.0) * 32_767.0).astype(np.int16)
    soundfile.write(path, pcm, SAMPLE_RATE)


def reference_rows(session: str, mixture: Mixture) -> list[dict]:
    """Return one object for each turn, by start; one without words where nobody speaks."""
    if not mixture.turns:
        empty = {"session_id": session, "speaker": NOBODY, "start_time": 0.0, "end_time": 0.0, "words": ""}
        return [empty]
    return [
        {
            "session_id": session,
            "speaker": turn.speaker,
            "slot": turn.slot,
            "start_time": to_seconds(turn.start),
            "end_time": to_seconds(turn.end),
            "words": " ".join(word.text for word in turn.words),
            "word_times": [[to_seconds(word.start), to_seconds(word.end)] for word in turn.words],
        }
        for turn in mixture.turns
    ]


def figures(plans: Sequence[MeetingPlan], rows: Sequence[dict]) -> dict[str, float]:
    """Return what a set amounts to: recordings, minutes, turns, words, and how much is overlapped."""
    _, single, both = np.sum([talking_time(plan) for plan in plans], axis=0)
    return {
        "recordings": len(plans),
        "minutes": round(sum(plan.samples for plan in plans) / SAMPLE_RATE / 60, 2),
        "speech_minutes": round(float(single + both) / SAMPLE_RATE / 60, 2),
        "overlapped_share": round(float(both / max(1, single + both)), 4),
        "turns": sum(len(plan.turns) for plan in plans),
        "words": sum(len(row["words"].split()) for row in rows),
        "speakers": len({turn.speaker for plan in plans for turn in plan.turns}),
    }


def only(corpus: Corpus, name: str) -> Corpus:
    """Return the utterances that come from one of the corpora that a manifest joins."""
    return Corpus(tuple(u for u in corpus.utterances if u.corpus == name), corpus.audio)


def _synthetic(folder: Path | None, cache: Path) -> Corpus:
    if folder is None:
        raise InputError(
            f"{SYNTHETIC} needs synthesisers' voices: give --synthetic FOLDER (scripts/synthesize)"
        )
    return load_corpus(folder, "dev", cache)


def _material(corpus: Path, split: str, cache: Path, alignments: Path | None) -> Material:
    speech = only(load_corpus(corpus / "speech", split, cache, alignments), "librispeech")
    return Material((speech,), load_meeting_rooms(corpus, split, cache, count=20, speech_in_noise=False))


def main(
    corpus: Annotated[Path, typer.Option(help="folder with speech/, rooms.jsonl and noise.jsonl")],
    cache: Annotated[Path, typer.Option(help="folder for decoded audio")],
    out: Annotated[Path, typer.Option(help="folder for the sets, one folder each")],
    sets: Annotated[
        list[str] | None,
        typer.Argument(help=f"{', '.join(NAMES)}; without, all; train/NAME of training speakers"),
    ] = None,
    alignments: Annotated[Path | None, typer.Option(help="other alignments than the corpus' own")] = None,
    synthetic: Annotated[
        Path | None, typer.Option(help="folder with dev.jsonl of synthesisers' voices, for two-voices")
    ] = None,
    seed: Annotated[int, typer.Option(help="decides everything")] = 1,
) -> None:
    """Write sets made of held-out speakers, rooms and noise, to evaluate, or of training ones, to fit settings."""
    try:
        drawn: dict[str, Material] = {}
        for given in sets or [name for name in NAMES if synthetic or name != SYNTHETIC]:
            name = given.removeprefix(TRAINING)
            split = "dev" if name == given else "train"
            if split not in drawn:
                drawn[split] = _material(corpus, split, cache, alignments)
            material = drawn[split]
            if name == SYNTHETIC:
                material = Material((_synthetic(synthetic, cache),), material.surroundings)
            result = write_set(name, draw_set(name, material, seed), out / given)
            print(json.dumps({"set": given, **result}), flush=True)
    except MeetscribeError as error:
        Console(stderr=True).print(f"scripts/simulate: {error}", style="red", markup=False, highlight=False)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    typer.run(main)
