"""The demonstration recording: a short meeting of three synthesised voices, with its reference.

    scripts/make-demo            (writes meetscribe/demo/recording.flac and reference.seglst.json)

Everything in it is made here: the sentences, the voices (programs of Debian), the gaps and the noise floor.
The same versions of the synthesisers give the same recording.
Not covered: rooms and noise of real meetings.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from meetscribe.training.first_alignment import FirstAligner
from meetscribe.training.voices import SAMPLE_RATE, Delivery, missing_programs, speak, voice_named

SEED = 9
_NOISE = 10 ** (-66 / 20)
_LEVEL = 10 ** (-23 / 20)


@dataclass(frozen=True)
class Speaker:
    """A speaker of the dialogue: the voice, how it speaks, and how loud (dB against the others)."""

    name: str
    voice: str
    delivery: Delivery
    loudness: float


@dataclass(frozen=True)
class Line:
    """One turn; `gap` is the time in seconds from the end of the turn before (negative: they overlap)."""

    speaker: str
    gap: float
    text: str


SPEAKERS = (
    Speaker("Anna", "pico-en-US", Delivery(0.95, 1.0), 0.0),
    Speaker("Ben", "rhvoice-bdl", Delivery(0.95, 1.0), -1.5),
    Speaker("Craig", "rhvoice-alan", Delivery(0.95, 1.0), 1.0),
)

DIALOGUE = (
    Line("Anna", 0.6, "Good morning everyone. Shall we start with the release?"),
    Line("Ben", 0.7, "Yes. The new version is ready, but two tests still fail on the old machines."),
    Line("Anna", 0.5, "How long will it take to fix them?"),
    Line("Ben", 0.6, "I think we need two more days."),
    Line("Craig", 0.4, "That should be fine. The customers expect it on Friday."),
    Line("Anna", 0.7, "Okay, then let's plan for Friday morning."),
    Line("Craig", 0.5, "Right. I will write to them this afternoon."),
    Line("Ben", 0.9, "Can somebody help me with the tests tomorrow?"),
    Line("Craig", 0.4, "Sure, I have time after lunch."),
    Line("Anna", 0.6, "Great. Then we are done for today. Thank you all."),
)


@dataclass(frozen=True)
class Spoken:
    """A line as it was said: its audio (cut to the speech) and its words."""

    line: Line
    audio: np.ndarray


def trimmed(audio: np.ndarray) -> np.ndarray:
    """Cut the silence off both ends: what stays below a hundredth of the peak."""
    loud = np.flatnonzero(np.abs(audio) > 0.01 * np.abs(audio).max())
    return audio[loud[0] : loud[-1] + 1]


def without_long_pauses(audio: np.ndarray, longest: float = 0.3) -> np.ndarray:
    """Cut quiet stretches inside speech down to `longest` seconds, so that one line stays one turn."""
    quiet = np.abs(audio) <= 0.01 * np.abs(audio).max()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    keep = np.ones(len(audio), dtype=bool)
    kept = int(longest * SAMPLE_RATE)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start > kept:
            keep[start + kept // 2 : end - (kept - kept // 2)] = False
    return audio[keep]


def say(line: Line, folder: Path) -> Spoken:
    """Speak one line at its speaker's level."""
    speaker = next(person for person in SPEAKERS if person.name == line.speaker)
    spoken = speak(voice_named(speaker.voice), line.text.rstrip("."), speaker.delivery, folder)
    audio = without_long_pauses(trimmed(spoken))
    gain = _LEVEL * 10 ** (speaker.loudness / 20) / float(np.sqrt(np.mean(audio**2)))
    return Spoken(line, (audio * min(gain, 0.9 / np.abs(audio).max())).astype(np.float32))


def check_words(spoken: Spoken, aligner: FirstAligner) -> None:
    """Check that the words can be found in the audio; raises `AlignmentError` otherwise."""
    plain = "".join(c for c in spoken.line.text.lower() if c.isalpha() or c in " '")
    margin = np.zeros(SAMPLE_RATE // 4, dtype=np.float32)
    aligner.align(np.concatenate([margin, spoken.audio, margin]), plain)


def mix(turns: list[Spoken], generator: np.random.Generator) -> tuple[np.ndarray, list[dict]]:
    """Lay the turns out in time over a faint noise floor; returns the audio and the rows of the reference."""
    starts, end = [], 0
    for turn in turns:
        start = max(0, end + round(turn.line.gap * SAMPLE_RATE))
        starts.append(start)
        end = max(end, start + len(turn.audio))
    audio = _NOISE * generator.standard_normal(end + SAMPLE_RATE)
    rows = []
    for start, turn in zip(starts, turns, strict=True):
        audio[start : start + len(turn.audio)] += turn.audio
        rows.append(
            {
                "session_id": "recording",
                "speaker": turn.line.speaker,
                "start_time": round(start / SAMPLE_RATE, 3),
                "end_time": round((start + len(turn.audio)) / SAMPLE_RATE, 3),
                "words": turn.line.text,
            }
        )
    return audio.astype(np.float32), rows


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/make-demo", description="Make the demonstration recording."
    )
    parser.add_argument("--output", type=Path, default=Path(__file__).parent.parent / "demo")
    options = parser.parse_args(arguments)
    missing = missing_programs(tuple(voice_named(person.voice) for person in SPEAKERS))
    if missing:
        print(f"Missing here: {', '.join(missing)}. Debian has packages of all of them.", file=sys.stderr)
        return 3
    with tempfile.TemporaryDirectory() as folder:
        turns = [say(line, Path(folder)) for line in DIALOGUE]
    aligner = FirstAligner()
    for turn in turns:
        check_words(turn, aligner)
    audio, rows = mix(turns, np.random.default_rng(SEED))
    options.output.mkdir(parents=True, exist_ok=True)
    soundfile.write(options.output / "recording.flac", audio, SAMPLE_RATE, subtype="PCM_16")
    text = json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    (options.output / "reference.seglst.json").write_text(text, encoding="utf-8")
    print(f"{len(audio) / SAMPLE_RATE:.1f} s in {options.output}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
