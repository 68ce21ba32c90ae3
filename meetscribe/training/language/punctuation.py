"""Trains the model of marks and capitals on cased text.

    scripts/train-punctuation --text cased.txt.xz --words lexicon.txt.xz --folder RUN --out punctuation.safetensors

The text has no sound, so that pauses are drawn: where and how long people pause depends on the mark that stands there.
Pieces are cut as turns are, often after a sentence, at times inside one, and as partials are, whose end is not known.
Every twentieth stretch of lines is held out (`held_out`), those of the first source, AMI meetings, apart from the rest.
The run is kept in RUN now and then, and the same command goes on from there. A second run with `--begin` and
`--meetings` hears meetings more often, after the first has learned from all there is.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from meetscribe.lm.lexicon import load_lexicon
from meetscribe.lm.punctuation import (
    COMMA,
    DILATIONS,
    FEATURES,
    KERNEL,
    LONG_PAUSE,
    MARKS,
    NONE,
    SUFFIXES,
    UNKNOWN_PAUSE,
    OwnForm,
    Punctuator,
    features,
    load_punctuator,
    odds_of,
    save_punctuator,
    suffix_of,
)
from meetscribe.training.language.cased_text import WrittenWord, own_forms, read_written
from meetscribe.training.language.text import read_lines

AMI_LINES = 22_428
"""So many lines of the corpus' cased text are of AMI meetings."""

STRETCH = 400
HELD_OUT_STRETCH = 20
MOST_WORDS = 80
VOCABULARY = 8000
CHANNELS = 128
NO_LABEL = -1
CHECKPOINT = "checkpoint.pt"
KEPT_EVERY = 200  # steps

EAGER = np.array([0, 0.3, 0.3, 0.8], np.float32)
"""Added to the log odds of the marks: they are rarer than none, and F1 asks for as many as there are."""

PAUSE_SHARES = {
    NONE: (0.92, 0.05, 0.03),
    COMMA: (0.62, 0.25, 0.13),
    2: (0.35, 0.2, 0.45),
    3: (0.35, 0.2, 0.45),
}
"""How often there is none, a short or a long pause after each mark, in talk that is not prepared."""

FLUENT = 0.25
"""Share of pieces without a pause, as read text is."""


@dataclass(frozen=True)
class Piece:
    """What is said at a stretch: words, marks, and which stand in their own form (`NO_LABEL`: one cannot say)."""

    words: tuple[str, ...]
    marks: NDArray[np.int8]
    formed: NDArray[np.int8]


def piece_of(written: Sequence[WrittenWord]) -> Piece:
    """Returns a piece to learn from; what begins a sentence does not tell whether a word has a capital of its own."""
    marks = np.array([word.mark for word in written], np.int8)
    formed = np.array([word.form != word.word for word in written], np.int8)
    begins = np.concatenate([[True], marks[:-1] >= 2])
    formed[begins] = NO_LABEL
    return Piece(tuple(word.word for word in written), marks, formed)


def held_out(line: int) -> bool:
    """Tells whether a line, counted from 0, is not trained on."""
    return line // STRETCH % HELD_OUT_STRETCH == HELD_OUT_STRETCH - 1


