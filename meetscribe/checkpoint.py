"""The only loader of models/<name>/: a directory of data, nothing of which is ever executed.

`model.json` holds all configuration and names the files beside it; weights are safetensors in bfloat16, n-grams and
grapheme-to-phoneme tables safetensors, the lexicon text. What is damaged, foreign or of another version is a
CheckpointError whose sentence names the file.
Not covered: which models are installed (`meetscribe.models`), training checkpoints (`meetscribe.training`).
"""

import dataclasses
import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from meetscribe.embedder_file import SpeakerEmbedder, load_embedder
from meetscribe.errors import CheckpointError
from meetscribe.lm.g2p import GraphemeToPhoneme, load_g2p
from meetscribe.lm.hotwords import HotPhrase, spoken
from meetscribe.lm.lexicon import Lexicon, load_lexicon
from meetscribe.lm.ngram import NGram, load_ngram
from meetscribe.lm.punctuation import Punctuator, load_punctuator
from meetscribe.lm.recurrent import RecurrentLM, load_recurrent
from meetscribe.lm.wording import USUAL, Wording
from meetscribe.nn.encoder import EncoderConfig
from meetscribe.nn.recogniser import Recogniser, RecogniserConfig
from meetscribe.nn.segmenter import SeparatorTransducerSegmenter
from meetscribe.nn.separator import Separator, SeparatorConfig
from meetscribe.nn.transducer import TransducerConfig
from meetscribe.nn.voice import Voice, VoiceConfig
from meetscribe.streaming.final_pass import FinalPassSettings
from meetscribe.streaming.leak import LeakSettings
from meetscribe.streaming.rules import ClosingRule, SplitRule
from meetscribe.streaming.search import Search, SearchSettings
from meetscribe.streaming.splitting import SplitSettings, Splitting
from meetscribe.streaming.transcriber import Transcriber, TranscriberSettings
from meetscribe.streaming.turns import TurnSettings
from meetscribe.streaming.writing import Writer, spellings_of

THOROUGH_SEARCH = {"beam": 18.0, "most_hypotheses": 1500, "word_margin": 4.0, "symbol_beam": 14.0}
THOROUGH_PIECES = {"interval": 750, "margin": 100}
"""What there is time for when nobody waits: 30 s of a turn encoded and searched at once, and more hypotheses."""

VERSION = 1
CONFIGURATION = "model.json"
WEIGHTS = "weights.safetensors"
LANGUAGE_FILES = {
    "lexicon": "lexicon.txt.xz",
    "books": "books.ngram.safetensors",
    "conversation": "conversation.ngram.safetensors",
    "g2p": "g2p.safetensors",
}
PUNCTUATION = "punctuation.safetensors"
RECURRENT = "recurrent.safetensors"
"""What a model may have beside them: what sets marks and capitals, and a language model for the final pass."""

KEPT_PHRASES = 5000
"""Phrases whose sound is remembered: guessing that of a new one takes 2 ms."""

KEPT_LISTS = 8
"""Lists of hot words whose searches are kept, some 10 MB each."""


@dataclass(frozen=True)
class Language:
    """What the search knows about words."""

    lexicon: Lexicon
    books: NGram
    conversation: NGram
    recurrent: RecurrentLM | None = None


@dataclass(frozen=True)
class Settings:
    """How a model's answers become words and turns; every model brings its own."""

    first_pass: SearchSettings = field(default_factory=SearchSettings)
    final_pass: SearchSettings = field(default_factory=SearchSettings)
    turns: TurnSettings = field(default_factory=TurnSettings)
    leak: LeakSettings = field(default_factory=LeakSettings)
    pieces: FinalPassSettings = field(default_factory=FinalPassSettings)


