"""Fakes and proofs that ship with the package, for its own tests and for those of programs built on it.

`tiny_model` is a whole model with seeded random weights: it understands nothing, but does everything that a real one
does. `verify_streaming` proves of any network module that its steps equal its whole.
Not covered: fakes of devices, brokers and browsers.
"""

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from meetscribe.checkpoint import LANGUAGE_FILES, Language, Model, Settings, save_model
from meetscribe.embedder_file import SpeakerEmbedder
from meetscribe.lm.g2p import LETTERS, NOTHING, save_g2p
from meetscribe.lm.lexicon import Lexicon, save_lexicon
from meetscribe.lm.ngram import NGram, NGramTables, assemble, save_tables
from meetscribe.lm.symbols import BLANK, NUMBER_OF_SYMBOLS, spell
from meetscribe.nn.embedder import Embedder, EmbedderConfig
from meetscribe.nn.encoder import EncoderConfig
from meetscribe.nn.recogniser import Recogniser, RecogniserConfig
from meetscribe.nn.segmenter import SeparatorTransducerSegmenter
from meetscribe.nn.separator import Separator, SeparatorConfig
from meetscribe.nn.steppable import State, Steppable
from meetscribe.nn.transducer import TransducerConfig
from meetscribe.streaming.resemblance import Resemblance
from meetscribe.streaming.search import SearchSettings
from meetscribe.streaming.transcriber import TranscriberSettings

TINY_WORDS = {
    "a": "AH", "all": "AO L", "call": "K AO L", "eat": "IY T", "go": "G OW", "he": "HH IY", "key": "K IY",
    "meet": "M IY T", "no": "N OW", "oh": "OW", "see": "S IY", "so": "S OW", "tea": "T IY", "two": "T UW",
}  # fmt: skip


def tiny_language() -> Language:
    """Return a lexicon of fourteen words, each as likely as any other after anything."""
    pronunciations = tuple((spell(phones.split()),) for phones in TINY_WORDS.values())
    return Language(Lexicon(tuple(TINY_WORDS), pronunciations), _uniform_ngram(), _uniform_ngram())


def _uniform_tables(words: int = len(TINY_WORDS)) -> NGramTables:
    count = words + 3
    values = np.zeros(256, np.float32)
    values[0] = -np.log(count)
    codes, none = np.zeros(count, np.uint8), np.zeros(0, np.uint16)
    children = np.zeros(count, np.uint16)
    return NGramTables(np.array([count, 0]), none, codes, codes, children, values, np.zeros(256, np.float32))


def _uniform_ngram() -> NGram:
    return assemble(_uniform_tables())


def tiny_network(seed: int = 1, slots: int = 2) -> SeparatorTransducerSegmenter:
    """Return a network whose weights are drawn with a seed, with a separator (two slots) or without (one)."""
    recogniser = tiny_recogniser(seed)
    if slots == 1:
        return SeparatorTransducerSegmenter(recogniser, None).eval()
    generator = torch.Generator().manual_seed(seed)
    separator = Separator(SeparatorConfig(width=16, layers=1, heads=2, kernel=5, chunk=8, left=16))
    _draw_weights(separator, generator)
    for name, parameter in separator.named_parameters():
        if name.endswith("activity.bias"):
            torch.nn.init.constant_(parameter, 3.0)  # both slots are active, mostly
    return SeparatorTransducerSegmenter(recogniser, separator).eval()


def tiny_recogniser(seed: int = 1) -> Recogniser:
    """Return a recogniser of two narrow layers whose weights are drawn with a seed."""
    generator = torch.Generator().manual_seed(seed)
    encoder = EncoderConfig(width=16, layers=2, heads=2, kernel=5, chunk=4, left=16)
    network = Recogniser(RecogniserConfig(encoder, TransducerConfig(NUMBER_OF_SYMBOLS, inner=16)))
    _draw_weights(network, generator)
    with torch.no_grad():
        network.transducer.joiner.bias[BLANK] += 2.0
    return network.eval()


@torch.no_grad()
def _draw_weights(network: torch.nn.Module, generator: torch.Generator) -> None:
    for name, parameter in network.named_parameters():
        if parameter.dim() > 1:
            parameter.normal_(std=2.0 / parameter.shape[-1] ** 0.5, generator=generator)
        elif "bias" in name:
            parameter.normal_(std=0.1, generator=generator)


def tiny_embedder(seed: int = 1) -> SpeakerEmbedder:
    """Return a speaker embedder whose weights are drawn with a seed: every sound has a voice of its own."""
    sizes = EmbedderConfig(width=16, blocks=1, kernel=3, joined=1, pooled=12, attention=8, dimensions=8)
    network = Embedder(sizes)
    _draw_weights(network, torch.Generator().manual_seed(seed))
    return SpeakerEmbedder("tiny", network.eval(), Resemblance())


