"""The demonstration recording: a short meeting of three synthesised voices who talk over each other, with reference.

    scripts/make-demo            (writes meetscribe/demo/recording.flac and reference.seglst.json)

Everything in it is made here: the sentences, the voices (programs of Debian), the gaps, overlaps and the noise floor.
The same versions of the synthesisers give the same recording. At most two talk at once, and whoever goes on after a
pause of more than half a second begins a new turn: each line is one turn of the reference.
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
    """One turn; `gap` is the time in seconds after all turns before have ended (negative: they overlap)."""

    speaker: str
    gap: float
    text: str


SPEAKERS = (
    Speaker("Anna", "rhvoice-clb", Delivery(0.95, 1.0), 0.0),
    Speaker("Ben", "flite-rms", Delivery(0.95, 1.0), 0.0),
    Speaker("Craig", "rhvoice-bdl", Delivery(0.95, 1.0), 0.0),
)

DIALOGUE = (
    Line("Anna", 0.6, "Good morning. Have you seen the new rooms on the second floor?"),
    Line("Ben", 0.4, "Yes, I was there this morning. They are much bigger, and the light is very good."),
    Line("Anna", -1.9, "Yeah."),
    Line("Anna", 0.3, "Then we could move before the end of the month."),
    Line("Ben", -1.4, "That would be too early for me. I have to finish my report first."),
    Line("Anna", -1.8, "How long will you need for the report?"),
    Line("Ben", 0.1, "About two weeks, if nobody asks me for anything else."),
    Line("Anna", -1.3, "Okay."),
    Line("Craig", 0.7, "I'm sorry. My train had to wait in the snow. What have you decided?"),
    Line("Anna", -1.8, "We want to move to the second floor after the holidays."),
    Line("Craig", -1.2, "Do we have to carry everything up the stairs?"),
    Line("Anna", -0.4, "No, two strong men will do that for us on Friday afternoon."),
    Line("Craig", -1.8, "Right."),
    Line("Ben", 0.4, "Somebody has to write to the people in the other building."),
    Line("Anna", -1.6, "I can do that before lunch. Their names are on my list."),
    Line("Craig", -1.4, "Then I will bring some cake for all of you."),
    Line("Anna", 0.4, "That is the best news of the week. Thank you, see you on Friday."),
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