@dataclass(frozen=True)
class Model:
    """A loaded model."""

    name: str
    directory: Path
    network: SeparatorTransducerSegmenter
    language: Language
    settings: Settings
    log_prior: np.ndarray  # natural log of how frequent each symbol was in training, float32 (V,)
    embedder: SpeakerEmbedder | None = None

    def bypassed(self) -> "Model":
        """Return the same model without its separator: one slot hears everything, the control of separation."""
        network = SeparatorTransducerSegmenter(self.network.recogniser, None, self.network.voice)
        return replace(self, network=network.eval())

    def thorough(self) -> "Model":
        """Return the same model with a final pass for which there is time: whole turns, and a wider beam."""
        wider = replace(self.settings.final_pass, **THOROUGH_SEARCH)
        settings = replace(self.settings, final_pass=wider, pieces=FinalPassSettings(**THOROUGH_PIECES))
        return replace(self, settings=settings)

    def new_transcriber(
        self,
        slots: int | None = None,
        wording: Wording = USUAL,
        voices: bool = False,
        split: Splitting = "seldom",
    ) -> Transcriber:
        """Return a transcriber for one stream.

        Args:
            slots: how many there are, where others than the network's separator fill them.
            wording: what its text is to be like.
            voices: whether voices go with finals, where there is an embedder to tell them.
            split: when they split turns too; never where it is known that one person talks.
        """
        own, embedder = self.settings, self.embedder if voices else None
        listed, learned = self._phrases(wording.hotwords), self._phrases(wording.learned)
        numbers = self.language.lexicon.numbers
        writer = Writer(
            self.punctuator if wording.punctuation else None,
            {**spellings_of(learned, numbers, len(numbers)), **spellings_of(listed, numbers)},
            wording.numerals == "digits",
        )
        search, final_search = self._listening((*listed, *learned))
        settings = TranscriberSettings(
            self.network.recogniser.config.encoder.chunk,
            slots or self.network.slots,
            turns=own.turns,
            final_pass=own.pieces,
            leak=own.leak,
            writer=writer,
            embedder=None if embedder is None else embedder.id,
            split=None if embedder is None else SplitSettings.when(split, embedder.resemblance),
        )
        return Transcriber(search, final_search, settings)

    def _phrases(self, hotwords: tuple[str, ...]) -> tuple[HotPhrase, ...]:
        """Return how hot words are said; what cannot be said is left out, what was asked for before is remembered."""
        if len(self._said) > KEPT_PHRASES:
            self._said.clear()
        for phrase in hotwords:
            if phrase not in self._said:
                self._said[phrase] = spoken(phrase, self.language.lexicon, self.g2p)
        return tuple(said for phrase in hotwords if (said := self._said[phrase]) is not None)

    def _listening(self, phrases: tuple[HotPhrase, ...]) -> tuple[Search, Search]:
        """Return the searches of both passes for which phrases are likelier; those of the last lists are kept."""
        if not phrases:
            return self.search, self.final_search
        if phrases not in self._lists:
            while len(self._lists) >= KEPT_LISTS:
                del self._lists[next(iter(self._lists))]
            first = self.search.listening_for(phrases)
            self._lists[phrases] = first, first.with_settings(self.settings.final_pass, self.log_prior)
        return self._lists[phrases]

    @cached_property
    def _said(self) -> dict[str, HotPhrase | None]:
        return {}

    @cached_property
    def _lists(self) -> dict[tuple[HotPhrase, ...], tuple[Search, Search]]:
        return {}

    @cached_property
    def search(self) -> Search:
        """The search with the settings of the first pass."""
        words = self.language
        models = words.books, words.conversation
        return Search.build(words.lexicon, *models, self.settings.first_pass, self.log_prior, words.recurrent)

    @cached_property
    def final_search(self) -> Search:
        """The search with the settings of the final pass; it shares the tables of the first."""
        return self.search.with_settings(self.settings.final_pass, self.log_prior)

    @cached_property
    def punctuator(self) -> Punctuator | None:
        """What sets marks and capitals; None where the model has nothing that does."""
        path = self.directory / PUNCTUATION
        return load_punctuator(path) if path.is_file() else None

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
        recogniser = recogniser_sizes(configuration["recogniser"])
        separator = separator_sizes(configuration["separator"])
        voice = voice_sizes(configuration.get("voice"))
        settings = _settings(configuration)
        prior = np.array(configuration["log_prior"], np.float32)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{directory / CONFIGURATION}: {error} is wrong; install the model again"
        ) from error
    network = new_network(recogniser, separator, voice)
    _load_weights(network, directory / WEIGHTS)
    language, embedder = _language(directory), load_embedder(directory)
    return Model(directory.name, directory, network, language, settings, prior, embedder)


def load_settings(directory: Path) -> Settings:
    """Load only the settings of a model's directory.

    Raises:
        CheckpointError: `model.json` is missing, damaged, foreign, or of another version.
    """
    path = directory / CONFIGURATION
    try:
        return _settings(_configuration(path))
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: {error} is wrong; install the model again") from error