def tiny_model(seed: int = 1, slots: int = 2) -> Model:
    """Return a whole model in memory: `tiny_network` and `tiny_language`."""
    search = SearchSettings(most_hypotheses=50, marks=slots == 2)
    settings = Settings(search, search)
    prior = np.full(NUMBER_OF_SYMBOLS, -np.log(NUMBER_OF_SYMBOLS), np.float32)
    nowhere = Path(tempfile.gettempdir()) / "no-such-model"
    return Model("tiny", nowhere, tiny_network(seed, slots), tiny_language(), settings, prior)


def write_tiny_model(directory: Path, seed: int = 1, slots: int = 2) -> Model:
    """Write the tiny model as a directory that `meetscribe.checkpoint.load_model` loads; return it."""
    model = dataclasses.replace(tiny_model(seed, slots), name=directory.name, directory=directory)
    directory.mkdir(parents=True, exist_ok=True)
    save_lexicon(model.language.lexicon, directory / LANGUAGE_FILES["lexicon"])
    for name in ("books", "conversation"):
        save_tables(_uniform_tables(), directory / LANGUAGE_FILES[name])
    _save_spelling(directory / LANGUAGE_FILES["g2p"])
    save_model(model, "# tiny\n\nRandom weights, for tests.\n", "random weights, for tests")
    return model


def _save_spelling(path: Path) -> None:
    """Write a model of spelling in which every letter is a phone."""
    alone = np.full((len(LETTERS), 2), NOTHING, np.int8)
    letters, phones = alone.copy(), alone.copy()
    letters[:, 0] = phones[:, 0] = np.arange(len(LETTERS))
    save_g2p(letters, phones, _uniform_tables(len(LETTERS)), path)


Output = Tensor | tuple[Tensor, ...]
"""(B, T, …), or several outputs with slots, (B, C, r T, …) each, r rows to a step."""


@torch.no_grad()
def verify_streaming(
    module: Steppable[State],
    x: Tensor,
    whole: Callable[[Tensor], Output],
    pieces: Sequence[int],
    tolerance: float = 1e-4,
) -> None:
    """Prove that a module's steps equal its whole, and that it looks no further ahead than it declares.

    Args:
        module: what is proved; it gives one tensor or, as the segmenter does, a tuple of tensors with slots.
        x: input (B, T, …), T a multiple of all pieces.
        whole: gives the module's output for a whole input.
        pieces: lengths of the pieces it is stepped with, each a multiple of its stride.
        tolerance: greatest difference.

    Raises:
        AssertionError: it does not hold; the sentence says what.
    """
    name, steps = type(module).__name__, x.shape[1] // module.stride
    expected = _by_step(whole(x), steps)
    for piece in pieces:
        streamed = _by_step(_stepped(module, x, piece), steps)
        worst = _difference(streamed, expected, steps)
        assert worst <= tolerance, f"{name} in pieces of {piece} differs from the whole by {worst}"
    for step in range(1, steps):
        changed = x.clone()
        changed[:, step * module.stride + module.lookahead :] += 1.0
        worst = _difference(_by_step(whole(changed), steps), expected, step)
        assert worst <= tolerance, (
            f"{name} looks further ahead than {module.lookahead}: {worst} at step {step}"
        )


def _by_step(output: Output, steps: int) -> list[Tensor]:
    """Return each output as (B, T, …), whatever its axes."""
    parts = [output] if isinstance(output, Tensor) else [part.transpose(1, 2) for part in output]
    return [part.unflatten(1, (steps, -1)) for part in parts]


def _difference(given: list[Tensor], wanted: list[Tensor], steps: int) -> float:
    """Return the greatest difference in the first steps."""
    pairs = zip(given, wanted, strict=True)
    return max(float((a[:, :steps] - b[:, :steps]).abs().max()) for a, b in pairs)


def _stepped(module: Steppable[State], x: Tensor, piece: int) -> Output:
    state = module.initial_state(len(x))
    shapes = _shapes(state)
    outputs = []
    for part in x.split(piece, 1):
        output, state = module.step(part, state)
        assert _shapes(state) == shapes, f"{type(module).__name__}: the state's shapes change"
        outputs.append(output)
    if isinstance(outputs[0], Tensor):
        return torch.cat(outputs, 1)
    return tuple(torch.cat(parts, 2) for parts in zip(*outputs, strict=True))


def _shapes(state: object) -> object:
    return tuple(state.shape) if isinstance(state, Tensor) else [_shapes(part) for part in state]  # type: ignore[attr-defined]


def tiny_settings(slots: int = 2) -> TranscriberSettings:
    """Return how the tiny model's streams are cut: its chunk is shorter than a real one's."""
    return TranscriberSettings(chunk=4, slots=slots)
