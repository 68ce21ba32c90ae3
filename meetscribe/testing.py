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

from meetscribe.checkpoint import LANGUAGE_FILES, Language, Model, save_model
from meetscribe.lm.lexicon import Lexicon, save_lexicon
from meetscribe.lm.ngram import NGram, NGramTables, assemble, save_tables
from meetscribe.lm.symbols import NUMBER_OF_SYMBOLS, spell
from meetscribe.nn.encoder import EncoderConfig
from meetscribe.nn.recogniser import Recogniser, RecogniserConfig
from meetscribe.nn.steppable import State, Steppable
from meetscribe.nn.transducer import TransducerConfig
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


def _uniform_tables() -> NGramTables:
    count = len(TINY_WORDS) + 3
    values = np.zeros(256, np.float32)
    values[0] = -np.log(count)
    codes, none = np.zeros(count, np.uint8), np.zeros(0, np.uint16)
    children = np.zeros(count, np.uint16)
    return NGramTables(np.array([count, 0]), none, codes, codes, children, values, np.zeros(256, np.float32))


def _uniform_ngram() -> NGram:
    return assemble(_uniform_tables())


def tiny_network(seed: int = 1) -> Recogniser:
    """Return a network of two narrow layers whose weights are drawn with a seed."""
    generator = torch.Generator().manual_seed(seed)
    encoder = EncoderConfig(width=16, layers=2, heads=2, kernel=5, chunk=4, left=16)
    network = Recogniser(RecogniserConfig(encoder, TransducerConfig(NUMBER_OF_SYMBOLS, inner=16)))
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=2.0 / parameter.shape[-1] ** 0.5, generator=generator)
        network.transducer.joiner.bias[0] += 2.0
    return network.eval()


def tiny_model(seed: int = 1) -> Model:
    """Return a whole model in memory: `tiny_network` and `tiny_language`."""
    settings = SearchSettings(most_hypotheses=50)
    prior = np.full(NUMBER_OF_SYMBOLS, -np.log(NUMBER_OF_SYMBOLS), np.float32)
    nowhere = Path(tempfile.gettempdir()) / "no-such-model"
    return Model("tiny", nowhere, tiny_network(seed), tiny_language(), settings, settings, prior)


def write_tiny_model(directory: Path, seed: int = 1) -> Model:
    """Write the tiny model as a directory that `meetscribe.checkpoint.load_model` loads; return it."""
    model = dataclasses.replace(tiny_model(seed), name=directory.name, directory=directory)
    directory.mkdir(parents=True, exist_ok=True)
    save_lexicon(model.language.lexicon, directory / LANGUAGE_FILES["lexicon"])
    for name in ("books", "conversation", "g2p"):
        save_tables(_uniform_tables(), directory / LANGUAGE_FILES[name])
    save_model(model, "# tiny\n\nRandom weights, for tests.\n", "random weights, for tests")
    return model


@torch.no_grad()
def verify_streaming(
    module: Steppable[State],
    x: Tensor,
    whole: Callable[[Tensor], Tensor],
    pieces: Sequence[int],
    tolerance: float = 1e-4,
) -> None:
    """Prove that a module's steps equal its whole, and that it looks no further ahead than it declares.

    Args:
        module: what is proved.
        x: input (B, T, …), T a multiple of all pieces.
        whole: gives the module's output for a whole input.
        pieces: lengths of the pieces it is stepped with, each a multiple of its stride.
        tolerance: greatest difference.

    Raises:
        AssertionError: it does not hold; the sentence says what.
    """
    name = type(module).__name__
    expected = whole(x)
    for piece in pieces:
        streamed = _stepped(module, x, piece)
        worst = float((streamed - expected).abs().max())
        assert worst <= tolerance, f"{name} in pieces of {piece} differs from the whole by {worst}"
    for step in range(1, expected.shape[1]):
        changed = x.clone()
        changed[:, step * module.stride + module.lookahead :] += 1.0
        worst = float((whole(changed)[:, :step] - expected[:, :step]).abs().max())
        assert worst <= tolerance, (
            f"{name} looks further ahead than {module.lookahead}: {worst} at step {step}"
        )


def _stepped(module: Steppable[State], x: Tensor, piece: int) -> Tensor:
    state = module.initial_state(len(x))
    shapes = _shapes(state)
    outputs = []
    for part in x.split(piece, 1):
        output, state = module.step(part, state)
        assert _shapes(state) == shapes, f"{type(module).__name__}: the state's shapes change"
        outputs.append(output)
    return torch.cat(outputs, 1)


def _shapes(state: object) -> object:
    return tuple(state.shape) if isinstance(state, Tensor) else [_shapes(part) for part in state]  # type: ignore[attr-defined]


def tiny_settings() -> TranscriberSettings:
    """Return how the tiny model's streams are cut: its chunk is shorter than a real one's."""
    return TranscriberSettings(chunk=4)
