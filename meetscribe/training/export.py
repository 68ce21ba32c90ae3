"""`scripts/export`: puts a training's averaged weights and the language files together as a model.

Of several checkpoints of one network the mean is taken.
"""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from meetscribe.checkpoint import (
    CONFIGURATION,
    LANGUAGE_FILES,
    PUNCTUATION,
    RECURRENT,
    Language,
    Model,
    Settings,
    load_settings,
    new_network,
    recogniser_sizes,
    save_model,
    separator_sizes,
)
from meetscribe.errors import InputError, MeetscribeError
from meetscribe.lm.lexicon import load_lexicon
from meetscribe.lm.ngram import load_ngram
from meetscribe.lm.symbols import NUMBER_OF_SYMBOLS
from meetscribe.models import EMBEDDER
from meetscribe.nn.recogniser import Recogniser
from meetscribe.nn.segmenter import SeparatorTransducerSegmenter
from meetscribe.nn.separator import Separator, SeparatorConfig
from meetscribe.streaming.search import SearchSettings
from meetscribe.training.command import starting_weights
from meetscribe.training.corpus import read_alignments

SETTINGS = Settings(
    first_pass=SearchSettings(
        lm_weight=0.75, word_score=-1.0, blank_penalty=1.0, prior_scale=0.3, hidden_marks=True
    ),
    final_pass=SearchSettings(
        lm_weight=0.9,
        word_score=-1.0,
        blank_penalty=0.9,
        prior_scale=0.4,
        hidden_marks=True,
        recurrent_share=0.6,
    ),
)
"""What a model's settings begin with, tuned on the development sets (docs/log.md)."""

DESCRIPTIONS = {
    1: "streaming English recogniser",
    2: "streaming English separator and recogniser, two at once",
}


def averaged_network(*checkpoints: Path, separator: Path | None = None) -> SeparatorTransducerSegmenter:
    """Return the network of a training checkpoint with its averaged weights, or of several with the mean of them.

    A recogniser's checkpoint has no separator; `separator` is the checkpoint, or the model's directory, of another one.

    Raises:
        InputError: the checkpoints are of networks of different sizes, or there is no such separator.
    """
    states = [torch.load(checkpoint, map_location="cpu", weights_only=True) for checkpoint in checkpoints]
    sizes = states[0]["sizes"]
    for state, checkpoint in zip(states, checkpoints, strict=True):
        if state["sizes"] != sizes:
            raise InputError(
                f"{checkpoint}: its network has other sizes than that of {checkpoints[0]}; leave one of them out"
            )
    weights = _mean([state["average"] for state in states])
    if "recogniser" not in sizes:
        sizes = {"recogniser": sizes, "separator": None}
        weights = {f"recogniser.{name}": value for name, value in weights.items()}
    network = new_network(recogniser_sizes(sizes["recogniser"]), separator_sizes(sizes["separator"]))
    network.load_state_dict(weights)
    if separator is None:
        return network
    other = _separator(separator)
    return SeparatorTransducerSegmenter(network.recogniser, other, network.voice).eval()


def _mean(weights: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of weights by name; whole numbers are the first ones'."""
    first = weights[0]
    return {
        name: torch.stack([one[name] for one in weights]).mean(0) if value.is_floating_point() else value
        for name, value in first.items()
    }


def _separator(source: Path) -> Separator:
    """Return the separator of a checkpoint or of a model's directory.

    Raises:
        InputError: there is none in it.
    """
    weights = starting_weights(source, "separator")
    if source.is_dir():
        sizes = json.loads((source / CONFIGURATION).read_text())["separator"]
    else:
        sizes = torch.load(source, map_location="cpu", weights_only=True)["sizes"]
        sizes = sizes.get("separator", sizes)
    found = Separator(SeparatorConfig(**sizes))
    found.load_state_dict(weights)
    return found


def averaged_recogniser(checkpoint: Path) -> Recogniser:
    """Return the recogniser alone of a training checkpoint, with its averaged weights."""
    return averaged_network(checkpoint).recogniser


def chosen_settings(source: Path | None) -> Settings:
    """Return the settings of the model at `source`, or those to begin with.

    What is trained here starts and ends turns, whatever the settings come from.
    """
    settings = SETTINGS if source is None else load_settings(source)
    passes = (settings.first_pass, settings.final_pass)
    first, final = (replace(one, marks=False, hidden_marks=True) for one in passes)
    return replace(settings, first_pass=first, final_pass=final)


def symbol_prior(alignments: Path) -> np.ndarray:
    """Return the natural log of how frequent each symbol is in aligned speech, float32 (V,); unseen ones count once."""
    counts = np.ones(NUMBER_OF_SYMBOLS)
    for words in read_alignments(alignments).values():
        for word in words:
            np.add.at(counts, list(word.symbols), 1.0)
    return np.log(counts / counts.sum()).astype(np.float32)


def main(
    checkpoint: Annotated[
        list[Path], typer.Option(help="checkpoint.pt of a training run; of several the mean is taken")
    ],
    language: Annotated[
        Path,
        typer.Option(
            help="folder with lexicon, n-grams, spelling and, where there are any, marks and a recurrent model"
        ),
    ],
    alignments: Annotated[Path, typer.Option(help="alignments.jsonl.xz of the training corpus")],
    out: Annotated[Path, typer.Option(help="the model's directory, named as the model")],
    card: Annotated[
        Path | None, typer.Option(help="the model's card; default: the one that is there")
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            help="a model whose settings and speaker embedder to take; default: those that are there"
        ),
    ] = None,
    separator: Annotated[
        Path | None,
        typer.Option(help="another separator: checkpoint of scripts/train-separator, or a model's directory"),
    ] = None,
) -> None:
    """Write a model directory."""
    out.mkdir(parents=True, exist_ok=True)
    if settings is not None and (settings / EMBEDDER).is_file() and not (out / EMBEDDER).exists():
        shutil.copyfile(settings / EMBEDDER, out / EMBEDDER)
    optional = [name for name in (PUNCTUATION, RECURRENT) if (language / name).is_file()]
    for file in [*LANGUAGE_FILES.values(), *optional]:
        if (language / file).resolve() != (out / file).resolve():
            shutil.copyfile(language / file, out / file)
    words = Language(
        load_lexicon(out / LANGUAGE_FILES["lexicon"]),
        load_ngram(out / LANGUAGE_FILES["books"]),
        load_ngram(out / LANGUAGE_FILES["conversation"]),
    )
    prior = symbol_prior(alignments)
    try:
        network = averaged_network(*checkpoint, separator=separator)
    except MeetscribeError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
    there = out if (out / CONFIGURATION).is_file() else None
    chosen = chosen_settings(settings or there)
    model = Model(out.name, out, network, words, chosen, prior)
    text = card or out / "CARD.md"
    save_model(model, text.read_text() if text.is_file() else f"# {out.name}\n", DESCRIPTIONS[network.slots])


if __name__ == "__main__":
    typer.run(main)
