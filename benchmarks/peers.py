"""Recognisers side by side on the same utterances, in one run: accuracy, speed and memory.

    python benchmarks/peers.py --manifest dev.jsonl --corpus librispeech --limit 80

meetscribe's whole pipeline, streamed as in a meeting; pocketsphinx 5 with the model, dictionary and language model
inside its wheel; vosk (`pip install vosk`) and whisper.cpp (`whisper-cli`) where `--vosk` and `--whisper` name a model
on this machine. Each runs in a process of its own, in one thread, and gives a JSON line; one that is not there is left
out with a sentence on stderr.
Time is processor time after the first utterance, which is heard twice and counted once; memory is the most that was
resident at once. Not covered: recognisers that need the network.
"""

import argparse
import importlib.util
import json
import multiprocessing
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from meetscribe import models
from meetscribe.apps.evaluate import load_raw
from meetscribe.evaluation import run
from meetscribe.evaluation.controls import Pocketsphinx
from meetscribe.evaluation.error_rate import ErrorRate, word_error_rate
from meetscribe.evaluation.material import Item, load_audio, read_manifest, sample
from meetscribe.evaluation.normaliser import PLAIN
from meetscribe.timeline import SAMPLE_RATE

Recognise = Callable[[NDArray[np.float32]], str]
"""What gives the words of float32 samples at 16 kHz."""


def meetscribe(model: str | None) -> Recognise:
    """Return the whole pipeline of a model: the finals of a stream."""
    pipeline = load_raw(models.find(model).path)

    def recognise(audio: NDArray[np.float32]) -> str:
        return " ".join(turn.text for turn in run.final_turns(run.transcribe(pipeline, audio).events))

    return recognise


def pocketsphinx(_: str | None) -> Recognise:
    """Return pocketsphinx with its own defaults: three passes, trigram."""
    sphinx = Pocketsphinx()
    return lambda audio: " ".join(word.word for word in sphinx.words(audio))


def vosk(model: str | None) -> Recognise:
    """Return vosk with the model in a folder."""
    from vosk import KaldiRecognizer, Model, SetLogLevel  # type: ignore  # noqa: PLC0415  need not be there

    SetLogLevel(-1)
    loaded = Model(model)

    def recognise(audio: NDArray[np.float32]) -> str:
        recogniser = KaldiRecognizer(loaded, SAMPLE_RATE)
        recogniser.AcceptWaveform((np.clip(audio, -1.0, 1.0) * 32767).astype("<i2").tobytes())
        return json.loads(recogniser.FinalResult())["text"]

    return recognise


def whisper(model: str | None) -> Recognise:
    """Return whisper.cpp's command line with a model file."""

    def recognise(audio: NDArray[np.float32]) -> str:
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            soundfile.write(file.name, audio, SAMPLE_RATE)
            command = ["whisper-cli", "-m", str(model), "-f", file.name, "-l", "en", "-nt", "-np", "-t", "1"]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    return recognise


PEERS: dict[str, Callable[[str | None], Recognise]] = {
    "meetscribe": meetscribe,
    "pocketsphinx": pocketsphinx,
    "vosk": vosk,
    "whisper.cpp": whisper,
}


def used() -> tuple[float, int]:
    """Return the processor time of this process and its children in seconds, and the most memory of one in KiB."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both), max(one.ru_maxrss for one in both)


def measure(peer: str, model: str | None, items: Sequence[Item]) -> dict[str, Any]:
    """Return the word error rate, real-time factor and memory of a recogniser over all items."""
    recognise = PEERS[peer](model)
    recognise(load_audio(items[0].audio))  # what is loaded or compiled once
    rate, heard, spent = ErrorRate(), 0.0, 0.0
    for item in items:
        audio = load_audio(item.audio)
        began, _ = used()
        text = recognise(audio)
        spent += used()[0] - began
        heard += len(audio) / SAMPLE_RATE
        reference = [word for segment in item.reference for word in PLAIN.words(segment.text)]
        rate += word_error_rate(reference, PLAIN.words(text))
    return {
        "peer": peer,
        "wer": rate.as_dict(),
        "rtf": round(spent / heard, 3),
        "memory_mb": round(used()[1] / 1024),
        "recordings": len(items),
        "hours": round(heard / 3600, 3),
        "normaliser": PLAIN.name,
    }


def missing(peer: str, model: Path | None) -> str | None:
    """Return why a recogniser cannot be measured here, None where it can."""
    there = {
        "vosk": importlib.util.find_spec("vosk") is not None,
        "whisper.cpp": shutil.which("whisper-cli") is not None,
    }
    if peer not in there:
        return None
    if not there[peer]:
        return f"{peer} is not installed on this machine: it is left out"
    if model is None or not model.exists():
        return f"{peer} has no model on this machine ({model}): it is left out"
    return None


def main() -> None:
    """Run the command line; one JSON line per peer."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--corpus", action="append", default=[])
    parser.add_argument("--limit", type=int, help="only so many utterances, spread evenly over all")
    parser.add_argument("--model", type=Path, help="meetscribe's, a directory; default: the shipped one")
    parser.add_argument("--vosk", type=Path, help="folder of a model of vosk")
    parser.add_argument("--whisper", type=Path, help="file of a model of whisper.cpp")
    options = parser.parse_args()
    items = sample(read_manifest(options.manifest, options.corpus), options.limit)
    chosen = {"meetscribe": options.model, "vosk": options.vosk, "whisper.cpp": options.whisper}
    for peer in PEERS:
        model = chosen.get(peer)
        if (reason := missing(peer, model)) is not None:
            print(reason, file=sys.stderr)
            continue
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
            row = alone.submit(measure, peer, None if model is None else str(model), items).result()
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
