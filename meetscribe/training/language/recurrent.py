"""Trains the recurrent language model of the final pass on books and conversation.

    scripts/train-recurrent --text DIR --words lexicon.txt.xz --folder RUN --out recurrent.safetensors

Both texts are read side by side from their beginnings, each in as many rows, over and over. The softmax is sampled: a
word is told from a thousand others, drawn as often as they are frequent to the power 3/4. Every 200th line is held
out, and what is stated at the end are the perplexities of these, words without a row left out.
The run is kept in RUN now and then, and the same command goes on from there.
"""

import argparse
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from meetscribe.lm.lexicon import load_lexicon
from meetscribe.lm.recurrent import (
    FIRST_WORD,
    SENTENCE_END,
    UNKNOWN,
    Memory,
    RecurrentLM,
    load_recurrent,
    save_recurrent,
)
from meetscribe.training.language.text import held_out_split, read_lines
from meetscribe.training.trainer import bfloat16_is_faster

TEXTS = ("books.txt.xz", "conversation.txt.xz")
VOCABULARY = 20_000
WIDTH, HIDDEN = 256, 512
DROPOUT = 0.1
LENGTH = 32  # words between two looks back
FORGETTING = 0.05  # share of the rows that begin anew with each batch, as turns do
CHECKPOINT = "checkpoint.pt"
KEPT_EVERY = 500  # steps
MEASURED_LINES = 2_000
"""So many of the held-out lines of each text are measured."""


@dataclass(frozen=True)
class Material:
    """What is trained on.

    Attributes:
        spelled: the words that have a row.
        counts: how often each row occurs, float64 [rows].
        texts: rows of each text's words, each line ended, int32.
        held_out: lines of each text that are not trained on.
    """

    spelled: tuple[str, ...]
    counts: NDArray[np.float64]
    texts: list[NDArray[np.int32]]
    held_out: list[list[str]]


def read_material(texts: Sequence[Path], lexicon: Path, size: int = VOCABULARY) -> Material:
    """Reads texts, a sentence a line."""
    known = load_lexicon(lexicon).numbers
    split = [held_out_split(read_lines(path)) for path in texts]
    kept = [[line for line in lines if line is not None] for lines, _ in split]
    counted: Counter[str] = Counter()
    for lines in kept:
        for line in lines:
            counted.update(line.split())
    usual = sorted((word for word in counted if word in known), key=lambda word: (-counted[word], word))
    spelled = tuple(usual[: size - FIRST_WORD])
    numbers = {word: row for row, word in enumerate(spelled, FIRST_WORD)}
    numbered = [np.concatenate([rows_of(line, numbers) for line in lines]) for lines in kept]
    counts = sum(np.bincount(rows, minlength=FIRST_WORD + len(spelled)) for rows in numbered)
    return Material(spelled, np.maximum(counts, 1).astype(np.float64), numbered, [out for _, out in split])


def rows_of(line: str, numbers: Mapping[str, int]) -> NDArray[np.int32]:
    """Returns the rows of a line's words, and of its end."""
    return np.array([*(numbers.get(word, UNKNOWN) for word in line.split()), SENTENCE_END], np.int32)


