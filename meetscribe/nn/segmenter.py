"""The separator-transducer-segmenter: one network from a mixture to two slots of symbols.

h_n = RecEnc(SepEnc_n(MixEnc(x))), arXiv 2205.05199: the separator gives each slot its features, and one recogniser,
whose symbols include start and end of a turn, hears both slots with the same weights, as one batch.
Not covered: words (`meetscribe.streaming.search`), which symbols close a turn (`meetscribe.streaming.turns`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from meetscribe.nn.encoder import EncoderState
from meetscribe.nn.features import HOP
from meetscribe.nn.order import in_order, initial_order
from meetscribe.nn.periodicity import Periodicity
from meetscribe.nn.recogniser import Recogniser, RecogniserConfig
from meetscribe.nn.separator import (
    FRAMES,
    SLOTS,
    Masks,
    Separator,
    SeparatorConfig,
    SeparatorState,
    heard,
    masked,
)
from meetscribe.nn.steppable import Steppable
from meetscribe.nn.voice import Voice


@dataclass(frozen=True)
class SegmenterConfig:
    """Sizes of both parts."""

    recogniser: RecogniserConfig = field(default_factory=RecogniserConfig)
    separator: SeparatorConfig | None = field(default_factory=SeparatorConfig)


class SeparationState(NamedTuple):
    """Past of what separates: samples (B, 240) of the features and (B, 704) of the periodicity, separator, order.

    Without a separator all but the first are ().
    """

    samples: Tensor
    periodicity: Tensor | tuple[()]
    separator: SeparatorState | tuple[()]
    order: Tensor | tuple[()]


class SegmenterState(NamedTuple):
    """Past of the separation, and of the encoder, which has a slot axis after the batch axis: (B, C, …)."""

    separation: SeparationState
    encoder: EncoderState


class SlotScores(NamedTuple):
    """What the network says of T steps of 40 ms."""

    scores: Tensor  # (B, C, T, V previous, V next), log probabilities
    activity: Tensor  # (B, C, T), probability that the slot's talker speaks, and is heard to say something
    features: Tensor  # (B, C, 4 T, F), separated log-mel frames
    voice: Tensor  # (B, C, T, D), of the slot's talker; D is 0 where the network knows no voices


class SeparatorTransducerSegmenter(Steppable[SegmenterState]):
    """Audio (B, samples) to `SlotScores`; without a separator there is one slot, which hears the mixture."""

    def __init__(
        self, recogniser: Recogniser, separator: Separator | None, voice: Voice | None = None
    ) -> None:
        super().__init__()
        self.recogniser = recogniser
        self.separator = separator
        self.periodicity = Periodicity()
        self.voice = voice
        self.slots = 1 if separator is None else SLOTS
        self.stride = recogniser.stride
        self.lookahead = recogniser.lookahead

    @property
    def config(self) -> SegmenterConfig:
        """Sizes of both parts."""
        return SegmenterConfig(
            self.recogniser.config, None if self.separator is None else self.separator.config
        )

    @property
    def chunk_samples(self) -> int:
        """Samples of one streaming step."""
        return self.recogniser.chunk_samples

    def initial_state(self, batch: int) -> SegmenterState:
        """Return the state of `batch` streams before anything was heard."""
        encoder = self.recogniser.encoder.initial_state(batch * self.slots)
        return SegmenterState(self.initial_separation(batch), _unfold(encoder, self.slots))

    def initial_separation(self, batch: int) -> SeparationState:
        """Return the state of `batch` streams of which nothing was separated yet."""
        samples = self.recogniser.features.initial_state(batch)
        if self.separator is None:
            return SeparationState(samples, (), (), ())
        order = initial_order(batch, samples.device)
        periodicity = self.periodicity.initial_state(batch)
        return SeparationState(samples, periodicity, self.separator.initial_state(batch), order)

    def forward(self, audio: Tensor, lengths: Tensor, chunk: int | None) -> SlotScores:
        """Score whole recordings.

        Args:
            audio: (B, samples) in -1…1; what exceeds whole steps is left out.
            lengths: valid samples of each (B,).
            chunk: steps that the recogniser hears at once; None: each step sees the whole recording. The
                separator's chunk is always its own.
        """
        whole = audio[:, : audio.shape[1] // self.stride * self.stride]
        mixture = self.recogniser.features(whole)
        found = None
        if self.separator is not None:
            found = self.separator(heard(mixture, self.periodicity(whole)))
            found, _ = in_order(found, initial_order(len(audio), audio.device))
        features = mixture[:, None] if found is None else masked(mixture, found.masks)
        steps = torch.div(lengths, self.stride, rounding_mode="floor").repeat_interleave(self.slots)
        encoded = self.recogniser.encoder(features.flatten(0, 1), steps, chunk)
        return self._scores(encoded, features, found)

    def step(self, x: Tensor, state: SegmenterState) -> tuple[SlotScores, SegmenterState]:  # type: ignore[override]
        """Score one chunk of each stream: x (B, chunk_samples)."""
        mixture, found, separation = self.separate(x, state.separation)
        features = mixture[:, None] if found is None else masked(mixture, found.masks)
        encoded, encoder = self.recogniser.encoder.step(features.flatten(0, 1), _fold(state.encoder))
        scores = self._scores(encoded, features, found)
        return scores, SegmenterState(separation, _unfold(encoder, self.slots))

    def separate(self, x: Tensor, state: SeparationState) -> tuple[Tensor, Masks | None, SeparationState]:
        """Advance the separation of each stream by samples x (B, 320 n).

        Returns:
            The mixture's log-mel frames (B, 2 n, F), its masks in the order of the slots (None without a separator),
            and the new state.
        """
        mixture, samples = self.recogniser.features.step(x, state.samples)
        if self.separator is None:
            return mixture, None, state._replace(samples=samples)
        assert isinstance(state.separator, SeparatorState)
        assert isinstance(state.periodicity, Tensor)
        assert isinstance(state.order, Tensor)
        cues, periodicity = self.periodicity.step(x, state.periodicity)
        found, separator = self.separator.step(heard(mixture, cues), state.separator)
        found, order = in_order(found, state.order)
        return mixture, found, SeparationState(samples, periodicity, separator, order)

    def whole(self, features: Tensor, steps: Tensor) -> Tensor:
        """Score separated features with full context, as the final pass does.

        Args:
            features: (B, 4 T, F) of one slot each.
            steps: valid steps of each (B,).

        Returns:
            Log probabilities (B, T, V, V).
        """
        return self.recogniser.transducer.table(self.recogniser.encoder(features, steps, None))

    def _scores(self, encoded: Tensor, features: Tensor, found: Masks | None) -> SlotScores:
        scores = self.recogniser.transducer.table(encoded).unflatten(0, (-1, self.slots))
        speech = self.recogniser.speech(encoded).unflatten(0, (-1, self.slots))
        voice = self.voices(encoded, features.flatten(0, 1)).unflatten(0, (-1, self.slots))
        return SlotScores(scores, self._activity(found, speech), features, voice)

    def voices(self, encoded: Tensor, features: Tensor) -> Tensor:
        """Return the voice of each step of encodings (B, T, D) of features (B, 4 T, F)."""
        if self.voice is None:
            return encoded.new_zeros(*encoded.shape[:2], 0)
        return self.voice(features, self.recogniser.classes(encoded))

    def _activity(self, found: Masks | None, speech: Tensor) -> Tensor:
        """Return the product of what the separator says of a slot and what the recogniser hears in it."""
        if found is None:
            return speech
        steps = self.stride // HOP // FRAMES
        return speech * torch.sigmoid(found.activity).unflatten(-1, (-1, steps)).mean(-1)


def _fold(state: EncoderState) -> EncoderState:
    """Join the batch and slot axes of every tensor in a state."""
    return _mapped(state, lambda part: part.flatten(0, 1))


def _unfold(state: EncoderState, slots: int) -> EncoderState:
    return _mapped(state, lambda part: part.unflatten(0, (-1, slots)))


def _mapped(state: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(state, Tensor):
        return change(state)
    parts = [_mapped(part, change) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)
