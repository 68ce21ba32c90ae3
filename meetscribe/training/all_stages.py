"""`scripts/train-all`: from a corpus to a model, every stage with the figures of the shipped one, rounds put together.

    scripts/train-all --corpus CORPUS --folder RUNS --out models/NAME --dictionary cmudict.dict

A stage is a command of its own (`docs/training.md` explains each) in a process of its own; `--dry` prints them. What is
done is noted in `RUNS/done`: the same command goes on with what is not, a training where it was stopped. `--scale`
makes all trainings shorter alike: a small one rehearses everything, with a model that hears nothing.
Not covered: corpora as they are downloaded (`scripts/prepare`), several machines.
"""

import argparse
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from meetscribe.errors import InputError, MeetscribeError

SYNTHETIC_HOURS = 3.3
SURE = 0.72
"""Mean confidence of recordings that are learned from as the model labelled them."""


@dataclass(frozen=True)
class Stage:
    """A command, and how many steps it trains, the first of which warm up and the last decay; 0: none."""

    name: str
    module: str
    options: tuple[str, ...]
    steps: int = 0
    decay: int = 0
    warmup: int = 0

    def command(self, scale: float) -> list[str]:
        """Return what to run, its training `scale` times as long."""
        lengths = {name: getattr(self, name) for name in ("steps", "decay", "warmup")}
        scaled = {name: max(1, round(scale * length)) for name, length in lengths.items() if length}
        schedule = [word for name, length in scaled.items() for word in (f"--{name}", str(length))]
        return [sys.executable, "-m", f"meetscribe.training.{self.module}", *self.options, *schedule]


@dataclass(frozen=True)
class Places:
    """Where things come from and go to."""

    corpus: Path
    folder: Path
    out: Path
    language: Path | None = None  # of another model; None: made anew, with the dictionary
    dictionary: Path | None = None
    hours: float = SYNTHETIC_HOURS  # of synthetic speech

    @property
    def speech(self) -> Path:
        """Transcribed speech."""
        return self.corpus / "speech"

    @property
    def synthetic(self) -> Path:
        """Speech of synthesisers."""
        return self.folder / "synthetic"

    @property
    def words(self) -> Path:
        """Folder of lexicon and language models."""
        return self.language or self.folder / "language"

    @property
    def alignments(self) -> Path:
        """Times of the words by the project's own recogniser."""
        return self.folder / "alignments.jsonl.xz"

    def checkpoint(self, stage: str) -> str:
        """Return the checkpoint of a stage."""
        return str(self.folder / stage / "checkpoint.pt")


def stages(places: Places) -> list[Stage]:
    """Return everything that has to run, in order."""
    return [
        *_language(places),
        *_recogniser(places),
        *_separator(places),
        *_together(places),
        *_against(places),
        *_embedder(places),
    ]


def _run(places: Places, stage: str, *options: str, own_times: bool = True) -> tuple[str, ...]:
    """Return the options of a training on transcribed speech."""
    times = ("--alignments", str(places.alignments)) if own_times else ()
    return (
        *("--corpus", str(places.speech), "--folder", str(places.folder / stage)),
        *("--cache", str(places.folder / "cache"), *times, *options),
    )


def _language(places: Places) -> Iterator[Stage]:
    if places.language is not None:
        return
    text, out = places.corpus / "text", places.words
    estimated = ("--text", str(text), "--dictionary", str(places.dictionary), "--output", str(out))
    yield Stage("language", "language", estimated)
    marks = out / "punctuation.safetensors"
    shared = (
        "--text",
        str(text / "cased.txt.xz"),
        "--words",
        str(out / "lexicon.txt.xz"),
        "--out",
        str(marks),
    )
    yield Stage("marks", "language.punctuation", (*shared, "--folder", str(places.folder / "marks")), 2600)
    meetings = ("--begin", places.checkpoint("marks"), "--meetings", "6", "--rate", "8e-4")
    into = ("--folder", str(places.folder / "marks-meetings"))
    yield Stage("marks-meetings", "language.punctuation", (*shared, *meetings, *into), 700)
    words = ("--text", str(text), "--words", str(out / "lexicon.txt.xz"))
    kept = ("--folder", str(places.folder / "recurrent"), "--out", str(out / "recurrent.safetensors"))
    yield Stage("recurrent", "language.recurrent", (*words, *kept), 14_000)