def save_model(model: Model, card: str, description: str) -> None:
    """Write a model's configuration, weights and card into its directory; the language files lie there already."""
    model.directory.mkdir(parents=True, exist_ok=True)
    separator, settings = model.network.separator, model.settings
    configuration = {
        "version": VERSION,
        "name": model.name,
        "description": description,
        "step": model.network.stride,  # samples
        "lookahead": model.network.lookahead,  # samples heard after a step before it is answered
        "recogniser": dataclasses.asdict(model.network.recogniser.config),
        "separator": None if separator is None else dataclasses.asdict(separator.config),
        "voice": None if model.network.voice is None else dataclasses.asdict(model.network.voice.config),
        "search": {
            "first_pass": dataclasses.asdict(settings.first_pass),
            "final_pass": dataclasses.asdict(settings.final_pass),
        },
        "turns": dataclasses.asdict(settings.turns),
        "leak": dataclasses.asdict(settings.leak),
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


def recogniser_sizes(read: dict[str, Any]) -> RecogniserConfig:
    """Return the sizes of a recogniser as a checkpoint or model.json has them.

    Raises:
        KeyError, TypeError: they are no sizes of a recogniser.
    """
    encoder, transducer = EncoderConfig(**read["encoder"]), TransducerConfig(**read["transducer"])
    return RecogniserConfig(encoder, transducer, read["frame_classes"])


def separator_sizes(read: dict[str, Any] | None) -> SeparatorConfig | None:
    """Return the sizes of a separator as a checkpoint or model.json has them; None where there is none.

    Raises:
        TypeError: they are no sizes of a separator.
    """
    return None if read is None else SeparatorConfig(**read)


def voice_sizes(read: dict[str, Any] | None) -> VoiceConfig | None:
    """Return the sizes of what tells voices apart as model.json has them; None where nothing does.

    Raises:
        TypeError: they are no such sizes.
    """
    return None if read is None else VoiceConfig(**read)


def new_network(
    recogniser: RecogniserConfig, separator: SeparatorConfig | None, voice: VoiceConfig | None = None
) -> SeparatorTransducerSegmenter:
    """Return a network of these sizes, whose weights are to be filled in."""
    separating = None if separator is None else Separator(separator)
    telling = None if voice is None else Voice(voice)
    return SeparatorTransducerSegmenter(Recogniser(recogniser), separating, telling).eval()


def _settings(read: dict[str, Any]) -> Settings:
    search = read["search"]
    return Settings(
        SearchSettings(**search["first_pass"]),
        SearchSettings(**search["final_pass"]),
        _turn_settings(read["turns"]),
        LeakSettings(**read["leak"]),
    )


def _turn_settings(read: dict[str, Any]) -> TurnSettings:
    rules = {"closing": ClosingRule, "splitting": SplitRule}
    found: dict[str, Any] = {
        name: rule(**read[name]) for name, rule in rules.items() if read.get(name) is not None
    }
    if "splitting" in found:
        found["splitting"] = replace(found["splitting"], spread=tuple(found["splitting"].spread))
    return TurnSettings(**{**read, **found})


def description_of(directory: Path) -> str:
    """Return the line that describes the model of a directory.

    Raises:
        CheckpointError: `model.json` is missing, damaged, foreign, or of another version.
    """
    return str(_configuration(directory / CONFIGURATION).get("description", ""))


def save_turns(directory: Path, turns: TurnSettings) -> None:
    """Put other settings of turns into the `model.json` of a directory.

    Raises:
        CheckpointError: it is missing, damaged, foreign, or of another version.
    """
    configuration = _configuration(directory / CONFIGURATION)
    configuration["turns"] = dataclasses.asdict(turns)
    (directory / CONFIGURATION).write_text(json.dumps(configuration, indent=1) + "\n")


def _load_weights(network: SeparatorTransducerSegmenter, path: Path) -> None:
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; install the model again")
    try:
        weights = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path} holds no weights ({error}); install the model again") from error
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    if {name: tuple(value.shape) for name, value in weights.items()} != wanted:
        raise CheckpointError(f"{path} holds weights of another network; install the model again")
    if not all(bool(torch.isfinite(value).all()) for value in weights.values()):
        raise CheckpointError(f"{path} holds weights that are no numbers; install the model again")
    network.load_state_dict({name: value.float() for name, value in weights.items()})


def _language(directory: Path) -> Language:
    paths = {name: directory / file for name, file in LANGUAGE_FILES.items()}
    for path in paths.values():
        if not path.is_file():
            raise CheckpointError(f"{path} is missing; install the model again")
    lexicon, path = load_lexicon(paths["lexicon"]), directory / RECURRENT
    recurrent = load_recurrent(path) if path.is_file() else None
    return Language(lexicon, load_ngram(paths["books"]), load_ngram(paths["conversation"]), recurrent)
