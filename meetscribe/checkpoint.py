"""The only loader of models/<name>/: a directory of data, nothing of which is ever executed.

`model.json` holds all configuration and names the files beside it; weights are safetensors in bfloat16, n-grams and
grapheme-to-phoneme tables safetensors, the lexicon text. What is damaged, foreign or of another version is a
CheckpointError whose sentence names the file.
Not covered: which models are installed (`meetscribe.models`), training checkpoints (`meetscribe.training`).
"""

import dataclasses
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from meetscribe.errors import CheckpointError
from meetscribe.lm.g2p import GraphemeToPhoneme, load_g2p
from meetscribe.lm.lexicon import Lexicon, load_lexicon
from meetscribe.lm.ngram import NGram, load_ngram
from meetscribe.nn.encoder import EncoderConfig
from meetscribe.nn.recogniser import Recogniser, RecogniserConfig
from meetscribe.nn.transducer import TransducerConfig
from meetscribe.streaming.search import Search, SearchSettings

VERSION = 1
CONFIGURATION = "model.json"
WEIGHTS = "weights.safetensors"
LANGUAGE_FILES = {
    "lexicon": "lexicon.txt.xz",
    "books": "books.ngram.safetensors",
    "conversation": "conversation.ngram.safetensors",
    "g2p": "g2p.safetensors",
}


@dataclass(frozen=True)
class Language:
    """What the search knows about words."""

    lexicon: Lexicon
    books: NGram
    conversation: NGram


@dataclass(frozen=True)
class Model:
    """A loaded model."""

    name: str
    directory: Path
    network: Recogniser
    language: Language
    first_pass: SearchSettings
    final_pass: SearchSettings
    log_prior: np.ndarray  # natural log of how frequent each symbol was in training, float32 (V,)

    @cached_property
    def search(self) -> Search:
        """The search with the settings of the first pass."""
        words = self.language
        return Search.build(words.lexicon, words.books, words.conversation, self.first_pass, self.log_prior)

    @cached_property
    def final_search(self) -> Search:
        """The search with the settings of the final pass; it shares the tables of the first."""
        return self.search.with_settings(self.final_pass, self.log_prior)

    @cached_property
    def g2p(self) -> GraphemeToPhoneme:
        """How words outside the lexicon are said."""
        return load_g2p(self.directory / LANGUAGE_FILES["g2p"])


def load_model(directory: Path) -> Model:
    """Load the model of a directory.

    Raises:
        CheckpointError: a file is missing, damaged, foreign, or of another version.
    """
    configuration = _configuration(directory / CONFIGURATION)
    try:
        sizes = _sizes(configuration["recogniser"])
        passes = [SearchSettings(**configuration["search"][key]) for key in ("first_pass", "final_pass")]
        prior = np.array(configuration["log_prior"], np.float32)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{directory / CONFIGURATION}: {error} is wrong; install the model again"
        ) from error
    network = _network(directory / WEIGHTS, sizes)
    return Model(directory.name, directory, network, _language(directory), passes[0], passes[1], prior)


def save_model(model: Model, card: str, description: str) -> None:
    """Write a model's configuration, weights and card into its directory; the language files lie there already."""
    model.directory.mkdir(parents=True, exist_ok=True)
    configuration = {
        "version": VERSION,
        "name": model.name,
        "description": description,
        "step": model.network.stride,  # samples
        "lookahead": model.network.lookahead,  # samples heard after a step before it is answered
        "recogniser": dataclasses.asdict(model.network.config),
        "search": {
            "first_pass": dataclasses.asdict(model.first_pass),
            "final_pass": dataclasses.asdict(model.final_pass),
        },
        "log_prior": [round(float(value), 4) for value in model.log_prior],
    }
    (model.directory / CONFIGURATION).write_text(json.dumps(configuration, indent=1) + "\n")
    (model.directory / "CARD.md").write_text(card)
    weights = {name: value.to(torch.bfloat16) for name, value in model.network.state_dict().items()}
    save_file(weights, model.directory / WEIGHTS)


def _configuration(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing; give the directory of a model") from None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged; install the model again") from error
    if not isinstance(read, dict) or read.get("version") != VERSION:
        raise CheckpointError(
            f"{path} is of another version than {VERSION}; install the model that belongs here"
        )
    return read


def _sizes(read: dict[str, Any]) -> RecogniserConfig:
    encoder, transducer = EncoderConfig(**read["encoder"]), TransducerConfig(**read["transducer"])
    return RecogniserConfig(encoder, transducer, read["frame_classes"])


def _network(path: Path, sizes: RecogniserConfig) -> Recogniser:
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; install the model again")
    try:
        weights = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path} holds no weights ({error}); install the model again") from error
    network = Recogniser(sizes)
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    if {name: tuple(value.shape) for name, value in weights.items()} != wanted:
        raise CheckpointError(f"{path} holds weights of another network; install the model again")
    if not all(bool(torch.isfinite(value).all()) for value in weights.values()):
        raise CheckpointError(f"{path} holds weights that are no numbers; install the model again")
    network.load_state_dict({name: value.float() for name, value in weights.items()})
    return network.eval()


def _language(directory: Path) -> Language:
    paths = {name: directory / file for name, file in LANGUAGE_FILES.items()}
    for path in paths.values():
        if not path.is_file():
            raise CheckpointError(f"{path} is missing; install the model again")
    lexicon = load_lexicon(paths["lexicon"])
    return Language(lexicon, load_ngram(paths["books"]), load_ngram(paths["conversation"]))
