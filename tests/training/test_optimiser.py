import pytest
import torch
from torch import nn

from meetscribe.nn.recogniser import Recogniser, RecogniserConfig
from meetscribe.nn.separator import Separator, SeparatorConfig
from meetscribe.training.optimiser import Muon, is_hidden_matrix, make_optimisers, orthogonalised


@pytest.mark.parametrize("shape", [(12, 12), (8, 20), (20, 8)])
def test_all_directions_become_about_as_long(shape: tuple[int, int]) -> None:
    """Singular values from 0.1 to 10 all come to lie about one; the directions stay."""
    generator = torch.Generator().manual_seed(1)
    left, _, right = torch.linalg.svd(torch.randn(*shape, generator=generator), full_matrices=False)
    matrix = left @ torch.diag(torch.logspace(-1, 1, min(shape))) @ right
    found = orthogonalised(matrix)
    turned = left.T @ found @ right.T
    values = torch.diagonal(turned)
    assert ((values > 0.5) & (values < 1.4)).all()
    assert (turned - torch.diag(values)).abs().max() < 0.02


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch has a Muon to compare with from 2.9 on")
def test_steps_are_those_of_torch() -> None:
    """Five steps move a matrix as torch's own Muon does, whose iterations are rounded to bfloat16."""
    generator = torch.Generator().manual_seed(2)
    start = torch.randn(24, 16, generator=generator)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    optimisers = [
        Muon([ours], lr=0.02, weight_decay=0.1),
        torch.optim.Muon([theirs], lr=0.02, weight_decay=0.1, momentum=0.95),
    ]
    for _ in range(5):
        gradient = torch.randn(24, 16, generator=generator)
        for parameter, optimiser in zip((ours, theirs), optimisers, strict=True):
            parameter.grad = gradient.clone()
            optimiser.step()
    moved = (theirs - start).norm()
    assert (ours - theirs).norm() < 0.05 * moved


def test_every_parameter_has_one_optimiser() -> None:
    """Hidden matrices are Muon's; outputs, recurrent layers, convolutions and biases are AdamW's, none left out."""
    for model in (Separator(SeparatorConfig(width=16, layers=1)), Recogniser(RecogniserConfig())):
        optimisers = make_optimisers(model, 1e-3, 0.02, 0.01, torch.float32)
        held = [id(p) for o, _ in optimisers for group in o.param_groups for p in group["params"]]
        assert sorted(held) == sorted(id(p) for p in model.parameters())
    names = dict(Separator(SeparatorConfig(width=16, layers=1)).named_parameters())
    assert is_hidden_matrix(
        "layers.0.feed_forward1.linear1.weight", names["layers.0.feed_forward1.linear1.weight"]
    )
    assert not is_hidden_matrix("memory.lstm.weight_ih_l0", names["memory.lstm.weight_ih_l0"])
    assert not is_hidden_matrix("branches.0.mask.weight", names["branches.0.mask.weight"])


def test_without_a_rate_adamw_trains_everything() -> None:
    """A Muon rate of zero leaves one optimiser."""
    [(optimiser, rate)] = make_optimisers(nn.Linear(3, 4), 1e-3, 0.0, 0.01, torch.float32)
    assert isinstance(optimiser, torch.optim.AdamW)
    assert rate == 1e-3
