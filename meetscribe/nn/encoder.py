"""The recogniser's encoder: a cache-aware, chunk-limited Conformer.

Frames of 10 ms are stacked into steps of 40 ms by a linear front end (a strided 2-D convolution cost a third of a
training step). Convolutions are causal; attention sees the current chunk and a bounded past (Noroozi et al.,
arXiv 2312.17279). One set of weights serves every chunk size, and the whole input for the final pass.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from meetscribe.nn.attention import AttentionState, ChunkAttention, chunk_mask, rotations
from meetscribe.nn.features import MEL_BINS
from meetscribe.nn.steppable import Steppable


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes of the encoder."""

    width: int = 192  # channels of a frame inside
    layers: int = 12
    heads: int = 4
    expansion: int = 2  # feed-forward width over width
    kernel: int = 15  # frames of the causal convolution
    stacked: int = 4  # input frames (10 ms) to one step
    chunk: int = 8  # steps heard at once when streaming
    left: int = 128  # steps of the past that attention sees
    bins: int = MEL_BINS


class LayerState(NamedTuple):
    """Past of one layer: attention's keys and values (B, left, D), the convolution's inputs (B, kernel - 1, D)."""

    attention: AttentionState
    convolution: Tensor


class EncoderState(NamedTuple):
    """Past of the encoder: previous feature frames (B, stacked, F), steps heard (B,), one state for each layer."""

    frames: Tensor
    heard: Tensor
    layers: tuple[LayerState, ...]


class FeedForward(nn.Module):
    """Position-wise network."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, inner)
        self.linear2 = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, D) to the same."""
        return self.linear2(functional.silu(self.linear1(x)))


