"""Words that the microphone repeats after the loudspeaker, with and without the removal of echo.

    python benchmarks/echo.py --corpus CORPUS --json echo.json

Two speakers of Librispeech dev, one in the room and one far away, talk in turn and sometimes at once. What the far
one says comes back through the microphone so many dB weaker than the near one's voice, late, through a room and a
loudspeaker that distorts a little. The far one's channel is clean; whatever the microphone's channel has of those words
is a copy. `copies` are words of the far speaker that the microphone's transcript has at their time and in their order;
the control without any echo shows how many such words agree by chance. `word errors` are of the microphone's channel
against what the near speaker says: words that come of echo are insertions.
"""

import argparse
import asyncio
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from meetscribe import events as ev
from meetscribe import models
from meetscribe.apps.recogniser import Recogniser, load_recogniser
from meetscribe.errors import MeetscribeError
from meetscribe.evaluation.error_rate import ErrorRate, word_error_rate
from meetscribe.evaluation.normaliser import PLAIN
from meetscribe.session.ports import Block
from meetscribe.sources.echo import EchoSettings
from meetscribe.sources.echo_removal import EchoRemoval
from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.simulation.rooms import families, load_meeting_rooms

LEVELS = (-3.0, -6.5, -10.0)  # dB of the echo beside the near voice
DRIFT = 50e-6  # by which the microphone's clock is off in the last condition
LATE = 0.12  # seconds from the server's monitor to the microphone, without the room
DISTORTION = 1.5  # how far the loudspeaker is driven into saturation
VOICE = 0.05  # root mean square of the near voice
NOISE = -35.0  # dB of the room's noise beside the near voice
NEARBY = 0.5  # seconds by which a copy's time may differ

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Spoken:
    """An utterance in the meeting."""

    near: bool
    start: int
    end: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class Meeting:
    """Both voices as they were said, as long as each other."""

    near: Samples
    far: Samples
    spoken: tuple[Spoken, ...]


