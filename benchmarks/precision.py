"""What other number formats than float32 cost and gain: error rates and processor time, one model, side by side.

    python benchmarks/precision.py --manifest CORPUS/speech/dev.jsonl --corpus librispeech --limit 40

int8: weights of all linear layers, activations as they come (dynamic quantisation, torch); bfloat16: the encoder's
matrix products. Each recording is heard in every format before the next one, so that what else the machine does falls
on all of them alike; time is processor time of the whole pipeline on one core.
Not covered: other machines: which format is fast is a matter of the processor, so run it on yours.
"""

import argparse
import copy
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from meetscribe.checkpoint import Model, load_model
from meetscribe.engine.batches import InProcessEngine
from meetscribe.evaluation import run
from meetscribe.evaluation.corpora import Outcome, evaluate_item
from meetscribe.evaluation.material import read_manifest, sample
from meetscribe.evaluation.replay import Pipeline
from meetscribe.lm.wording import RAW
from meetscribe.models import find
from meetscribe.session.ports import Engine


def _in_float32(value: Any) -> Any:
    """Return a tensor or state in float32."""
    if isinstance(value, torch.Tensor):
        return value.float() if value.is_floating_point() else value
    if isinstance(value, tuple):
        parts = [_in_float32(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def in_bfloat16(model: Model) -> Engine:
    """Return an engine whose encoder multiplies matrices in bfloat16; features and joint network stay as they are."""
    network = copy.deepcopy(model.network)
    encoder = network.recogniser.encoder

    def wrapped(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            with torch.autocast("cpu", torch.bfloat16):
                found = method(*arguments)
            return _in_float32(found)

        return call

    for name in ("forward", "step"):
        setattr(encoder, name, wrapped(getattr(encoder, name)))
    return InProcessEngine(network)


def in_int8(model: Model) -> Engine:
    """Return an engine with the linear layers' weights in a byte each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces that this will move to another package
        quantised = torch.ao.quantization.quantize_dynamic(
            model.network, {torch.nn.Linear}, dtype=torch.qint8
        )
    return InProcessEngine(quantised)


FORMATS: dict[str, Callable[[Model], Engine]] = {
    "float32": lambda model: InProcessEngine(model.network),
    "int8": in_int8,
    "bfloat16": in_bfloat16,
}


def main() -> None:
    """Print error rates and time of each format."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--corpus", action="append", default=[])
    parser.add_argument("--model", help="name or directory; default: the shipped one")
    parser.add_argument("--limit", type=int, help="recordings, spread evenly")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(find(arguments.model).path)
    transcribers = partial(model.new_transcriber, wording=RAW)
    pipelines = {name: Pipeline(engine(model), transcribers) for name, engine in FORMATS.items()}
    sums = dict.fromkeys(pipelines, Outcome())
    for pipeline in pipelines.values():
        run.warm_up(pipeline)
    for item in sample(read_manifest(arguments.manifest, arguments.corpus), arguments.limit):
        for name, pipeline in pipelines.items():
            sums[name] += evaluate_item(item, pipeline, multi=False)[0]
    for name, outcome in sums.items():
        final, first = outcome.final, outcome.first_pass
        print(
            f"{name}: final pass {final.wer.errors}/{final.wer.length} = {100 * (final.wer.rate or 0):.2f} %, "
            f"first pass {100 * (first.rate or 0):.2f} %, {final.worked / final.heard:.4f} s a second",
            flush=True,
        )


if __name__ == "__main__":
    main()