def cut(written: list[WrittenWord]) -> Iterator[list[WrittenWord]]:
    """Yields parts of at most MOST_WORDS words, which end where a sentence does if that is near."""
    while len(written) > MOST_WORDS:
        ends = [place + 1 for place in range(MOST_WORDS // 2, MOST_WORDS) if written[place].mark >= 2]
        place = ends[-1] if ends else MOST_WORDS
        yield written[:place]
        written = written[place:]
    if written:
        yield written


def draw_pauses(
    marks: NDArray[np.int8], rng: np.random.Generator, fluent: float = FLUENT
) -> NDArray[np.int8]:
    """Returns a kind of pause after each word; the last is a long one."""
    kinds = np.zeros(len(marks), np.int8)
    if rng.random() >= fluent:
        drawn = rng.random(len(marks))
        limits = np.cumsum([PAUSE_SHARES[int(mark)] for mark in marks], 1)
        kinds = (drawn[:, None] >= limits[:, :2]).sum(1).astype(np.int8)
    kinds[-1] = LONG_PAUSE
    return kinds


def shortened(piece: Piece, pauses: NDArray[np.int8], rng: np.random.Generator) -> tuple[int, int]:
    """Returns how many of its words are heard and the kind of the pause after the last.

    A third of the pieces is heard whole, a third up to a long pause, as turns are, a third up to any word.
    """
    kind = rng.integers(3)
    if kind == 1:
        places = np.flatnonzero(pauses == LONG_PAUSE) + 1
        return int(rng.choice(places)), LONG_PAUSE
    if kind == 2:
        return int(rng.integers(1, len(piece.words) + 1)), UNKNOWN_PAUSE
    return len(piece.words), LONG_PAUSE


class Network(nn.Module):
    """The network of `lm.punctuation`, to be trained."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary + 1, CHANNELS)
        self.suffixes = nn.Embedding(SUFFIXES, CHANNELS)
        self.features = nn.Parameter(torch.randn(FEATURES, CHANNELS) * 0.3)
        self.convs = nn.ParameterList(
            nn.Parameter(torch.randn(KERNEL * CHANNELS, CHANNELS) * (KERNEL * CHANNELS) ** -0.5)
            for _ in DILATIONS
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(CHANNELS)) for _ in DILATIONS)
        self.scales = nn.ParameterList(nn.Parameter(torch.ones(CHANNELS)) for _ in DILATIONS)
        self.heads = nn.Parameter(torch.randn(CHANNELS, 5) * 0.05)
        self.heads_bias = nn.Parameter(torch.zeros(5))
        for table in (self.words, self.suffixes):
            nn.init.normal_(table.weight, std=0.5)

    def forward(self, ids: Tensor, suffixes: Tensor, known: Tensor, mask: Tensor) -> Tensor:
        """Returns (B, T, 5): the marks' logits and the log odds of own forms."""
        x = (self.words(ids) + self.suffixes(suffixes) + known @ self.features) * mask
        x = F.dropout(x, 0.1, self.training)
        for dilation, conv, bias, scale in zip(DILATIONS, self.convs, self.biases, self.scales, strict=True):
            heard = _normalised(x) * scale
            side = KERNEL // 2 * dilation
            padded = F.pad(heard, (0, 0, side, side))
            parts = [padded[:, place * dilation :][:, : x.shape[1]] for place in range(KERNEL)]
            x = (x + torch.relu(torch.cat(parts, 2) @ conv + bias)) * mask
        return _normalised(x) @ self.heads + self.heads_bias

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Returns the weights as `lm.punctuation` names them."""
        found = {
            "words": self.words.weight,
            "suffixes": self.suffixes.weight,
            "features": self.features,
            "heads": self.heads,
            "heads_bias": self.heads_bias,
        }
        for layer, parts in enumerate(zip(self.convs, self.biases, self.scales, strict=True)):
            found |= {
                f"{name}{layer}": part for name, part in zip(("conv", "bias", "scale"), parts, strict=True)
            }
        return {name: value.detach().numpy().astype(np.float32) for name, value in found.items()}


def _normalised(x: Tensor) -> Tensor:
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-6)


@dataclass(frozen=True)
class Material:
    """What is trained on and what is held out, by source, with the words and forms that training pieces have.

    The first `meetings` of the training pieces are of meetings.
    """

    training: list[Piece]
    meetings: int
    held_out: dict[str, list[Piece]]
    numbers: dict[str, int]
    forms: dict[str, OwnForm]


def read_material(text: Path, lexicon: Path) -> Material:
    """Reads a cased text."""
    known = load_lexicon(lexicon).numbers
    training: list[list[WrittenWord]] = []
    meetings = 0
    apart: dict[str, list[Piece]] = {"ami": [], "other": []}
    for number, line in enumerate(read_lines(text)):
        for written in read_written(line, known):
            if not held_out(number):
                training.append(written)
                meetings += len(list(cut(written))) if number < AMI_LINES else 0
                continue
            parts = [piece_of(part) for part in cut(written)]
            apart["ami" if number < AMI_LINES else "other"] += parts
    counts: dict[str, int] = {}
    for written in training:
        for word in written:
            counts[word.word] = counts.get(word.word, 0) + 1
    commonest = sorted(counts, key=lambda word: (-counts[word], word))[:VOCABULARY]
    numbers = {word: row for row, word in enumerate(commonest, 1)}
    pieces = [piece_of(part) for written in training for part in cut(written)]
    return Material(pieces, meetings, apart, numbers, _list_forms(own_forms(training)))


def _list_forms(counts: dict[str, dict[str, int]]) -> dict[str, OwnForm]:
    found: dict[str, OwnForm] = {}
    for word, forms in counts.items():
        own = {form: count for form, count in forms.items() if form != word}
        total = sum(own.values())
        small = forms.get(word, 0)
        if total >= 2 or (total and not small):
            odds = odds_of(total, small)
            if odds > -3:
                found[word] = OwnForm(max(own, key=lambda form: (own[form], form)), round(odds, 1))
    return found


@dataclass(frozen=True)
class Inputs:
    """Pieces of one length as the network takes them, B pieces of up to T words."""

    ids: Tensor
    suffixes: Tensor
    known: Tensor
    mask: Tensor
    marks: Tensor
    formed: Tensor


def inputs_of(pieces: Sequence[tuple[Piece, int, NDArray[np.int8]]], material: Material) -> Inputs:
    """Returns the inputs and targets of pieces of which some words are heard, with the pauses after them."""
    longest = max(count for _, count, _ in pieces)
    ids, suffixes = np.zeros((2, len(pieces), longest), np.int64)
    known = np.zeros((len(pieces), longest, FEATURES), np.float32)
    targets = np.full((2, len(pieces), longest), NO_LABEL, np.int64)
    mask = np.zeros((len(pieces), longest, 1), np.float32)
    for row, (piece, count, pauses) in enumerate(pieces):
        words = piece.words[:count]
        ids[row, :count] = [material.numbers.get(word, 0) for word in words]
        suffixes[row, :count] = [suffix_of(word) for word in words]
        known[row, :count] = features(words, pauses[:count], material.forms)
        targets[0, row, :count], targets[1, row, :count] = piece.marks[:count], piece.formed[:count]
        mask[row, :count] = 1
    arrays = (ids, suffixes, known, mask, targets[0], targets[1])
    return Inputs(*(torch.from_numpy(array) for array in arrays))


def batches(material: Material, rng: np.random.Generator, words: int, meetings: int) -> Iterator[Inputs]:
    """Yields all training pieces, those of meetings so many times, in batches of about so many words of like length."""
    every = np.concatenate(
        [np.arange(len(material.training)), np.tile(np.arange(material.meetings), meetings - 1)]
    )
    lengths = np.array([len(piece.words) for piece in material.training])[every]
    order = every[np.argsort(lengths + rng.random(len(lengths)) * 4, kind="stable")]
    lengths = np.array([len(piece.words) for piece in material.training])
    groups, begin = [], 0
    while begin < len(order):
        size = max(1, words // int(lengths[order[begin]]))
        groups.append(order[begin : begin + size])
        begin += size
    for group in rng.permutation(len(groups)):
        chosen = []
        for index in groups[group]:
            piece = material.training[index]
            pauses = draw_pauses(piece.marks, rng)
            count, last = shortened(piece, pauses, rng)
            pauses[count - 1] = last
            chosen.append((piece, count, pauses))
        yield inputs_of(chosen, material)


def loss_of(network: Network, inputs: Inputs) -> Tensor:
    """Returns the mean cross-entropy of marks and half of that of own forms."""
    found = network(inputs.ids, inputs.suffixes, inputs.known, inputs.mask)
    marks = F.cross_entropy(found[..., :4].flatten(0, 1), inputs.marks.flatten(), ignore_index=NO_LABEL)
    labelled = inputs.formed >= 0
    forms = F.binary_cross_entropy_with_logits(found[..., 4][labelled], inputs.formed[labelled].float())
    return marks + 0.5 * torch.nan_to_num(forms)


@dataclass
class Run:
    """A training in progress."""

    network: Network
    optimiser: torch.optim.Optimizer
    step: int = 0

    def save(self, path: Path) -> None:
        """Writes everything that is needed to go on."""
        state = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def load(self, path: Path) -> None:
        """Reads what `save` wrote."""
        state = torch.load(path, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]


@dataclass(frozen=True)
class Plan:
    """How long and of what a run learns.

    Attributes:
        folder: where it is kept.
        steps: of it.
        words: of a step, about.
        rate: greatest learning rate; it falls to nearly nothing.
        meetings: how often pieces of meetings are heard while others are once.
        begin: checkpoint of another run with whose weights it begins.
    """

    folder: Path
    steps: int
    words: int
    rate: float
    meetings: int = 1
    begin: Path | None = None


def _begun(material: Material, plan: Plan) -> Run:
    """Returns a run as its folder has it, or a new one."""
    torch.manual_seed(1)
    network = Network(len(material.numbers))
    optimiser = torch.optim.AdamW(network.parameters(), plan.rate, betas=(0.9, 0.98), weight_decay=0.01)
    run = Run(network, optimiser)
    if (plan.folder / CHECKPOINT).exists():
        run.load(plan.folder / CHECKPOINT)
    elif plan.begin is not None:
        network.load_state_dict(torch.load(plan.begin, weights_only=True)["network"])
    return run


def train(material: Material, plan: Plan) -> Network:
    """Trains a network, going on from the folder's checkpoint if there is one."""
    run, checkpoint, steps, rate = _begun(material, plan), plan.folder / CHECKPOINT, plan.steps, plan.rate
    network = run.network
    began, total, number = time.monotonic(), 0.0, 0
    for epoch in range(1 << 20):
        for inputs in batches(material, np.random.default_rng([7, epoch]), plan.words, plan.meetings):
            number += 1
            if number <= run.step:
                continue
            if run.step >= steps:
                run.save(checkpoint)
                return network.eval()
            for group in run.optimiser.param_groups:
                group["lr"] = rate * min(1.0, (run.step + 1) / 100) * max(0.02, 1 - run.step / steps)
            run.optimiser.zero_grad()
            torch.manual_seed(run.step)  # so that a run that was stopped goes on as if it had not been
            loss = loss_of(network.train(), inputs)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            run.optimiser.step()
            run.step += 1
            total += loss.item()
            if run.step % 50 == 0:
                print(f"step {run.step} loss {total / 50:.4f} {time.monotonic() - began:.0f} s", flush=True)
                total = 0.0
            if run.step % KEPT_EVERY == 0:
                run.save(checkpoint)
    return network


@dataclass(frozen=True)
class Counts:
    """What was found of one kind: right, found, and there; they add up."""

    right: int = 0
    found: int = 0
    there: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.right + other.right, self.found + other.found, self.there + other.there)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / max(1, self.found + self.there)


def measure(model: Punctuator, pieces: Sequence[Piece], fluent: float) -> dict[str, Counts]:
    """Returns what a model gets right of marks and own forms, where this share of the pieces has no pause."""
    rng = np.random.default_rng(5)
    sums = {name: Counts() for name in (*MARKS[1:], "capitals")}
    for piece in pieces:
        pauses = draw_pauses(piece.marks, rng, fluent)
        tags = model.tags(piece.words, list(pauses))
        marks = np.array([tag.mark for tag in tags])
        for mark, name in enumerate(MARKS[1:], 1):
            both = int(((marks == mark) & (piece.marks == mark)).sum())
            sums[name] += Counts(both, int((marks == mark).sum()), int((piece.marks == mark).sum()))
        formed = np.array([tag.formed for tag in tags])
        labelled = piece.formed >= 0
        own, truth = formed[labelled], piece.formed[labelled] == 1
        sums["capitals"] += Counts(int((own & truth).sum()), int(own.sum()), int(truth.sum()))
    return sums


def report(model: Punctuator, material: Material) -> None:
    """Prints F1 of each mark and of capitals inside sentences, with drawn pauses and without any."""
    for source, pieces in material.held_out.items():
        for name, fluent in (("drawn pauses", FLUENT), ("no pauses", 1.0)):
            found = measure(model, pieces, fluent)
            words = sum(len(piece.words) for piece in pieces)
            shown = "  ".join(f"{kind} {100 * counts.f1:.1f}" for kind, counts in found.items())
            print(f"{source}, {words} words, {name}: F1 {shown}", flush=True)


def main() -> None:
    """Trains, writes the model, and states its figures on held-out text."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--text", type=Path, required=True, help="cased text, a turn or paragraph a line")
    parser.add_argument("--words", type=Path, required=True, help="lexicon of the model")
    parser.add_argument("--folder", type=Path, help="where the run is kept; without it nothing is trained")
    parser.add_argument("--out", type=Path, required=True, help="file of the model, written or measured")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch-words", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--meetings", type=int, default=1, help="how often pieces of meetings are heard")
    parser.add_argument("--begin", type=Path, help="checkpoint.pt of another run, to begin with its weights")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    material = read_material(arguments.text, arguments.words)
    print(f"{len(material.training)} pieces, {len(material.forms)} own forms", flush=True)
    if arguments.folder is not None:
        arguments.folder.mkdir(parents=True, exist_ok=True)
        plan = Plan(
            arguments.folder,
            arguments.steps,
            arguments.batch_words,
            arguments.rate,
            arguments.meetings,
            arguments.begin,
        )
        arrays = train(material, plan).arrays()
        arrays["heads_bias"][:4] += EAGER
        save_punctuator(Punctuator(material.numbers, material.forms, arrays), arguments.out)
    report(load_punctuator(arguments.out), material)


if __name__ == "__main__":
    main()
