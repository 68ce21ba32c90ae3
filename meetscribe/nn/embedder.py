"""Who speaks: log-mel frames of a turn to one vector of unit length, near to others of the same person.

Two frames become one step of 20 ms, causal convolution blocks (Liu et al., arXiv 2201.03545, in one dimension) make
them steps that know of the last second, and attentive statistics pool these (Okabe et al., arXiv 1803.10963). Pooling
is sums of weighted steps and of their squares, so that a turn can be heard in pieces, and what was heard of a person
in several turns can be added up. Levels and microphones are taken out by a running mean of the frames heard so far.
Not covered: which vectors are one person's (`streaming/speakers.py`).
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from meetscribe.nn.features import MEL_BINS
from meetscribe.nn.separator import FLOOR
from meetscribe.nn.steppable import Steppable


@dataclass(frozen=True)
class EmbedderConfig:
    """Sizes of the embedder."""

    width: int = 192  # channels of a step inside
    blocks: int = 6
    expansion: int = 3  # width inside a block over width
    kernel: int = 9  # steps of a block's causal convolution
    stacked: int = 2  # frames (10 ms) to one step
    joined: int = 3  # last blocks whose outputs are pooled
    pooled: int = 320  # channels that are pooled
    attention: int = 64
    dimensions: int = 192  # of a voice
    prior: int = 25  # frames that the mean of training speech counts for in the running mean
    bins: int = MEL_BINS


class StepState(NamedTuple):
    """Past of the steps: sum and number of frames (B, F), (B,), last frames (B, n, F), each block's (B, k - 1, D)."""

    total: Tensor
    count: Tensor
    frames: Tensor
    blocks: tuple[Tensor, ...]


class Sums(NamedTuple):
    """What pooling keeps of the steps heard, (B, P) each: weights, weighted steps, weighted squares."""

    weight: Tensor
    first: Tensor
    second: Tensor


class ConvolutionBlock(nn.Module):
    """A depthwise causal convolution, then two linear layers for each step, beside a way past them."""

    def __init__(self, config: EmbedderConfig) -> None:
        super().__init__()
        self.kernel = config.kernel
        self.depthwise = nn.Conv1d(config.width, config.width, config.kernel, groups=config.width)
        self.norm = nn.LayerNorm(config.width)
        self.linear1 = nn.Linear(config.width, config.width * config.expansion)
        self.linear2 = nn.Linear(config.width * config.expansion, config.width)

    def step(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """Map a piece (B, T, D) after its past (B, kernel - 1, D) to the same, and the new past."""
        heard = torch.cat([past, x], 1)
        mixed = self.depthwise(heard.transpose(1, 2)).transpose(1, 2)
        inner = functional.silu(self.linear1(self.norm(mixed)))
        return x + self.linear2(inner), heard[:, heard.shape[1] - self.kernel + 1 :]


class VoiceSteps(Steppable[StepState]):
    """Log-mel frames (B, r T, F) to steps (B, T, P) that tell of the voice."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: EmbedderConfig) -> None:
        super().__init__()
        self.config = config
        self.stride = config.stacked
        self.register_buffer("mean", torch.full((config.bins,), 8.0))
        self.register_buffer("deviation", torch.full((config.bins,), 3.0))
        self.front = nn.Linear(2 * config.stacked * config.bins, config.pooled)
        self.inner = nn.Linear(config.pooled, config.width)
        self.blocks = nn.ModuleList(ConvolutionBlock(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.joined * config.width)
        self.join = nn.Linear(config.joined * config.width, config.pooled)

    def initial_state(self, batch: int) -> StepState:
        """Return the state of `batch` turns before anything was heard."""
        config, zeros = self.config, self.mean.new_zeros
        blocks = tuple(zeros(batch, config.kernel - 1, config.width) for _ in self.blocks)
        frames = zeros(batch, config.stacked, config.bins)
        return StepState(zeros(batch, config.bins), zeros(batch), frames, blocks)

    def forward(self, frames: Tensor) -> Tensor:
        """Map whole turns."""
        return self.step(frames, self.initial_state(len(frames)))[0]

    def step(self, x: Tensor, state: StepState) -> tuple[Tensor, StepState]:
        """Map the next frames of every turn."""
        x, total, count = self._levelled(x, state)
        heard = torch.cat([state.frames, x], 1)
        windows = heard.unfold(1, 2 * self.stride, self.stride).transpose(2, 3).flatten(2)
        y = self.inner(functional.silu(self.front(windows)))
        outputs, blocks = [], []
        for block, past in zip(self.blocks, state.blocks, strict=True):
            assert isinstance(block, ConvolutionBlock)
            y, kept = block.step(y, past)
            outputs.append(y)
            blocks.append(kept)
        joined = self.norm(torch.cat(outputs[-self.config.joined :], -1))
        steps = functional.silu(self.join(joined))
        return steps, StepState(total, count, heard[:, heard.shape[1] - self.stride :], tuple(blocks))

    def _levelled(self, x: Tensor, state: StepState) -> tuple[Tensor, Tensor, Tensor]:
        """Return frames less the mean of those up to them, and the new sum and number of frames."""
        x = x.clamp_min(FLOOR)
        sums = state.total[:, None] + x.cumsum(1)
        counts = state.count[:, None] + torch.arange(1, x.shape[1] + 1, device=x.device)
        prior = self.config.prior
        mean = (sums + prior * self.mean) / (counts + prior)[..., None]
        return (x - mean) / self.deviation, sums[:, -1], counts[:, -1]


class Embedder(nn.Module):
    """Frames of turns to voices: vectors of unit length."""

    def __init__(self, config: EmbedderConfig) -> None:
        super().__init__()
        self.config = config
        self.steps = VoiceSteps(config)
        self.attention1 = nn.Linear(config.pooled, config.attention)
        self.attention2 = nn.Linear(config.attention, config.pooled)
        self.norm = nn.LayerNorm(2 * config.pooled)
        self.out = nn.Linear(2 * config.pooled, config.dimensions)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the voices (B, E) of turns (B, r T, F), of which `lengths` (B,) steps are valid (None: all)."""
        return self.voice(self.sums(self.steps(frames), lengths))

    def sums(self, steps: Tensor, lengths: Tensor | None = None) -> Sums:
        """Pool steps (B, T, P); those of several pieces may be added up."""
        steps = steps.float()
        # Bounded, so that no weight runs away with the sum, and no largest one has to be known beforehand.
        weight = self.attention2(torch.tanh(self.attention1(steps))).float().clamp(-8.0, 8.0).exp()
        if lengths is not None:
            valid = torch.arange(steps.shape[1], device=steps.device) < lengths[:, None]
            weight = weight * valid[..., None]
        weighted = weight * steps
        return Sums(weight.sum(1), weighted.sum(1), (weighted * steps).sum(1))

    def voice(self, sums: Sums) -> Tensor:
        """Return the voices (B, E) of what was pooled."""
        total = sums.weight.clamp_min(1e-6)
        mean = sums.first / total
        spread = (sums.second / total - mean.square()).clamp_min(1e-6).sqrt()
        return functional.normalize(self.out(self.norm(torch.cat([mean, spread], -1))).float(), dim=-1)
