"""The separator: what each of two people who talk at once says, as masks on the mixture's log-mel features.

A mixture encoder hears the log-mel features and where in the spectrum which pitch is heard (`periodicity.py`); two
branches with weights of their own then give a mask and an activity each (arXiv 2205.05199 §2; masks on log-mel as in
SURT 2.0, arXiv 2306.10559). A branch compares the periodicity of each band with that of the voice it follows: a
product of both is part of its mask. A mask works on the logarithm above a floor: y_n = FLOOR + m_n (y - FLOOR). So a
mask of one leaves single talkers exactly as they are, and a small one silences: a twentieth of the energy would still
be intelligible.
Which turn belongs to which slot is a matter of history (`training/simulation/slots.py`), and is remembered by
recurrent layers.
Not covered: more than two people at once, waveforms (masks can be applied to them), who speaks.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from meetscribe.nn.attention import AttentionState
from meetscribe.nn.encoder import ConformerLayer, EncoderConfig, LayerState, step_layers, through_layers
from meetscribe.nn.features import MEL_BINS
from meetscribe.nn.periodicity import BANDS, CUES, HARMONICS, PERIODS, mel_shares
from meetscribe.nn.steppable import Steppable

FLOOR = 3.0
"""Log-mel energy of what is masked altogether: a quiet room."""

SLOTS = 2

FRAMES = 2
"""Frames of 10 ms in a step."""

HEARD = FRAMES * MEL_BINS + CUES
"""Values of a step of the separator's input (`heard`)."""


@dataclass(frozen=True)
class SeparatorConfig:
    """Sizes of the separator."""

    width: int = 192  # channels of a step inside
    layers: int = 3  # Conformer layers of the mixture encoder
    heads: int = 4
    expansion: int = 2  # feed-forward width over width
    kernel: int = 15  # steps of the causal convolution
    chunk: int = 16  # steps of 20 ms heard at once
    left: int = 100  # steps of the past that attention sees
    compared: int = 32  # products of a band's periodicity and the followed voice's

    @property
    def layer(self) -> EncoderConfig:
        """Sizes of the mixture encoder's layers, named as the recogniser's."""
        return EncoderConfig(
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            expansion=self.expansion,
            kernel=self.kernel,
            stacked=FRAMES,
            chunk=self.chunk,
            left=self.left,
        )


class MemoryState(NamedTuple):
    """Output and cell of a recurrent layer, (B, D) each."""

    output: Tensor
    cell: Tensor


class SeparatorState(NamedTuple):
    """Past of the separator: the last step's front end (B, D), steps heard (B,), layers, recurrent layers."""

    before: Tensor
    heard: Tensor
    layers: tuple[LayerState, ...]
    memories: tuple[MemoryState, ...]


class Masks(NamedTuple):
    """What the separator says of T steps, 2 T frames of 10 ms."""

    odds: Tensor  # (B, C, 2 T, F), log odds of the masks
    activity: Tensor  # (B, C, T), log odds that the slot's talker speaks

    @property
    def masks(self) -> Tensor:
        """The masks themselves, in 0…1."""
        return torch.sigmoid(self.odds)

    def exchanged(self, where: Tensor) -> "Masks":
        """Return masks and activity with the slots exchanged in the steps where `where`, bool (B, T), says so."""
        frames = where.repeat_interleave(FRAMES, 1)[:, None, :, None]
        odds = torch.where(frames, self.odds.flip(1), self.odds)
        return Masks(odds, torch.where(where[:, None], self.activity.flip(1), self.activity))


def heard(mixture: Tensor, cues: Tensor) -> Tensor:
    """Return the separator's input (B, T, HEARD) from log-mel (B, 2 T, F) and periodicity (B, T, CUES)."""
    mel = (mixture.unflatten(1, (-1, FRAMES)).flatten(2) - 8.0) / 4.0
    return torch.cat([mel, cues], -1)