def _recogniser(places: Places) -> Iterator[Stage]:
    sentences = str(places.corpus / "text" / "sentences_tts.txt.xz")
    made = ("--sentences", sentences, "--output", str(places.synthetic), "--hours", f"{places.hours:g}")
    yield Stage("synthetic", "synthesis", made)
    both = ("--corpus", str(places.synthetic))
    first = _run(places, "alignment", *both, "--stage", "alignment", own_times=False)
    yield Stage("alignment", "recognise", (*first, "--rate", "1.5e-3", "--muon-rate", "0"), 4400, 1, 300)
    summed = ("--stage", "full-sum", "--batch-steps", "1200", "--rate", "1.5e-3", "--muon-rate", "0")
    start = ("--weights", places.checkpoint("alignment"))
    second = _run(places, "full-sum", *both, *summed, *start, own_times=False)
    yield Stage("full-sum", "recognise", second, 2950, 2200, 100)
    times = ("--checkpoint", places.checkpoint("full-sum"), "--corpus", str(places.speech))
    kept = ("--out", str(places.alignments), "--cache", str(places.folder / "cache"))
    yield Stage("times", "realign", (*times, *kept))
    previous = "full-sum"
    for name, muon, steps, decay in (("turns", "0", 2280, 1), ("turns-muon", "0.007", 4200, 2000)):
        more = ("--stage", "full-sum", "--batch-steps", "600", "--rate", "1e-3", "--muon-rate", muon)
        options = _run(places, name, *more, "--rooms", "60", "--weights", places.checkpoint(previous))
        yield Stage(name, "recognise", options, steps, decay, 100)
        previous = name


def _speakers(places: Places) -> tuple[str, ...]:
    """Return the options that add speech without transcripts."""
    return (
        *("--speakers", str(places.corpus / "speakers.jsonl")),
        *("--speakers", str(places.speech / "train.jsonl")),
    )


def _separator(places: Places) -> Iterator[Stage]:
    heard = ("--corpus", str(places.synthetic), *_speakers(places))
    duets = _run(places, "duets", *heard, "--duets", "--seconds", "4", "--batch", "8", "--muon-rate", "0.02")
    yield Stage("duets", "separate", duets, 1300, 1, 100)
    size = ("--seconds", "10.24", "--batch", "5", "--rooms", "60", "--rate", "1e-3", "--muon-rate", "0.012")
    start = ("--weights", places.checkpoint("duets"))
    yield Stage(
        "separator", "separate", _run(places, "separator", *heard, *size, *start), 21_000, 20_000, 100
    )


def _together(places: Places) -> Iterator[Stage]:
    start = ("--weights", places.checkpoint("turns-muon"), "--separator", places.checkpoint("separator"))
    size = ("--seconds", "12.8", "--meetings", "3", "--batch-steps", "250", "--separator-weight", "0")
    rates = ("--rate", "6e-4", "--muon-rate", "0.006")
    yield Stage("joint", "segment", _run(places, "joint", *start, *size, *rates), 1650, 1400, 50)


def _against(places: Places) -> Iterator[Stage]:
    """Yield the last stages of the recogniser: what was said against all else, then with what it labelled itself."""
    size = ("--stage", "discriminative", "--batch-steps", "600", "--rooms", "60")
    rates = ("--rate", "5e-4", "--muon-rate", "0.004")
    first = _run(places, "against", *size, *rates, "--weights", places.checkpoint("joint"))
    yield Stage("against", "recognise", first, 3200, 3100, 30)
    first_model, labelled = places.folder / "models" / "first", places.folder / "labelled"
    yield Stage("first-model", "export", _export(places, "against", first_model))
    told = ("--corpus", str(places.speech), "--cache", str(places.folder / "cache"), "--least", f"{SURE:g}")
    yield Stage("labelled", "label", (*told, "--model", str(first_model), "--out", str(labelled)))
    more = (*size, "--corpus", str(labelled), "--surroundings", str(places.corpus))
    faster = ("--rate", "6e-4", "--muon-rate", "0.005", "--weights", places.checkpoint("against"))
    yield Stage("against-more", "recognise", _run(places, "against-more", *more, *faster), 7500, 7400, 60)
    after = (*rates, "--weights", places.checkpoint("against-more"))
    yield Stage("against-again", "recognise", _run(places, "against-again", *more, *after), 6000, 5900, 60)
    both = ("--checkpoint", places.checkpoint("against-more"))  # the mean of two rounds is better than either
    yield Stage("model", "export", (*both, *_export(places, "against-again", places.out)))


