"""The training loop: one or several processes, exact resume, averaged weights, error rates on the way.

Every random choice is a function of the seed and the step, so a run that is stopped and resumed ends with the weights
that it would have had anyway (`tests/training/test_trainer.py`). Several processes (`torchrun`) average gradients by
one all-reduce a step: gloo on CPUs, where one single-threaded process for each core is the fastest way to train, nccl
on GPUs.
"""

import copy
import csv
import dataclasses
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from meetscribe.training.optimiser import make_optimisers


class Heard(Protocol):
    """A batch: a frozen dataclass of tensors, or of such dataclasses."""

    @property
    def seconds(self) -> float:
        """Audio in the batch."""
        ...


BatchType = TypeVar("BatchType", bound=Heard)
Taken_contra = TypeVar("Taken_contra", bound=Heard, contravariant=True)


class Objective(Protocol[Taken_contra]):
    """What a model is trained to do."""

    def __call__(
        self, model: Any, batch: Taken_contra, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of a batch, and its parts; random choices are the step's."""
        ...


@dataclass(frozen=True)
class TrainingConfig:
    """Schedule and optimiser."""

    seed: int = 1
    steps: int = 20_000
    warmup: int = 300
    decay: int = 2_000  # last steps, in which the rate falls linearly to zero
    rate: float = 1.5e-3  # of AdamW
    muon_rate: float = 0.02  # of the hidden matrices; 0: they are AdamW's too
    weight_decay: float = 0.01
    clip: float = 2.0  # norm of the gradient
    ema: float = 0.999  # decay of the averaged weights
    checkpoint_seconds: float = 180.0
    evaluate_every: int = 1_000  # steps
    workers: int = 0  # processes that make batches


def schedule(config: TrainingConfig, step: int) -> float:
    """Return the share of the highest rate at a step: linear warm-up, constant, linear decay to zero."""
    rise = min(1.0, (step + 1) / max(1, config.warmup))
    fall = min(1.0, max(0.0, (config.steps - step) / max(1, config.decay)))
    return min(rise, fall)


class _Numbers(Dataset[BatchType]):
    """Every `world`-th batch, from `first` on."""

    def __init__(self, batches: Dataset[BatchType], first: int, world: int, count: int) -> None:
        self.batches, self.first, self.world, self.count = batches, first, world, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> BatchType:
        return self.batches[self.first + index * self.world]


@dataclass
class Trainer(Generic[BatchType]):
    """A model in training and where it stands; `model.config` is a dataclass with all sizes."""

    model: nn.Module
    batches: Dataset[BatchType]
    objective: Objective[BatchType]
    config: TrainingConfig
    folder: Path
    device: torch.device
    rank: int = 0
    world: int = 1
    step: int = 0
    stopping: bool = False  # set from outside: finish the step, write a checkpoint, and return

    def __post_init__(self) -> None:
        self.model.to(self.device)
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.bfloat16 = bfloat16_is_faster(self.device)
        config, form = self.config, torch.bfloat16 if self.bfloat16 else torch.float32
        self.optimisers = make_optimisers(
            self.model, config.rate, config.muon_rate, config.weight_decay, form
        )

    def run(self, report: Callable[["Trainer[Any]", dict[str, float]], None]) -> None:
        """Train to the end; `report` is called after each step with the losses."""
        saved = time.monotonic()
        for batch in self._batches():
            started = time.monotonic()
            parts = self.train_step(batch)
            parts["seconds"] = time.monotonic() - started
            parts["heard"] = batch.seconds * self.world
            report(self, parts)
            if self.rank == 0 and time.monotonic() - saved > self.config.checkpoint_seconds:
                self.save()
                saved = time.monotonic()
            if self.stopping:
                break
        if self.rank == 0:
            self.save()

    def train_step(self, batch: BatchType) -> dict[str, float]:
        """Take one optimiser step on a batch."""
        rng = np.random.default_rng((self.config.seed, 2, self.step))
        for optimiser, rate in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * schedule(self.config, self.step)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            loss, parts = self.objective(self.model, batch, rng)
        self.model.zero_grad()
        loss.backward()
        self._average_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        if math.isfinite(norm.item()):
            for optimiser, _ in self.optimisers:
                optimiser.step()
        self.step += 1
        self._average_weights()
        return {"loss": loss.item(), "norm": norm.item(), **parts}

    def save(self) -> Path:
        """Write a checkpoint atomically; what was there is kept as `previous.pt`."""
        path = self.folder / "checkpoint.pt"
        state = {
            "model": self.model.state_dict(),
            "average": self.average,
            "optimisers": [optimiser.state_dict() for optimiser, _ in self.optimisers],
            "step": self.step,
            "config": dataclasses.asdict(self.config),
            "sizes": dataclasses.asdict(cast(Any, self.model.config)),
        }
        fresh = path.with_suffix(".new")
        torch.save(state, fresh)
        if path.exists():
            path.replace(self.folder / "previous.pt")
        fresh.replace(path)
        return path

    def load(self, path: Path) -> None:
        """Take up a checkpoint of the same model."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average = state["average"]
        for (optimiser, _), kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self.step = state["step"]

    def averaged(self) -> nn.Module:
        """Return the model with its averaged weights, ready to evaluate."""
        model = copy.deepcopy(self.model)
        model.load_state_dict(self.average)
        return model.eval()

    def _batches(self) -> Iterator[BatchType]:
        first = self.step * self.world + self.rank
        numbers = _Numbers(self.batches, first, self.world, max(0, self.config.steps - self.step))
        for batch in DataLoader(numbers, batch_size=None, num_workers=self.config.workers):
            yield to_device(batch, self.device)

    def _average_gradients(self) -> None:
        if self.world == 1:
            return
        gradients = [
            torch.zeros_like(p) if p.grad is None else p.grad
            for p in self.model.parameters()
            if p.requires_grad
        ]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat /= self.world
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    @torch.no_grad()
    def _average_weights(self) -> None:
        kept = min(self.config.ema, (1 + self.step) / (10 + self.step))
        newest = self.model.state_dict()
        for name, value in self.average.items():
            value.lerp_(newest[name], 1.0 - kept)


def to_device(batch: Any, device: torch.device) -> Any:
    """Return the batch on a device."""
    if isinstance(batch, Tensor):
        return batch.to(device)
    return type(batch)(*(to_device(getattr(batch, f.name), device) for f in dataclasses.fields(batch)))


def bfloat16_is_faster(device: torch.device) -> bool:
    """Time a matrix product and its parts in both formats: some CPUs run bfloat16 60 times slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()

    def seconds(form: torch.dtype) -> float:
        left, right = torch.ones(2_000, 256, dtype=form), torch.ones(256, 512, dtype=form)
        times = []
        for _ in range(5):
            started = time.perf_counter()
            torch.mm(left, right)
            times.append(time.perf_counter() - started)
        return min(times[1:])

    return seconds(torch.bfloat16) < 0.6 * seconds(torch.float32)


def join_processes() -> tuple[int, int, torch.device]:
    """Return (rank, world, device) as `torchrun` set them, or (0, 1, device) for a single process."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    cuda = torch.cuda.is_available()
    device = torch.device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if cuda else "cpu")
    if world > 1:
        dist.init_process_group("nccl" if cuda else "gloo")
    return rank, world, device


def append_row(path: Path, row: dict[str, float]) -> None:
    """Append figures to a CSV file; the first row of a file names its columns."""
    known = path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        if not known:
            writer.writeheader()
        writer.writerow(row)
