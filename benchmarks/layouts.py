"""Several microphones: how well recordings are transcribed by each layout, against what was said.

    python benchmarks/layouts.py --set SETS/headsets --layout per-speaker --layout mixed
    python benchmarks/layouts.py --set SETS/array --layout array --layout mixed --layout best-channel
    python benchmarks/layouts.py --set SETS/headsets --apart

A set is a folder with recordings and `reference.seglst.json` (`scripts/simulate`). `best-channel` takes of each single
channel's transcript the one with the fewest errors, which nobody could choose without a reference. `--apart` writes
each channel to a file, the second one starting 3 s late on a clock that is 100 ppm fast, and transcribes them
together. Prints a line of JSON for each layout.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from meetscribe import models
from meetscribe.apps.recogniser import Recogniser, load_recogniser
from meetscribe.apps.speakers import speaker_settings
from meetscribe.apps.transcribe import Task, transcribe
from meetscribe.evaluation.normaliser import PLAIN
from meetscribe.evaluation.run import warm_up
from meetscribe.evaluation.score import Scores, score_session
from meetscribe.evaluation.segments import Segment, by_session, normalised, of_meeting, read_segments
from meetscribe.meeting import fold
from meetscribe.sources.beside import measured_clocks
from meetscribe.timeline import SAMPLE_RATE, to_samples

LATE, FAST = 3.0, 1e-4  # s, and parts of the rate


def main() -> None:
    """Measure what the command line asks for."""
    options = _options()
    reference = by_session(read_segments(options.set / "reference.seglst.json"))
    model = models.find(options.model).path
    recogniser = load_recogniser(model).knowing(speaker_settings(model))
    warm_up(recogniser)
    names = [name for name in sorted(reference) if options.prefix in name][: options.limit]
    for layout in [*options.layout, *(["apart"] if options.apart else [])]:
        total, heard_as, seconds, audio = Scores(), 0, 0.0, 0.0
        for name in names:
            path = next(options.set.glob(f"{name}.*"))
            began = time.process_time()
            heard = _heard(path, layout, recogniser, reference[name])
            seconds += time.process_time() - began
            audio += soundfile.info(path).duration
            total += score_session(reference[name], heard)
            heard_as += said_by_another(reference[name], heard)
            if options.verbose:
                _show(name, layout, reference[name], heard)
        figures = total.as_dict()
        kept = {key: figures[key] for key in ("wer", "orc_wer", "cp_wer", "tcp_wer")}
        line: dict[str, Any] = {"set": options.set.name, "layout": layout, "recordings": len(names), **kept}
        line |= {"four_grams_on_another": heard_as, "processor_rtf": round(seconds / audio, 3)}
        print(json.dumps(line), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Error rates by layout.")
    parser.add_argument("--set", type=Path, required=True)
    parser.add_argument("--layout", action="append", default=[])
    parser.add_argument("--apart", action="store_true", help="each channel in a file with a clock of its own")
    parser.add_argument("--model")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--prefix", default="", help="only recordings with this in their names")
    parser.add_argument("--verbose", action="store_true", help="show what was said and heard")
    return parser.parse_args()


def _heard(path: Path, layout: str, recogniser: Recogniser, reference: Sequence[Segment]) -> list[Segment]:
    if layout == "best-channel":
        return _best_channel(path, recogniser, reference)
    if layout == "apart":
        return _apart(path, recogniser)
    return _segments(Task((path,), path.stem, layout), recogniser)  # type: ignore[arg-type]


def _segments(task: Task, recogniser: Recogniser) -> list[Segment]:
    transcript = transcribe(task, lambda: recogniser)
    if transcript.error is not None or transcript.log is None:
        raise SystemExit(transcript.error)
    return of_meeting(fold(transcript.log))


def _best_channel(path: Path, recogniser: Recogniser, reference: Sequence[Segment]) -> list[Segment]:
    audio, _ = soundfile.read(path, dtype="float32", always_2d=True)
    tried = []
    with tempfile.TemporaryDirectory() as folder:
        for number, channel in enumerate(audio.T):
            alone = Path(folder) / f"{number}.wav"
            soundfile.write(alone, channel, SAMPLE_RATE)
            tried.append(_segments(Task((alone,), path.stem, "mixed"), recogniser))
    return min(tried, key=lambda heard: score_session(reference, heard, multi=False).wer.errors)


def _apart(path: Path, recogniser: Recogniser) -> list[Segment]:
    """Return what is heard of files with a channel each, of which the second is late and fast."""
    audio, _ = soundfile.read(path, dtype="float32", always_2d=True)
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, channel in enumerate(audio.T):
            sound = channel
            if number == 1:
                sound = soxr.resample(channel[to_samples(LATE) :], SAMPLE_RATE, SAMPLE_RATE * (1 + FAST))
            files.append(Path(folder) / f"{path.stem}-{number}.wav")
            soundfile.write(files[-1], sound, SAMPLE_RATE)
        clock = measured_clocks(files)[1]
        found = f"offset {clock.offset / SAMPLE_RATE:.4f} s, stretch {1e6 * clock.stretch:.1f} ppm"
        print(f"{path.name}: second file at {found}", file=sys.stderr)
        return _segments(Task(tuple(files), path.stem, "per-speaker"), recogniser)


def said_by_another(reference: Sequence[Segment], heard: Sequence[Segment]) -> int:
    """Return how many 4-grams of one speaker are heard on another's turns within 2 s.

    Whose turns are whose is told by how many words they share.
    """
    said, found = _four_grams(reference), _four_grams(heard)
    owner = {
        stream: max(said, key=lambda speaker: len(grams.keys() & said[speaker].keys()), default="")
        for stream, grams in found.items()
    }
    return sum(
        any(abs(time - other) < to_samples(2.0) for time in times for other in said[speaker].get(gram, ()))
        and gram not in said[owner[stream]]
        for stream, grams in found.items()
        for gram, times in grams.items()
        for speaker in said
        if speaker != owner[stream]
    )


def _four_grams(segments: Sequence[Segment]) -> dict[str, dict[tuple[str, ...], list[int]]]:
    streams: dict[str, dict[tuple[str, ...], list[int]]] = defaultdict(lambda: defaultdict(list))
    for segment in normalised(segments, PLAIN):
        for at in range(len(segment.words) - 3):
            gram = tuple(word.word for word in segment.words[at : at + 4])
            streams[segment.speaker][gram].append(segment.words[at].start)
    return streams


def _show(name: str, layout: str, reference: Sequence[Segment], heard: Sequence[Segment]) -> None:
    lines = [(s.start, "said ", s) for s in reference] + [(s.start, "heard", s) for s in heard]
    for start, kind, segment in sorted(lines, key=lambda line: line[0]):
        print(
            f"{name} {layout} {start / SAMPLE_RATE:7.2f} {kind} {segment.speaker}: {segment.text}",
            file=sys.stderr,
        )


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