def _export(places: Places, stage: str, out: Path) -> tuple[str, ...]:
    """Return the options that write a model of a stage's recogniser and the separator."""
    return (
        *("--checkpoint", places.checkpoint(stage), "--separator", places.checkpoint("joint")),
        *("--language", str(places.words), "--alignments", str(places.alignments), "--out", str(out)),
    )


def _embedder(places: Places) -> Iterator[Stage]:
    size = ("--seconds", "80", "--rooms", "60", "--rate", "1e-3", "--muon-rate", "0.02")
    options = (*_run(places, "embedder", own_times=False), *_speakers(places), *size)
    yield Stage("embedder", "embed", options, 17_600, 16_000, 300)
    told = ("--checkpoint", places.checkpoint("embedder"), "--corpus", str(places.corpus))
    kept = ("--out", str(places.out), "--cache", str(places.folder / "cache"))
    yield Stage("model-embedder", "export_embedder", (*told, *kept))


def run_all(wanted: Sequence[Stage], folder: Path, scale: float, run: Callable[[list[str]], int]) -> int:
    """Run the stages that were not done, noting each that is; returns the exit code of the first that fails, or 0."""
    folder.mkdir(parents=True, exist_ok=True)
    noted = folder / "done"
    done = noted.read_text().split() if noted.is_file() else []
    for number, stage in enumerate(wanted, 1):
        if stage.name in done:
            continue
        print(f"{number} of {len(wanted)}: {stage.name}", file=sys.stderr, flush=True)
        if code := run(stage.command(scale)):
            print(f"{stage.name} ended with {code}; the same command goes on from there", file=sys.stderr)
            return code
        with noted.open("a") as file:
            file.write(stage.name + "\n")
    return 0


def run_stoppably(command: list[str]) -> int:
    """Run a stage; SIGINT and SIGTERM are passed on to it, and make it count as not done."""
    process = subprocess.Popen(command, start_new_session=True)
    stopped: list[int] = []

    def stop(number: int, _frame: object) -> None:
        stopped.append(number)
        process.send_signal(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 + stopped[0] if stopped else code


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    options = argparse.ArgumentParser(
        prog="scripts/train-all",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = options.add_argument
    add("--corpus", type=Path, required=True, help="folder of the shape that docs/training.md describes")
    add("--folder", type=Path, required=True, help="where runs, checkpoints and decoded audio go")
    add("--out", type=Path, required=True, help="the model's directory, named as the model")
    add("--language", type=Path, help="a model whose lexicon and language models to take")
    add("--dictionary", type=Path, help="pronouncing dictionary (CMU) to make them anew")
    add("--scale", type=float, default=1.0, help="length of all runs, for rehearsals")
    add("--dry", action="store_true", help="print the commands, run nothing")
    return options


def main(options: argparse.Namespace) -> int:
    """Run everything; returns the exit code."""
    try:
        places = _places(options)
    except MeetscribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    wanted = stages(places)
    if options.dry:
        for stage in wanted:
            print(" ".join(stage.command(options.scale)[1:]))
        return 0
    return run_all(wanted, options.folder, options.scale, run_stoppably)


def _places(options: argparse.Namespace) -> Places:
    """Return where things are.

    Raises:
        InputError: something is missing.
    """
    if options.language is None and options.dictionary is None:
        raise InputError(
            "give --dictionary to make the language models anew, or --language to take a model's"
        )
    for path in (options.corpus / "speech" / "train.jsonl", options.language, options.dictionary):
        if path is not None and not path.exists():
            raise InputError(f"{path} is missing; docs/training.md says what a corpus looks like")
    hours = SYNTHETIC_HOURS * min(1.0, options.scale)
    return Places(options.corpus, options.folder, options.out, options.language, options.dictionary, hours)


if __name__ == "__main__":
    sys.exit(main(parser().parse_args()))