class CausalConvolution(nn.Module):
    """Gated pointwise and depthwise convolution over the present and the last kernel - 1 steps."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.pointwise_conv1 = nn.Linear(width, 2 * width)
        self.depthwise_conv = nn.Conv1d(width, width, kernel, groups=width)
        self.norm = nn.LayerNorm(width)
        self.pointwise_conv2 = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, T, D), silence before it."""
        return self.step(x, x.new_zeros(x.shape[0], self.kernel - 1, x.shape[2]))[0]

    def step(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve a piece after its past (B, kernel - 1, D)."""
        gated = torch.cat([past, functional.glu(self.pointwise_conv1(x))], 1)
        mixed = self.depthwise_conv(gated.transpose(1, 2)).transpose(1, 2)
        return self.pointwise_conv2(functional.silu(self.norm(mixed))), gated[
            :, gated.shape[1] - self.kernel + 1 :
        ]


class ConformerLayer(nn.Module):
    """Half feed-forward, attention, convolution, half feed-forward (Gulati et al., arXiv 2005.08100)."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width = config.width
        self.norm_feed_forward1 = nn.LayerNorm(width)
        self.feed_forward1 = FeedForward(width, width * config.expansion)
        self.norm_self_att = nn.LayerNorm(width)
        self.self_attn = ChunkAttention(width, config.heads)
        self.norm_conv = nn.LayerNorm(width)
        self.conv = CausalConvolution(width, config.kernel)
        self.norm_feed_forward2 = nn.LayerNorm(width)
        self.feed_forward2 = FeedForward(width, width * config.expansion)
        self.norm_out = nn.LayerNorm(width)

    def forward(self, x: Tensor, visible: Tensor, turns: Tensor) -> Tensor:
        """Map (B, T, D) to the same."""
        x = x + 0.5 * self.feed_forward1(self.norm_feed_forward1(x))
        x = x + self.self_attn(self.norm_self_att(x), visible, turns)
        x = x + self.conv(self.norm_conv(x))
        x = x + 0.5 * self.feed_forward2(self.norm_feed_forward2(x))
        return self.norm_out(x)

    def step(self, x: Tensor, state: LayerState, visible: Tensor, turns: Tensor) -> tuple[Tensor, LayerState]:
        """Advance by a chunk (B, T, D)."""
        x = x + 0.5 * self.feed_forward1(self.norm_feed_forward1(x))
        seen, attention = self.self_attn.step(self.norm_self_att(x), state.attention, visible, turns)
        x = x + seen
        mixed, convolution = self.conv.step(self.norm_conv(x), state.convolution)
        x = x + mixed
        x = x + 0.5 * self.feed_forward2(self.norm_feed_forward2(x))
        return self.norm_out(x), LayerState(attention, convolution)


def through_layers(
    layers: nn.ModuleList, x: Tensor, lengths: Tensor, chunk: int | None, config: EncoderConfig
) -> Tensor:
    """Pass whole inputs (B, T, D) through Conformer layers; `lengths` and `chunk` as of `Encoder.forward`."""
    steps = x.shape[1]
    visible = chunk_mask(lengths, steps, chunk, config.left)
    turns = rotations(0, steps, config.width // config.heads, x)
    for layer in layers:
        x = layer(x, visible, turns)
    return x


def step_layers(
    layers: nn.ModuleList, x: Tensor, heard: Tensor, past: tuple[LayerState, ...], config: EncoderConfig
) -> tuple[Tensor, Tensor, tuple[LayerState, ...]]:
    """Advance Conformer layers by a chunk (B, T, D).

    Args:
        layers: the layers.
        x: their input.
        heard: steps of the past that there are, at most `config.left` (B,).
        past: their states.
        config: their sizes.

    Returns:
        The output, and the new `heard` and `past`.
    """
    steps, left = x.shape[1], config.left
    key = torch.arange(left + steps, device=x.device)
    visible = (key[None] >= left - heard[:, None])[:, None, None, :].expand(-1, 1, steps, -1)
    turns = rotations(0, left + steps, config.width // config.heads, x)
    kept: list[LayerState] = []
    for layer, state in zip(layers, past, strict=True):
        assert isinstance(layer, ConformerLayer)
        x, new = layer.step(x, state, visible, turns)
        kept.append(new)
    return x, (heard + steps).clamp_max(left), tuple(kept)


class StackedFrames(nn.Module):
    """`stacked` new frames and as many before them become one step."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.stacked = config.stacked
        self.linear = nn.Linear(2 * config.stacked * config.bins, 2 * config.width)
        self.out = nn.Linear(2 * config.width, config.width)

    def forward(self, frames: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """Map frames (B, n T, F) after `past` (B, n, F) to steps (B, T, D) and the new past."""
        heard = torch.cat([past, frames], 1)
        windows = heard.unfold(1, 2 * self.stacked, self.stacked).transpose(2, 3).flatten(2)
        return self.out(functional.silu(self.linear(windows))), heard[:, heard.shape[1] - self.stacked :]


class Encoder(Steppable[EncoderState]):
    """Log-mel frames (B, 4 T, F) to encodings (B, T, D)."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.stride = config.stacked
        self.lookahead = config.stacked * (config.chunk - 1)
        self.register_buffer("mean", torch.full((config.bins,), 8.0))
        self.register_buffer("deviation", torch.full((config.bins,), 4.0))
        self.pre_encode = StackedFrames(config)
        self.layers = nn.ModuleList(ConformerLayer(config) for _ in range(config.layers))

    def initial_state(self, batch: int) -> EncoderState:
        """Return the state of `batch` streams before anything was heard."""
        config, zeros = self.config, self.mean.new_zeros
        past = zeros(batch, config.left, config.width)
        layer = LayerState(AttentionState(past, past), zeros(batch, config.kernel - 1, config.width))
        heard = torch.zeros(batch, dtype=torch.int64, device=self.mean.device)
        return EncoderState(zeros(batch, config.stacked, config.bins), heard, (layer,) * config.layers)

    def forward(self, frames: Tensor, lengths: Tensor, chunk: int | None) -> Tensor:
        """Encode whole inputs.

        Args:
            frames: log-mel (B, 4 T, F).
            lengths: valid steps of each example, (B,), at most T.
            chunk: steps of a chunk as in streaming; None: every step sees everything (the final pass).
        """
        x, _ = self.pre_encode(self._normalised(frames), self.mean.new_zeros(len(frames), *self._past))
        return through_layers(self.layers, x, lengths, chunk, self.config)

    def step(self, x: Tensor, state: EncoderState) -> tuple[Tensor, EncoderState]:
        """Advance every stream by one chunk of frames (B, 4 T, F), T at most `chunk` of the configuration."""
        x, frames = self.pre_encode(self._normalised(x), state.frames)
        x, heard, layers = step_layers(self.layers, x, state.heard, state.layers, self.config)
        return x, EncoderState(frames, heard, layers)

    @property
    def _past(self) -> tuple[int, int]:
        return self.config.stacked, self.config.bins

    def _normalised(self, frames: Tensor) -> Tensor:
        return (frames - self.mean) / self.deviation