@dataclass(frozen=True)
class Outcome:
    """What the microphone's channel made of some meetings; counts that add."""

    far_words: int = 0
    copies: int = 0
    errors: ErrorRate = field(default_factory=ErrorRate)

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.far_words + other.far_words, self.copies + other.copies, self.errors + other.errors
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the figures."""
        return {"far_words": self.far_words, "copies": self.copies, "wer": self.errors.as_dict()}


def make_meeting(
    speakers: list[list[dict[str, Any]]], folder: Path, seconds: float, rng: np.random.Generator
) -> Meeting:
    """Let two speakers take turns until `seconds` are over; every fourth turn begins before the last one ended."""
    length = int(seconds * SAMPLE_RATE)
    voices, spoken, at, turn = np.zeros((2, length), np.float32), [], SAMPLE_RATE, 0
    while True:
        row = speakers[turn % 2][turn // 2 % len(speakers[turn % 2])]
        sound, _ = soundfile.read(folder / row["audio"], dtype="float32")
        if at + len(sound) > length:
            return Meeting(voices[0], voices[1], tuple(spoken))
        voices[turn % 2, at : at + len(sound)] += sound
        words = tuple(PLAIN.words(row["text"]))
        spoken.append(Spoken(turn % 2 == 0, at, at + len(sound), words))
        pause = -2.0 if turn % 4 == 3 else float(rng.uniform(0.3, 1.2))
        at, turn = at + len(sound) + int(pause * SAMPLE_RATE), turn + 1


def through(sound: Samples, response: Samples) -> Samples:
    """Return a sound as a place in the room hears it."""
    return fftconvolve(sound, response)[: len(sound)].astype(np.float32)


def level(sound: Samples) -> float:
    """Return the root mean square of where there is sound."""
    loud = np.abs(sound) > 0.02 * np.abs(sound).max()
    return float(np.sqrt(np.mean(np.square(sound[loud])))) or 1.0


def heard_by_microphone(
    meeting: Meeting, room: list[Samples], decibel: float | None, drift: float, rng: np.random.Generator
) -> Samples:
    """Return what the microphone hears; None: no echo."""
    near = through(meeting.near, room[0])
    near *= VOICE / level(near)
    noise = rng.normal(size=len(near)) * VOICE * 10 ** (NOISE / 20)
    mixed = near + noise
    if decibel is not None:
        peak = np.abs(meeting.far).max()
        loud = np.tanh(DISTORTION * meeting.far / peak) / DISTORTION * peak
        echo = through(loud, room[1])
        times = (np.arange(len(echo)) - LATE * SAMPLE_RATE) * (1 + drift)
        echo = np.interp(times, np.arange(len(echo)), echo, left=0, right=0).astype(np.float32)
        mixed = mixed + echo * (VOICE / level(echo) * 10 ** (decibel / 20))
    return mixed.astype(np.float32)


def cleaned(microphone: Samples, far: Samples, settings: EchoSettings) -> Samples:
    """Return the microphone's channel without echo."""
    removal, blocks = EchoRemoval(1, settings), []
    both = np.stack([microphone, far], axis=1)
    for at in range(0, len(both), SAMPLE_RATE // 20):
        blocks += removal.feed(Block(at, both[at : at + SAMPLE_RATE // 20]))
    blocks += removal.flush()
    return np.concatenate([block.samples[:, 0] for block in blocks])


async def transcribe(sound: Samples, recogniser: Recogniser) -> list[ev.Word]:
    """Return the words of all final turns, by time."""
    stream = await recogniser.recognition().open()

    async def collect() -> list[ev.Word]:
        turns = [event.turn async for event in stream.events() if isinstance(event, ev.Final)]
        return sorted((word for turn in turns for word in turn.words), key=lambda word: word.start)

    collecting = asyncio.ensure_future(collect())
    for at in range(0, len(sound), SAMPLE_RATE):
        await stream.feed(sound[at : at + SAMPLE_RATE])
    await stream.finish()
    return await collecting


def judge(meeting: Meeting, words: list[ev.Word]) -> Outcome:
    """Compare the microphone's words with what both said."""
    near = [word for part in meeting.spoken if part.near for word in part.words]
    far = [part for part in meeting.spoken if not part.near]
    copies, margin = 0, NEARBY * SAMPLE_RATE
    for part in far:
        then = [word for word in words if part.start - margin <= word.start <= part.end + margin]
        said = [text for word in then for text in PLAIN.words(word.word)]
        errors = word_error_rate(part.words, said)
        copies += len(part.words) - errors.substitutions - errors.deletions
    said = [text for word in words for text in PLAIN.words(word.word)]
    return Outcome(sum(len(part.words) for part in far), copies, word_error_rate(near, said))


def conditions() -> dict[str, tuple[float | None, float, EchoSettings | None]]:
    """Return what is measured: level of the echo, drift of the clock, and the remedy."""
    filtered = EchoSettings(damped=False)
    made: dict[str, tuple[float | None, float, EchoSettings | None]] = {"no echo": (None, 0.0, None)}
    made["no echo, remedy"] = (None, 0.0, EchoSettings())
    for decibel in LEVELS:
        made[f"{decibel} dB"] = (decibel, 0.0, None)
        made[f"{decibel} dB, filter only"] = (decibel, 0.0, filtered)
        made[f"{decibel} dB, remedy"] = (decibel, 0.0, EchoSettings())
    made[f"{LEVELS[1]} dB, clocks apart, remedy"] = (LEVELS[1], DRIFT, EchoSettings())
    return made


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return the outcome of every condition.

    Raises:
        MeetscribeError: there is no such model.
    """
    recogniser = load_recogniser(models.find(options.model).path)
    rows = [json.loads(line) for line in (options.corpus / "speech" / "dev.jsonl").open()]
    people: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["corpus"].startswith("librispeech") and row["text"]:
            people.setdefault(row["speaker"], []).append(row)
    rooms = load_meeting_rooms(options.corpus, "dev", options.cache, 8)
    places = [family for family in families(rooms) if len(family) > 1]
    rng = np.random.default_rng(options.seed)
    wanted = {name: how for name, how in conditions().items() if not options.only or name in options.only}
    outcomes = dict.fromkeys(wanted, Outcome())
    for number in range(options.meetings):
        pair = rng.choice(sorted(people), 2, replace=False)
        chosen = [[people[name][index] for index in rng.permutation(len(people[name]))] for name in pair]
        meeting = make_meeting(chosen, options.corpus / "speech", options.seconds, rng)
        family = places[number % len(places)]
        room = [np.asarray(rooms.responses[index]) for index in rng.choice(family, 2, replace=False)]
        for name, (decibel, drift, remedy) in wanted.items():
            sound = heard_by_microphone(meeting, room, decibel, drift, np.random.default_rng(number))
            if remedy is not None:
                sound = cleaned(sound, meeting.far, remedy)
            outcomes[name] += judge(meeting, asyncio.run(transcribe(sound, recogniser)))
            print(number, name, outcomes[name].as_dict(), file=sys.stderr, flush=True)
    return {
        "model": recogniser.name,
        "normaliser": PLAIN.name,
        **{name: part.as_dict() for name, part in outcomes.items()},
    }


def table(result: dict[str, Any]) -> str:
    """Return the figures as a table in Markdown."""
    lines = [
        "| echo | far words | copied | | word errors of the microphone |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, part in result.items():
        if isinstance(part, dict):
            share, wer = part["copies"] / max(part["far_words"], 1), part["wer"]
            lines.append(
                f"| {name} | {part['far_words']} | {part['copies']} | {share:.1%} | {wer['rate']:.1%} "
                f"({wer['errors']}/{wer['length']}) |"
            )
    return "\n".join(lines)


def main() -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Copied words with and without the removal of echo.")
    parser.add_argument("--corpus", type=Path, required=True, help="the folder with speech/ and rooms.jsonl")
    parser.add_argument("--model", help="a name or a directory; default: the shipped one")
    parser.add_argument("--meetings", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=90.0, help="of each meeting")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", default=[], help="only this condition (repeatable)")
    parser.add_argument("--cache", type=Path, default=Path("echo-cache"), help="for computed rooms")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    try:
        result = measure(options)
    except MeetscribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(table(result))
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
