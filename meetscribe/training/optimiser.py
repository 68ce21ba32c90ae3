"""Muon for the hidden matrices, AdamW for everything else.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon) takes, in place of a matrix's momentum, the nearest
orthogonal matrix, found by five Newton-Schulz iterations: all directions of a matrix learn at the same speed. The
separator left its plateau with it within minutes where AdamW had needed hours (`docs/log.md`).
torch has a Muon of its own, which always iterates in bfloat16: 60 times slower than float32 on CPUs without
instructions for it. This one iterates in the format that it is given, and the tests compare both.
Not covered: learning rates (`trainer.py`).
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

ADAMS = ("transducer", "frame_classifier", "mask", "activity", "lstm", "prototypes")
"""Modules whose matrices are AdamW's: outputs, and recurrent layers, which stack four matrices in one."""

ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalised(matrix: Tensor, form: torch.dtype = torch.float32) -> Tensor:
    """Return nearly the orthogonal matrix nearest to `matrix` (A, B), whose singular values are all about one."""
    x = matrix.to(form)
    wide = x.shape[0] <= x.shape[1]
    x = x if wide else x.T
    x = x / x.norm().clamp_min(1e-7)
    first, second, third = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = first * x + (second * gram + third * gram @ gram) @ x
    return (x if wide else x.T).to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised; the rate is that of a square matrix."""

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        form: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(list(parameters), {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self.form = form

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Take one step; `closure` is not supported."""
        del closure
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step(parameter, parameter.grad, group)

    def _step(self, parameter: Tensor, gradient: Tensor, group: dict) -> None:
        state = self.state[parameter]
        momentum = state.setdefault("momentum", torch.zeros_like(gradient))
        momentum.lerp_(gradient, 1.0 - group["momentum"])
        update = orthogonalised(gradient.lerp(momentum, group["momentum"]), self.form)
        scale = max(1.0, parameter.shape[0] / parameter.shape[1]) ** 0.5
        parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
        parameter.add_(update, alpha=-group["lr"] * scale)


def is_hidden_matrix(name: str, parameter: Tensor) -> bool:
    """Say whether a parameter is Muon's: a matrix of a hidden layer."""
    return parameter.dim() == 2 and not any(part in ADAMS for part in name.split("."))


def make_optimisers(
    model: nn.Module, rate: float, muon_rate: float, weight_decay: float, form: torch.dtype
) -> list[tuple[torch.optim.Optimizer, float]]:
    """Return the optimisers of a model's parameters, each with its highest learning rate.

    Args:
        model: whose parameters are trained.
        rate: of AdamW.
        muon_rate: of Muon; 0: AdamW trains the hidden matrices too.
        weight_decay: of matrices.
        form: number format of Muon's iterations.
    """
    named = list(model.named_parameters())
    hidden = [p for name, p in named if muon_rate and is_hidden_matrix(name, p)]
    taken = {id(p) for p in hidden}
    rest = [p for _, p in named if id(p) not in taken]
    groups = [
        {"params": [p for p in rest if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in rest if p.dim() <= 1], "weight_decay": 0.0},
    ]
    found: list[tuple[torch.optim.Optimizer, float]] = [
        (torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True), rate)
    ]
    if hidden:
        found.append((Muon(hidden, lr=muon_rate, weight_decay=weight_decay, form=form), muon_rate))
    return found