def in_rows(texts: Sequence[NDArray[np.int32]], rows: int) -> NDArray[np.int32]:
    """Returns texts side by side, `rows` in all and as many of each; what is too long for the shortest is later.

    A row of a longer text begins where the one before ends, and goes on past its own end.
    """
    each = rows // len(texts)
    length = max(len(text) for text in texts) // each
    places = [
        (np.arange(each)[:, None] * (len(text) // each) + np.arange(length)) % len(text) for text in texts
    ]
    return np.concatenate([text[place] for text, place in zip(texts, places, strict=True)])


class Network(nn.Module):
    """The network of `lm.recurrent`, to be trained."""

    def __init__(self, counts: NDArray[np.float64]) -> None:
        super().__init__()
        self.words = nn.Embedding(len(counts), WIDTH)
        self.lstm = nn.LSTM(WIDTH, HIDDEN, batch_first=True)
        self.output = nn.Linear(HIDDEN, WIDTH)
        frequencies = torch.from_numpy(np.log(counts / counts.sum())).float()
        self.words_bias = nn.Parameter(frequencies)
        nn.init.normal_(self.words.weight, std=0.05)

    def forward(
        self, rows: Tensor, memory: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Returns what is looked for after each word, (B, T, WIDTH), and the memory after the last."""
        heard = F.dropout(self.words(rows), DROPOUT, self.training)
        hidden, after = self.lstm(heard, memory)
        return self.output(F.dropout(hidden, DROPOUT, self.training)), after

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Returns the weights as `lm.recurrent` names them."""
        lstm = self.lstm
        first, second = lstm.get_parameter("bias_ih_l0"), lstm.get_parameter("bias_hh_l0")
        found = {
            "words": self.words.weight,
            "words_bias": self.words_bias,
            "inputs": lstm.get_parameter("weight_ih_l0").T,
            "recurrent": lstm.get_parameter("weight_hh_l0").T,
            "bias": first + second,
            "output": self.output.weight.T,
            "output_bias": self.output.bias,
        }
        return {name: value.detach().numpy().astype(np.float32) for name, value in found.items()}


class SampledLoss:
    """The cross-entropy of words against words that are drawn."""

    def __init__(self, counts: NDArray[np.float64], drawn: int) -> None:
        shares = counts**0.75
        self._shares = torch.from_numpy(shares / shares.sum()).float()
        self._expected = torch.log(self._shares * drawn)
        self._drawn = drawn

    def __call__(self, network: Network, wanted: Tensor, rows: Tensor) -> Tensor:
        """Returns the mean loss of (N, WIDTH) where (N,) came."""
        others = torch.multinomial(self._shares, self._drawn, replacement=True)
        right = (
            (wanted * network.words(rows)).sum(1).float() + network.words_bias[rows] - self._expected[rows]
        )
        wrong = (
            (wanted @ network.words(others).T).float() + network.words_bias[others] - self._expected[others]
        )
        wrong = wrong.masked_fill(others[None] == rows[:, None], -torch.inf)
        return (torch.logsumexp(torch.cat([right[:, None], wrong], 1), 1) - right).mean()


@dataclass(frozen=True)
class Plan:
    """How a run learns.

    Attributes:
        folder: where it is kept.
        steps: of it.
        rate: greatest learning rate; it falls to zero over the second half.
        rows: texts side by side.
        drawn: words that are drawn for a step.
    """

    folder: Path
    steps: int
    rate: float = 2e-3
    rows: int = 64
    drawn: int = 1024


def train(material: Material, plan: Plan) -> Network:
    """Trains a network, going on from the folder's checkpoint if there is one."""
    torch.manual_seed(1)
    network, loss_of = Network(material.counts), SampledLoss(material.counts, plan.drawn)
    optimiser = torch.optim.AdamW(network.parameters(), plan.rate, betas=(0.9, 0.99), weight_decay=0.01)
    checkpoint = plan.folder / CHECKPOINT
    rows = in_rows(material.texts, plan.rows)
    batches = (rows.shape[1] - 1) // LENGTH
    step, memory = 0, (torch.zeros(1, plan.rows, HIDDEN), torch.zeros(1, plan.rows, HIDDEN))
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(kept["network"])
        optimiser.load_state_dict(kept["optimiser"])
        step, memory = kept["step"], kept["memory"]
    brief = bfloat16_is_faster(torch.device("cpu"))
    began, total = time.monotonic(), 0.0
    network.train()
    while step < plan.steps:
        torch.manual_seed(step)  # so that a run that was stopped goes on as if it had not been
        for group in optimiser.param_groups:
            falling = min(1.0, 2 * (1 - step / plan.steps))
            group["lr"] = plan.rate * min(1.0, (step + 1) / 200) * falling
        begin = step % batches * LENGTH
        piece = torch.from_numpy(rows[:, begin : begin + LENGTH + 1].astype(np.int64))
        keep = (torch.rand(plan.rows) >= FORGETTING).float()[None, :, None]
        with torch.autocast("cpu", torch.bfloat16, enabled=brief):
            wanted, memory = network(piece[:, :-1], (memory[0] * keep, memory[1] * keep))
            loss = loss_of(network, wanted.flatten(0, 1), piece[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        memory = (memory[0].detach().float(), memory[1].detach().float())
        step, total = step + 1, total + loss.item()
        if step % 100 == 0:
            print(f"step {step} loss {total / 100:.4f} {time.monotonic() - began:.0f} s", flush=True)
            total = 0.0
        if step % KEPT_EVERY == 0 or step == plan.steps:
            state = {"network": network.state_dict(), "optimiser": optimiser.state_dict()}
            torch.save(state | {"step": step, "memory": memory}, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
    return network.eval()


def perplexity(model: RecurrentLM, lines: Sequence[str]) -> float:
    """Returns the perplexity of lines, each from the beginning; words without a row are skipped."""
    total, count = 0.0, 0
    for line in lines:
        rows = rows_of(line, model.numbers)
        memory, histories = model.begin, []
        for row in rows:
            histories.append(memory)
            memory = model.after(memory, row[None])
        together = Memory(
            np.concatenate([one.hidden for one in histories]), np.concatenate([one.cell for one in histories])
        )
        scores = model.log_probs(model.outlook(together), rows)[rows != UNKNOWN]
        total, count = total + float(scores.sum()), count + len(scores)
    return math.exp(-total / max(1, count))


def main() -> None:
    """Trains, writes the model, and states its perplexities on held-out lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--text", type=Path, required=True, help=f"folder of {' and '.join(TEXTS)}")
    parser.add_argument("--words", type=Path, required=True, help="lexicon of the model")
    parser.add_argument("--folder", type=Path, required=True, help="where the run is kept")
    parser.add_argument("--out", type=Path, required=True, help="file of the model")
    parser.add_argument("--steps", type=int, default=14_000)
    parser.add_argument("--rate", type=float, default=2e-3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    material = read_material([arguments.text / name for name in TEXTS], arguments.words)
    print(f"{sum(map(len, material.texts))} words, {len(material.spelled)} with a row", flush=True)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    network = train(material, Plan(arguments.folder, arguments.steps, arguments.rate))
    save_recurrent(RecurrentLM(material.spelled, network.arrays()), arguments.out)
    model = load_recurrent(arguments.out)
    for name, lines in zip(TEXTS, material.held_out, strict=True):
        some = lines[:: max(1, len(lines) // MEASURED_LINES)]
        print(f"{name}: perplexity {perplexity(model, some):.1f} of {len(some)} held-out lines", flush=True)


if __name__ == "__main__":
    main()
