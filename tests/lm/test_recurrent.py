from pathlib import Path

import numpy as np
import pytest
import torch

from meetscribe.errors import CheckpointError
from meetscribe.lm.recurrent import (
    FIRST_WORD,
    SENTENCE_END,
    UNKNOWN,
    Memory,
    RecurrentLM,
    load_recurrent,
    save_recurrent,
)
from meetscribe.training.language.recurrent import Network, perplexity

WORDS = ("so", "anna", "went", "home")


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(3)
    network = Network(np.arange(1.0, 1 + FIRST_WORD + len(WORDS))).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(4.0)
    return network


@pytest.fixture(scope="module")
def model(network: Network) -> RecurrentLM:
    return RecurrentLM(WORDS, network.arrays())


def test_arithmetic_is_that_of_the_network_that_was_trained(network: Network, model: RecurrentLM) -> None:
    """Every word's log probability after every beginning of a sentence is torch's."""
    rows = np.array([SENTENCE_END, 2, 5, UNKNOWN, 3])
    with torch.inference_mode():
        wanted, _ = network(torch.from_numpy(rows)[None], None)
        expected = torch.log_softmax(wanted[0] @ network.words.weight.T + network.words_bias, 1).numpy()
    memory = model.begin
    for place in range(len(rows)):
        seen = np.repeat(model.outlook(memory), expected.shape[1], 0)
        found = model.log_probs(seen, np.arange(expected.shape[1]))
        np.testing.assert_allclose(found, expected[place], atol=1e-4)
        memory = model.after(memory, rows[place + 1 : place + 2]) if place + 1 < len(rows) else memory


def test_histories_go_on_side_by_side_as_alone(model: RecurrentLM) -> None:
    """Rows of a memory know nothing of each other."""
    both = model.after(
        Memory(*(np.repeat(part, 2, 0) for part in vars(model.begin).values())), np.array([2, 4])
    )
    for row, word in enumerate((2, 4)):
        alone = model.after(model.begin, np.array([word]))
        np.testing.assert_allclose(both.take(np.array([row])).hidden, alone.hidden, atol=1e-6)
        np.testing.assert_allclose(both.cell[row : row + 1], alone.cell, atol=1e-6)


def test_perplexity_is_that_of_the_words_it_knows(model: RecurrentLM) -> None:
    """Lines begin anew; a word without a row is skipped, but heard."""
    first, second = model.after(model.begin, np.array([3])), model.begin
    end, anna = np.array([SENTENCE_END]), np.array([3])
    unknown = model.after(model.begin, np.array([UNKNOWN]))
    scores = [
        *model.log_probs(model.outlook(second), anna),
        *model.log_probs(model.outlook(first), end),
        *model.log_probs(model.outlook(unknown), end),
    ]
    assert perplexity(model, ["anna", "unheard"]) == pytest.approx(np.exp(-np.mean(scores)), rel=1e-4)


def test_a_model_reads_back_as_it_was_written(model: RecurrentLM, tmp_path: Path) -> None:
    """What is stored in bytes and half precision gives nearly the same answers."""
    save_recurrent(model, tmp_path / "r.safetensors")
    again = load_recurrent(tmp_path / "r.safetensors")
    assert again.numbers == model.numbers == {"so": 2, "anna": 3, "went": 4, "home": 5}
    rows = np.arange(FIRST_WORD + len(WORDS))
    memory = model.after(model.begin, np.array([4]))
    found, expected = (
        one.log_probs(np.repeat(one.outlook(memory), len(rows), 0), rows) for one in (again, model)
    )
    np.testing.assert_allclose(found, expected, atol=0.1)


@pytest.mark.parametrize("damage", ["nothing", "short", "words", "shape"])
def test_a_damaged_model_is_named(model: RecurrentLM, tmp_path: Path, damage: str) -> None:
    """A file that is none, is cut short, or does not fit together is an error with its name and the remedy."""
    path = tmp_path / "r.safetensors"
    weights = (
        {**model.weights, "output": model.weights["output"][:, :-1]} if damage == "shape" else model.weights
    )
    save_recurrent(RecurrentLM(WORDS[:-1] if damage == "words" else WORDS, weights), path)
    content = path.read_bytes()
    path.write_bytes({"nothing": b"nothing", "short": content[:-100]}.get(damage, content))
    with pytest.raises(CheckpointError, match=r"r\.safetensors is not a usable recurrent language model"):
        load_recurrent(path)
