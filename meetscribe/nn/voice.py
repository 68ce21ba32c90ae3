"""What of a step's sound is the voice, not the phone: a few numbers that stay while one person speaks.

The spectrum of a step less what its phones let expect of it (the recogniser's frame-wise classes say which) is the
talker's and the room's; a linear map turns it so that it varies by one within a second of one person, and most
between people in the first numbers (`training/voices_apart.py` estimates it). It tells two people apart within a
second; it is no name for anybody, since microphones and rooms are in it.
Not covered: recognising people again.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from meetscribe.nn.features import MEL_BINS


@dataclass(frozen=True)
class VoiceConfig:
    """Sizes."""

    dimensions: int = 12
    classes: int = 79


class Voice(nn.Module):
    """Log-mel frames (B, r T, F) and probabilities of frame-wise classes (B, T, K) to voices (B, T, D)."""

    def __init__(self, config: VoiceConfig) -> None:
        super().__init__()
        self.config = config
        self.spectrum = nn.Linear(MEL_BINS, config.dimensions)
        self.phones = nn.Linear(config.classes, config.dimensions, bias=False)

    def forward(self, features: Tensor, classes: Tensor) -> Tensor:
        """Return the voice of each step."""
        steps = features.unflatten(1, (classes.shape[1], -1)).mean(2)
        return self.spectrum(steps) - self.phones(classes)


@torch.no_grad()
def filled(voice: Voice, spectrum: Tensor, offset: Tensor, phones: Tensor) -> Voice:
    """Put estimated weights into a voice and return it: (D, F), (D,) and (D, K)."""
    voice.spectrum.weight.copy_(spectrum)
    voice.spectrum.bias.copy_(offset)
    voice.phones.weight.copy_(phones)
    return voice
