"""`python -m meetscribe.training.tables`: the network's tables of development utterances, to tune the search on.

One npz a recording, named CORPUS-STEM: `chunk` and `full`, float16 [steps, previous symbol, next symbol], as the first
and the final pass get them, and `text`. `benchmarks/tune_search.py` and `benchmarks/search.py` read them.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from meetscribe.nn.recogniser import Recogniser
from meetscribe.training.corpus import load_corpus
from meetscribe.training.export import averaged_recogniser
from meetscribe.training.targets import STEP


@torch.inference_mode()
def table(network: Recogniser, audio: np.ndarray, chunk: int | None) -> np.ndarray:
    """Return the table of a recording, float16 [steps, previous symbol, next symbol]; chunk None: heard whole."""
    samples = len(audio) // STEP * STEP
    heard, length = torch.from_numpy(audio[:samples])[None], torch.tensor([samples])
    return network(heard, length, chunk)[0].numpy().astype(np.float16)


def main(
    checkpoint: Annotated[Path, typer.Option(help="checkpoint.pt of a training run")],
    corpus: Annotated[Path, typer.Option(help="folder with dev.jsonl and alignments")],
    cache: Annotated[Path, typer.Option(help="folder for decoded audio")],
    out: Annotated[Path, typer.Option(help="folder for the tables")],
    limit: Annotated[int, typer.Option(help="recordings of each corpus, drawn with a fixed seed")] = 60,
) -> None:
    """Write the tables of the dev split, each corpus apart."""
    network = averaged_recogniser(checkpoint)
    dev = load_corpus(corpus, "dev", cache)
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for name in sorted({utterance.corpus for utterance in dev.utterances}):
        mine = [utterance for utterance in dev.utterances if utterance.corpus == name]
        for number in rng.permutation(len(mine))[:limit]:
            utterance = mine[number]
            audio = dev.audio.read(utterance.offset, utterance.samples)
            chunk, full = (table(network, audio, steps) for steps in (network.config.encoder.chunk, None))
            path = out / f"{name}-{Path(utterance.audio).stem}.npz"
            np.savez(path, text=np.array(utterance.text), chunk=chunk, full=full)


if __name__ == "__main__":
    typer.run(main)