class FrontEnd(nn.Module):
    """A step and the one before it, brought to the width of the layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.band = nn.Linear(2 * PERIODS, 12)
        inside = BANDS * 12 + 2 * PERIODS + HARMONICS + FRAMES * MEL_BINS
        self.linear = nn.Linear(inside, 2 * width)
        self.before = nn.Linear(inside, 2 * width, bias=False)
        self.out = nn.Linear(2 * width, width)

    def forward(self, x: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, T, HEARD) to (B, T, D), and say of the newest step what `before` (B, 2 D) says of the last."""
        mel, bands, fine = x.split([FRAMES * MEL_BINS, BANDS * 2 * PERIODS, HARMONICS], -1)
        bands = bands.unflatten(-1, (BANDS, 2 * PERIODS))
        own = torch.cat([self.band(bands).flatten(2), bands.mean(2), fine, mel], -1)
        past = torch.cat([before[:, None].to(own.dtype), self.before(own)], 1)
        return self.out(functional.silu(self.linear(own) + past[:, :-1])), past[:, -1]


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

    shares: Tensor

    def __init__(self, config: SeparatorConfig, bias: float) -> None:
        super().__init__()
        self.memory = Memory(config.width)
        self.norm = nn.LayerNorm(config.width)
        self.mask = nn.Linear(config.width, FRAMES * MEL_BINS)
        self.band = nn.Linear(2 * PERIODS, config.compared)
        self.voice = nn.Linear(config.width, config.compared)
        self.activity = nn.Linear(config.width, 1)
        self.register_buffer("shares", torch.from_numpy(mel_shares()), persistent=False)
        nn.init.constant_(self.mask.bias, bias)

    def forward(self, x: Tensor, bands: Tensor, state: MemoryState) -> tuple[Tensor, Tensor, MemoryState]:
        """Return log odds of a mask (B, 2 T, F) and of activity (B, T), and the new state.

        Args:
            x: the encoded mixture (B, T, D).
            bands: periodicity of each band (B, T, BANDS, 2 PERIODS).
            state: of the recurrent layer.
        """
        x, state = self.memory(x, state)
        x = self.norm(x)
        alike = torch.einsum("btgk,btk->btg", self.band(bands), self.voice(x)) @ self.shares.T.to(x.dtype)
        mask = self.mask(x).unflatten(-1, (FRAMES, MEL_BINS)) + alike[:, :, None]
        return mask.flatten(1, 2), self.activity(x)[..., 0], state


class Separator(Steppable[SeparatorState]):
    """What is heard (B, T, HEARD), see `heard`, to masks and activity of two slots."""

    stride = 1

    def __init__(self, config: SeparatorConfig) -> None:
        super().__init__()
        self.config = config
        self.lookahead = config.chunk - 1
        self.front = FrontEnd(config.width)
        self.layers = nn.ModuleList(ConformerLayer(config.layer) for _ in range(config.layers))
        self.memory = Memory(config.width)
        self.branches = nn.ModuleList(Branch(config, bias) for bias in (2.0, -2.0))

    def initial_state(self, batch: int) -> SeparatorState:
        """Return the state of `batch` streams before anything was heard."""
        config, zeros = self.config, self.memory.norm.weight.new_zeros
        past = zeros(batch, config.left, config.width)
        layer = LayerState(AttentionState(past, past), zeros(batch, config.kernel - 1, config.width))
        memory = MemoryState(zeros(batch, config.width), zeros(batch, config.width))
        count = torch.zeros(batch, dtype=torch.int64, device=past.device)
        before = zeros(batch, 2 * config.width)
        return SeparatorState(before, count, (layer,) * config.layers, (memory,) * (1 + SLOTS))

    def forward(self, x: Tensor) -> Masks:
        """Separate whole mixtures (B, T, HEARD), in chunks as when streaming."""
        state = self.initial_state(len(x))
        y, _ = self.front(x, state.before)
        lengths = torch.full((len(y),), y.shape[1], device=y.device)
        y = through_layers(self.layers, y, lengths, self.config.chunk, self.config.layer)
        return self._separate(x, y, state.memories)[0]

    def step(self, x: Tensor, state: SeparatorState) -> tuple[Masks, SeparatorState]:  # type: ignore[override]
        """Advance every stream by one chunk (B, T, HEARD)."""
        y, before = self.front(x, state.before)
        y, count, layers = step_layers(self.layers, y, state.heard, state.layers, self.config.layer)
        masks, memories = self._separate(x, y, state.memories)
        return masks, SeparatorState(before, count, layers, memories)

    def _separate(
        self, x: Tensor, y: Tensor, memories: tuple[MemoryState, ...]
    ) -> tuple[Masks, tuple[MemoryState, ...]]:
        first = FRAMES * MEL_BINS
        bands = x[..., first : first + BANDS * 2 * PERIODS].unflatten(-1, (BANDS, 2 * PERIODS))
        y, shared = self.memory(y, memories[0])
        found = [branch(y, bands, state) for branch, state in zip(self.branches, memories[1:], strict=True)]
        masks = Masks(torch.stack([f[0] for f in found], 1), torch.stack([f[1] for f in found], 1))
        return masks, (shared, *(f[2] for f in found))


def masked(features: Tensor, masks: Tensor) -> Tensor:
    """Apply masks (B, C, T, F) to the mixture's log-mel features (B, T, F): (B, C, T, F)."""
    return FLOOR + masks * (features[:, None] - FLOOR)
