"""`scripts/export`: puts a training checkpoint's averaged weights and the language files together as a model."""

import shutil
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from meetscribe.checkpoint import LANGUAGE_FILES, Language, Model, save_model
from meetscribe.lm.lexicon import load_lexicon
from meetscribe.lm.ngram import load_ngram
from meetscribe.lm.symbols import NUMBER_OF_SYMBOLS
from meetscribe.nn.encoder import EncoderConfig
from meetscribe.nn.recogniser import Recogniser, RecogniserConfig
from meetscribe.nn.transducer import TransducerConfig
from meetscribe.streaming.search import SearchSettings
from meetscribe.training.corpus import read_alignments

FIRST_PASS = SearchSettings(lm_weight=0.75, word_score=-2.0, blank_penalty=1.0, prior_scale=0.3)
FINAL_PASS = SearchSettings(lm_weight=0.8, word_score=-2.0, blank_penalty=0.9, prior_scale=0.4)
"""The search's settings, tuned on the development sets (docs/log.md)."""


def averaged_network(checkpoint: Path) -> Recogniser:
    """Return the network of a training checkpoint with its averaged weights."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    sizes = state["sizes"]
    encoder, transducer = EncoderConfig(**sizes["encoder"]), TransducerConfig(**sizes["transducer"])
    network = Recogniser(RecogniserConfig(encoder, transducer, sizes["frame_classes"]))
    network.load_state_dict(state["average"])
    return network.eval()


def symbol_prior(alignments: Path) -> np.ndarray:
    """Return the natural log of how frequent each symbol is in aligned speech, float32 (V,); unseen ones count once."""
    counts = np.ones(NUMBER_OF_SYMBOLS)
    for words in read_alignments(alignments).values():
        for word in words:
            np.add.at(counts, list(word.symbols), 1.0)
    return np.log(counts / counts.sum()).astype(np.float32)


def main(
    checkpoint: Annotated[Path, typer.Option(help="checkpoint.pt of a training run")],
    language: Annotated[
        Path, typer.Option(help="folder with lexicon, n-grams and grapheme-to-phoneme tables")
    ],
    alignments: Annotated[Path, typer.Option(help="alignments.jsonl.xz of the training corpus")],
    out: Annotated[Path, typer.Option(help="the model's directory, named as the model")],
    card: Annotated[
        Path | None, typer.Option(help="the model's card; default: the one that is there")
    ] = None,
    description: str = "streaming English recogniser",
) -> None:
    """Write a model directory."""
    out.mkdir(parents=True, exist_ok=True)
    for file in LANGUAGE_FILES.values():
        if (language / file).resolve() != (out / file).resolve():
            shutil.copyfile(language / file, out / file)
    words = Language(
        load_lexicon(out / LANGUAGE_FILES["lexicon"]),
        load_ngram(out / LANGUAGE_FILES["books"]),
        load_ngram(out / LANGUAGE_FILES["conversation"]),
    )
    prior = symbol_prior(alignments)
    model = Model(out.name, out, averaged_network(checkpoint), words, FIRST_PASS, FINAL_PASS, prior)
    text = card or out / "CARD.md"
    save_model(model, text.read_text() if text.is_file() else f"# {out.name}\n", description)


if __name__ == "__main__":
    typer.run(main)
