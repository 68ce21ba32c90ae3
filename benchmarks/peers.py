"""Other recognisers on the same utterances with the same normaliser: what our figures are to be held against.

    python benchmarks/peers.py --manifest dev.jsonl --corpus librispeech --limit 80

So far pocketsphinx 5 with the model, dictionary and language model inside its wheel, one utterance at a
time.
Time is processor time on one core. Not covered: recognisers that need the network or weights of their own.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from meetscribe.evaluation.controls import Pocketsphinx
from meetscribe.evaluation.error_rate import ErrorRate, word_error_rate
from meetscribe.evaluation.material import Item, load_audio, read_manifest, sample
from meetscribe.evaluation.normaliser import PLAIN
from meetscribe.timeline import SAMPLE_RATE

Recognise = Callable[[NDArray[np.float32]], str]


def pocketsphinx() -> Recognise:
    """Return pocketsphinx with its own defaults: three passes, trigram."""
    sphinx = Pocketsphinx()
    return lambda audio: " ".join(word.word for word in sphinx.words(audio))


def measure(recognise: Recognise, items: list[Item]) -> dict[str, object]:
    """Return the word error rate and the real-time factor over all items."""
    rate, heard, spent = ErrorRate(), 0.0, 0.0
    for number, item in enumerate(items, 1):
        audio = load_audio(item.audio)
        began = time.process_time()
        text = recognise(audio)
        spent += time.process_time() - began
        heard += len(audio) / SAMPLE_RATE
        reference = [word for segment in item.reference for word in PLAIN.words(segment.text)]
        rate += word_error_rate(reference, PLAIN.words(text))
        if number % 20 == 0:
            print(f"{number} of {len(items)}: {rate.as_dict()}", file=sys.stderr)
    return {
        "wer": rate.as_dict(),
        "rtf": round(spent / heard, 3),
        "recordings": len(items),
        "hours": round(heard / 3600, 3),
        "normaliser": PLAIN.name,
    }


def main() -> None:
    """Run the command line; one JSON line per peer."""
    parser = argparse.ArgumentParser(description="Other recognisers on the same utterances.")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--corpus", action="append", default=[])
    parser.add_argument("--limit", type=int, help="only so many utterances, spread evenly over all")
    options = parser.parse_args()
    items = sample(read_manifest(options.manifest, options.corpus), options.limit)
    print(json.dumps({"peer": "pocketsphinx", **measure(pocketsphinx(), items)}))


if __name__ == "__main__":
    main()
