"""The separator: what each of two people who talk at once says, as masks on the mixture's log-mel features.

A mixture encoder hears the power spectrum, whose harmonics tell voices apart better than mel bands do; two branches
with weights of their own then give a mask and an activity each (arXiv 2205.05199 §2; masks on log-mel as in SURT 2.0,
arXiv 2306.10559). A mask works on the logarithm above a floor: y_n = FLOOR + m_n (y - FLOOR). So a mask of one leaves
single talkers exactly as they are, and a small one silences: a twentieth of the energy would still be intelligible.
Which turn belongs to which slot is a matter of history (`training/simulation/slots.py`), and is remembered by
recurrent layers.
Not covered: more than two people at once, waveforms (masks can be applied to them), who speaks.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from meetscribe.nn.attention import AttentionState
from meetscribe.nn.encoder import (
    ConformerLayer,
    EncoderConfig,
    LayerState,
    StackedFrames,
    step_layers,
    through_layers,
)
from meetscribe.nn.features import FFT, MEL_BINS
from meetscribe.nn.steppable import Steppable

FLOOR = 3.0
"""Log-mel energy of what is masked altogether: a quiet room."""

SLOTS = 2


@dataclass(frozen=True)
class SeparatorConfig:
    """Sizes of the separator."""

    width: int = 160  # channels of a step inside
    layers: int = 2  # Conformer layers of the mixture encoder
    heads: int = 4
    expansion: int = 2  # feed-forward width over width
    kernel: int = 15  # steps of the causal convolution
    stacked: int = 2  # frames of 10 ms to one step
    chunk: int = 16  # steps heard at once
    left: int = 100  # steps of the past that attention sees

    @property
    def layer(self) -> EncoderConfig:
        """Sizes of the mixture encoder's front end and layers, named as the recogniser's."""
        return EncoderConfig(
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            expansion=self.expansion,
            kernel=self.kernel,
            stacked=self.stacked,
            chunk=self.chunk,
            left=self.left,
            bins=FFT // 2 + 1,
        )


class MemoryState(NamedTuple):
    """Output and cell of a recurrent layer, (B, D) each."""

    output: Tensor
    cell: Tensor


class SeparatorState(NamedTuple):
    """Past of the separator: spectra (B, stacked, 257), steps heard (B,), layers, recurrent layers."""

    frames: Tensor
    heard: Tensor
    layers: tuple[LayerState, ...]
    memories: tuple[MemoryState, ...]


class Masks(NamedTuple):
    """What the separator says of T frames of 10 ms, T // stacked steps."""

    odds: Tensor  # (B, C, T, F), log odds of the masks
    activity: Tensor  # (B, C, T // stacked), log odds that the slot's talker speaks

    @property
    def masks(self) -> Tensor:
        """The masks themselves, in 0…1."""
        return torch.sigmoid(self.odds)


class Memory(nn.Module):
    """A residual recurrent layer over (B, T, D): what the separator remembers for as long as it matters."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.lstm = nn.LSTM(width, width, batch_first=True)

    def forward(self, x: Tensor, state: MemoryState) -> tuple[Tensor, MemoryState]:
        """Advance by x (B, T, D)."""
        past = (state.output[None].contiguous(), state.cell[None].contiguous())
        heard, (output, cell) = self.lstm(self.norm(x), past)
        return x + heard, MemoryState(output[0], cell[0])


class Branch(nn.Module):
    """One slot's mask and activity, from the encoded mixture."""

    def __init__(self, config: SeparatorConfig, bias: float) -> None:
        super().__init__()
        self.memory = Memory(config.width)
        self.norm = nn.LayerNorm(config.width)
        self.mask = nn.Linear(config.width, config.stacked * MEL_BINS)
        self.activity = nn.Linear(config.width, 1)
        nn.init.constant_(self.mask.bias, bias)

    def forward(self, x: Tensor, state: MemoryState) -> tuple[Tensor, Tensor, MemoryState]:
        """Map (B, T, D) to log odds of a mask (B, stacked T, F) and of activity (B, T)."""
        x, state = self.memory(x, state)
        x = self.norm(x)
        mask = self.mask(x).unflatten(-1, (-1, MEL_BINS)).flatten(1, 2)
        return mask, self.activity(x)[..., 0], state


class Separator(Steppable[SeparatorState]):
    """Power spectra (B, T, 257) to masks and activity of two slots."""

    def __init__(self, config: SeparatorConfig) -> None:
        super().__init__()
        self.config = config
        self.stride = config.stacked
        self.lookahead = config.stacked * (config.chunk - 1)
        self.pre_encode = StackedFrames(config.layer)
        self.layers = nn.ModuleList(ConformerLayer(config.layer) for _ in range(config.layers))
        self.memory = Memory(config.width)
        self.branches = nn.ModuleList(Branch(config, bias) for bias in (2.0, -2.0))

    def initial_state(self, batch: int) -> SeparatorState:
        """Return the state of `batch` streams before anything was heard."""
        config, zeros = self.config, self.memory.norm.weight.new_zeros
        past = zeros(batch, config.left, config.width)
        layer = LayerState(AttentionState(past, past), zeros(batch, config.kernel - 1, config.width))
        memory = MemoryState(zeros(batch, config.width), zeros(batch, config.width))
        heard = torch.zeros(batch, dtype=torch.int64, device=past.device)
        frames = zeros(batch, config.stacked, FFT // 2 + 1)
        return SeparatorState(frames, heard, (layer,) * config.layers, (memory,) * (1 + SLOTS))

    def forward(self, power: Tensor) -> Masks:
        """Separate whole mixtures (B, T, 257), in chunks as when streaming."""
        state = self.initial_state(len(power))
        x, _ = self.pre_encode(_scaled(power), state.frames)
        lengths = torch.full((len(power),), x.shape[1], device=power.device)
        x = through_layers(self.layers, x, lengths, self.config.chunk, self.config.layer)
        return self._separate(x, state.memories)[0]

    def step(self, x: Tensor, state: SeparatorState) -> tuple[Masks, SeparatorState]:  # type: ignore[override]
        """Advance every stream by one chunk of spectra (B, T, 257)."""
        x, frames = self.pre_encode(_scaled(x), state.frames)
        x, heard, layers = step_layers(self.layers, x, state.heard, state.layers, self.config.layer)
        masks, memories = self._separate(x, state.memories)
        return masks, SeparatorState(frames, heard, layers, memories)

    def _separate(
        self, x: Tensor, memories: tuple[MemoryState, ...]
    ) -> tuple[Masks, tuple[MemoryState, ...]]:
        x, shared = self.memory(x, memories[0])
        found = [branch(x, state) for branch, state in zip(self.branches, memories[1:], strict=True)]
        masks = Masks(torch.stack([f[0] for f in found], 1), torch.stack([f[1] for f in found], 1))
        return masks, (shared, *(f[2] for f in found))


def masked(features: Tensor, masks: Tensor) -> Tensor:
    """Apply masks (B, C, T, F) to the mixture's log-mel features (B, T, F): (B, C, T, F)."""
    return FLOOR + masks * (features[:, None] - FLOOR)


def _scaled(power: Tensor) -> Tensor:
    return (power.clamp_min(1.0).log() - 12.0) / 4.0
