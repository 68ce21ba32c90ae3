"""Speech made from text: a corpus in the voices of synthesisers, with the time of every word and phone.

    python -m meetscribe.training.synthesis --sentences sentences.txt.xz --output DIR --hours 3
    python -m meetscribe.training.synthesis --sentences sentences.txt.xz --output DIR --held-out --count 60

DIR gets `train.jsonl` (or `dev.jsonl` with `--held-out`) in the shape of the corpus' manifests,
`alignments.jsonl.xz` and Ogg Opus files. What is made is a function of the sentences, the seed and the
amount; a second call continues where the first one ended. `--held-out` uses the voices and sentences that
training never hears: every hundredth line.

Not covered: rooms, noise, two people at once (the simulation adds them).
"""

import argparse
import json
import lzma
import multiprocessing
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from meetscribe.training.first_alignment import AlignmentError, FirstAligner, espeak_pronunciations
from meetscribe.training.voices import (
    SAMPLE_RATE,
    VOICES,
    Delivery,
    SynthesisError,
    missing_programs,
    speak,
    voice_named,
)

HOLD_OUT_EVERY = 100
_COMMON = 20  # times that a word of an evaluation sentence occurs in the whole file, at least
_PART = 100  # utterances between two writes of the manifest
_SHORT = (
    "yeah", "yes", "no", "okay", "right", "sure", "exactly", "yeah yeah", "i see", "all right",
    "that's right", "oh okay", "good point", "i think so", "maybe", "well", "thank you", "thanks",
    "sounds good", "of course", "i agree", "me too", "not really", "oh yeah", "got it", "okay okay",
    "absolutely", "i don't know", "so", "um", "uh", "what", "really", "fine", "hello everyone",
    "go ahead", "no no no", "let's move on", "makes sense", "sorry",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """One utterance to make; `seed` sets its silences, level and noise floor."""

    name: str
    voice: str
    text: str
    delivery: Delivery
    seed: int


@dataclass(frozen=True)
class Made:
    """One utterance that was made: its line of the manifest and its line of the alignments."""

    manifest: dict
    alignment: dict

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.manifest["duration"]


def read_sentences(path: Path) -> list[str]:
    """Reads one sentence a line, from plain text or xz."""
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return [line.strip() for line in lines]


def held_out(sentences: list[str]) -> list[str]:
    """Gives the sentences kept for evaluation: every hundredth line."""
    return sentences[HOLD_OUT_EVERY - 1 :: HOLD_OUT_EVERY]


def _of_common_words(chosen: set[str], sentences: list[str]) -> list[str]:
    """Leave out sentences with rare words: hearing is to be tested, not the knowledge of names."""
    counts = Counter(word for text in sentences for word in text.split())
    return [text for text in chosen if all(counts[word] >= _COMMON for word in text.split())]


def plan(sentences: list[str], seed: int, evaluation: bool = False) -> Iterator[Job]:
    """Draws utterances without end: voice by weight, a sentence, a delivery.

    Nine of ten sentences have at most 15 words; one utterance in twelve is a short answer, as in meetings.
    Evaluation takes held-out voices in turn, held-out sentences of 4 to 15 words without rare ones, and no
    short answers.
    """
    generator = np.random.default_rng(seed)
    names = [voice.name for voice in VOICES if voice.held_out == evaluation]
    weights = np.array([voice.weight for voice in VOICES if voice.held_out == evaluation])
    shares = weights / max(weights.sum(), 1e-9)
    chosen = set(held_out(sentences))
    pool = (
        sorted(_of_common_words(chosen, sentences))
        if evaluation
        else [text for text in sentences if text and text not in chosen]
    )
    serial = 0
    while True:
        name = names[serial % len(names)] if evaluation else str(generator.choice(names, p=shares))
        text = pool[generator.integers(len(pool))]
        words = len(text.split())
        if (evaluation and not 4 <= words <= 15) or (words > 15 and generator.random() > 0.3):
            continue
        if not evaluation and generator.random() < 1 / 12:
            text = _SHORT[generator.integers(len(_SHORT))]
        rate, pitch = generator.uniform(0.85, 1.2), generator.uniform(0.8, 1.25)
        seed_of_job = int(generator.integers(2**31))
        yield Job(f"{name}/{serial:06d}", name, text, Delivery(round(rate, 3), round(pitch, 3)), seed_of_job)
        serial += 1


def surround(speech: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Gives speech silence around it (0.1 to 0.5 s), a level (−30 to −17 dBFS) and a faint noise floor."""
    before, after = (int(SAMPLE_RATE * seconds) for seconds in generator.uniform(0.1, 0.5, 2))
    power = float(np.sqrt(np.mean(speech**2))) or 1.0
    gain = 10 ** (generator.uniform(-30, -17) / 20) / power
    gain = min(gain, 0.95 / max(float(np.abs(speech).max()), 1e-6))
    padded = np.pad(speech * gain, (before, after))
    floor = 10 ** (generator.uniform(-80, -62) / 20)
    return (padded + floor * generator.standard_normal(len(padded))).astype(np.float32)


class Maker:
    """Makes jobs into audio files; keeps one aligner and one scratch folder, so one per process."""

    def __init__(self, output: Path, scratch: Path):
        self._output = output
        self._scratch = scratch
        self._aligner = FirstAligner()

    def prepare(self, jobs: list[Job]) -> None:
        """Looks up pronunciations for the words that the aligner lacks, once for many jobs."""
        missing = self._aligner.missing(word for job in jobs for word in job.text.split())
        found = espeak_pronunciations(missing)
        if found:
            self._aligner.add(found)

    def make(self, job: Job) -> Made | None:
        """Speaks, aligns and writes one utterance; None when the voice or the aligner fails on it."""
        voice = voice_named(job.voice)
        try:
            speech = speak(voice, job.text, job.delivery, self._scratch)
            audio = surround(speech, np.random.default_rng(job.seed))
            words = self._aligner.align(audio, job.text)
        except (SynthesisError, AlignmentError) as error:
            print(f"{job.name} left out: {error}", file=sys.stderr)
            return None
        path = f"synthetic/{job.name}.opus"
        target = self._output / path
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, audio, SAMPLE_RATE, format="OGG", subtype="OPUS")
        manifest = {
            "audio": path,
            "text": job.text,
            "speaker": job.voice,
            "duration": round(len(audio) / SAMPLE_RATE, 3),
            "corpus": "synthetic",
            "licence": voice.licence,
        }
        return Made(manifest, {"audio": path, "words": [word.row() for word in words]})


def append(output: Path, manifest: str, made: list[Made]) -> None:
    """Adds utterances: the alignments first, so that every line of the manifest has one."""
    rows = "".join(json.dumps(item.alignment, separators=(",", ":")) + "\n" for item in made)
    with open(output / "alignments.jsonl.xz", "ab") as file:
        file.write(lzma.compress(rows.encode()))
    with open(output / manifest, "a", encoding="utf-8") as file:
        file.write("".join(json.dumps(item.manifest, ensure_ascii=False) + "\n" for item in made))


def already_made(path: Path) -> tuple[set[str], float]:
    """Reads from a manifest which utterances exist, and their seconds together."""
    if not path.exists():
        return set(), 0.0
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {row["audio"] for row in rows}, sum(row["duration"] for row in rows)


def _share(output: Path, jobs: list[Job]) -> list[Made]:
    with tempfile.TemporaryDirectory() as scratch:
        maker = Maker(output, Path(scratch))
        maker.prepare(jobs)
        return [made for job in jobs if (made := maker.make(job)) is not None]


def synthesise(
    output: Path, manifest: str, jobs: Iterator[Job], *, seconds: float, count: int, processes: int = 1
) -> tuple[int, float]:
    """Makes jobs until there are `seconds` of audio or `count` utterances; returns how many and how long.

    Utterances that the manifest already has count, and are not made again.
    """
    output.mkdir(parents=True, exist_ok=True)
    have, total = already_made(output / manifest)
    done = len(have)
    with multiprocessing.Pool(processes) as pool:
        while total < seconds and done < count:
            todo = []
            while len(todo) < min(_PART * processes, count - done):
                job = next(jobs)
                if f"synthetic/{job.name}.opus" not in have:
                    todo.append(job)
            shares = [(output, todo[index::processes]) for index in range(processes)]
            made = [item for share in pool.starmap(_share, shares) for item in share]
            append(output, manifest, made)
            done += len(made)
            total += sum(item.duration for item in made)
            print(f"{done} utterances, {total / 3600:.2f} h", file=sys.stderr)
    return done, total


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/synthesize", description="Make speech from text.")
    parser.add_argument("--sentences", type=Path, required=True, help="one sentence a line, plain or .xz")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--count", type=int, default=10**9, help="stop after this many utterances")
    parser.add_argument("--held-out", action="store_true", help="voices and sentences kept for evaluation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-j", "--processes", type=int, default=1)
    options = parser.parse_args(arguments)
    missing = missing_programs()
    if missing:
        print(f"Missing here: {', '.join(missing)}. Debian has packages of all of them.", file=sys.stderr)
        return 3
    if not options.sentences.is_file():
        print(f"There is no file {options.sentences} to take sentences from.", file=sys.stderr)
        return 2
    jobs = plan(read_sentences(options.sentences), options.seed, options.held_out)
    manifest = "dev.jsonl" if options.held_out else "train.jsonl"
    seconds = 3600 * options.hours
    synthesise(
        options.output, manifest, jobs, seconds=seconds, count=options.count, processes=options.processes
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
