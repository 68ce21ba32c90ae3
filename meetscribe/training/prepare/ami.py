"""AMI as groups.inf.ed.ac.uk/ami has it: headset recordings, and manual annotations 1.6.2 (NXT).

Each person's headset is cut into turns (words with pauses of at most 0.5 s, at most 15 s at once) with a little around
them, in which others may be heard from afar. Meetings are split as in AMI's full-corpus-ASR partition. What is cut
short, or has no plain spelling, is left out.
Not covered: far microphones (the same words and times hold for them: `Array1-01`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import soundfile

from meetscribe.errors import InputError
from meetscribe.training.prepare.manifest import Row, spoken

DEVELOPMENT = (
    "ES2011",
    "IB4001",
    "IB4002",
    "IB4003",
    "IB4004",
    "IB4010",
    "IB4011",
    "IS1008",
    "TS3004",
    "TS3006",
)
EVALUATION = ("EN2002", "ES2004", "IS1009", "TS3003", "TS3007")
LONGEST_PAUSE = 0.5  # s
LONGEST = 15.0  # s
AROUND = 0.25  # s


@dataclass(frozen=True)
class SaidWord:
    """A word with its times in seconds; `text` is None where one cannot tell how it is spelled."""

    text: str | None
    start: float
    end: float


@dataclass(frozen=True)
class Headset:
    """Whose headset is which channel of a meeting."""

    meeting: str
    agent: str
    channel: int
    speaker: str


def split_of(meeting: str) -> str:
    """Returns which split a meeting is of."""
    if meeting.startswith(DEVELOPMENT):
        return "dev"
    return "test" if meeting.startswith(EVALUATION) else "train"


def read_headsets(annotations: Path) -> list[Headset]:
    """Returns all headsets that the annotations know.

    Raises:
        InputError: there are none.
    """
    path = annotations / "corpusResources" / "meetings.xml"
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise InputError(
            f"{path} cannot be read ({error}); give the folder of the manual annotations"
        ) from error
    found = []
    for meeting in root.iter("meeting"):
        for speaker in meeting.iter("speaker"):
            values = {name.rpartition("}")[2]: value for name, value in speaker.attrib.items()}
            channel = int(values["channel"])
            found.append(
                Headset(
                    meeting.attrib["observation"],
                    values["nxt_agent"],
                    channel,
                    f"ami-{values['global_name']}",
                )
            )
    return found


def read_words(path: Path) -> list[SaidWord]:
    """Returns the words of a person in a meeting, in order of time."""
    found = []
    for element in ElementTree.parse(path).getroot():
        if element.tag != "w" or element.attrib.get("punc") == "true":
            continue
        times = [element.attrib.get(name) for name in ("starttime", "endtime")]
        text = spoken((element.text or "").replace("_", " "))
        if element.attrib.get("trunc") == "true" or times[0] is None or times[1] is None:
            text = None
        if text != "" and times[0] is not None:
            found.append(SaidWord(text, float(times[0]), float(times[1] or times[0])))
    return sorted(found, key=lambda word: word.start)


def turns_of(words: list[SaidWord]) -> Iterator[list[SaidWord]]:
    """Yields the turns in which all words can be spelled."""
    turn: list[SaidWord] = []
    for word in words:
        if turn and (word.start - turn[-1].end > LONGEST_PAUSE or word.end - turn[0].start > LONGEST):
            yield turn
            turn = []
        turn.append(word)
    if turn:
        yield turn


def rows_of(audio: Path, annotations: Path, out: Path) -> dict[str, list[Row]]:
    """Cuts the headsets that are there into turns below `out`, and returns those of each split.

    Args:
        audio: folder with `<meeting>/audio/<meeting>.Headset-<channel>.wav`.
        annotations: folder with `words` and `corpusResources`.
        out: the corpus' folder; what was cut before is not cut again.

    Raises:
        InputError: there is no annotation, or no headset.
    """
    found: dict[str, list[Row]] = {}
    for headset in read_headsets(annotations):
        recording = audio / headset.meeting / "audio" / f"{headset.meeting}.Headset-{headset.channel}.wav"
        words = annotations / "words" / f"{headset.meeting}.{headset.agent}.words.xml"
        if recording.is_file() and words.is_file():
            rows = _cut(headset, recording, read_words(words), out)
            found.setdefault(split_of(headset.meeting), []).extend(rows)
    if not found:
        raise InputError(f"{audio} has no <meeting>/audio/<meeting>.Headset-0.wav; give the folder amicorpus")
    return found


def _cut(headset: Headset, recording: Path, words: list[SaidWord], out: Path) -> Iterator[Row]:
    folder = out / "ami" / headset.meeting
    folder.mkdir(parents=True, exist_ok=True)
    with soundfile.SoundFile(recording) as file:
        for turn in turns_of(words):
            spelled = [word.text for word in turn if word.text is not None]
            if len(spelled) < len(turn):
                continue
            begin = max(0, round((turn[0].start - AROUND) * file.samplerate))
            end = min(file.frames, round((turn[-1].end + AROUND) * file.samplerate))
            if end <= begin:
                continue
            path = folder / f"{headset.meeting}-{headset.agent}-{round(100 * turn[0].start):07d}.flac"
            if not path.exists():
                file.seek(begin)
                samples = file.read(end - begin, dtype="int16", always_2d=True)[:, 0]
                soundfile.write(path, np.ascontiguousarray(samples), file.samplerate)
            name, duration = path.relative_to(out).as_posix(), round((end - begin) / file.samplerate, 3)
            yield Row(name, " ".join(spelled), headset.speaker, duration, "ami")
