import pytest
import torch

from meetscribe.nn.embedder import Embedder, EmbedderConfig, Sums
from meetscribe.testing import verify_streaming

CONFIG = EmbedderConfig(width=16, blocks=2, kernel=3, joined=2, pooled=12, attention=8, dimensions=6)


@pytest.fixture
def embedder() -> Embedder:
    torch.manual_seed(3)
    return Embedder(CONFIG).eval()


def frames(steps: int, batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 2 * steps, CONFIG.bins, generator=torch.Generator().manual_seed(2)) * 4 + 8


def test_steps_equal_whole(embedder: Embedder) -> None:
    """Piece after piece gives the steps of the whole turn, running mean included, and nothing is looked ahead at."""
    verify_streaming(embedder.steps, frames(24), embedder.steps, (2, 8))


@torch.no_grad()
def test_a_turn_may_be_pooled_in_pieces(embedder: Embedder) -> None:
    """What was pooled of two pieces adds up to the voice of the whole."""
    x = frames(20)
    state = embedder.steps.initial_state(2)
    first, state = embedder.steps.step(x[:, :16], state)
    rest, _ = embedder.steps.step(x[:, 16:], state)
    both = zip(embedder.sums(first), embedder.sums(rest), strict=True)
    voice = embedder.voice(Sums(*(one + other for one, other in both)))
    torch.testing.assert_close(voice, embedder(x), atol=1e-5, rtol=0)


@torch.no_grad()
def test_padding_does_not_leak(embedder: Embedder) -> None:
    """What lies behind the end of a turn in a batch changes its voice by nothing."""
    x = frames(12)
    padded = torch.cat([x, torch.full((2, 16, CONFIG.bins), 99.0)], 1)
    voices = embedder(padded, torch.tensor([12, 12]))
    torch.testing.assert_close(voices, embedder(x), atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_voice_has_unit_length_whatever_is_heard(embedder: Embedder) -> None:
    """Silence, one frame pair and a loud turn all give vectors of length one without gaps in the numbers."""
    for x in (torch.full((1, 2, 80), -15.9), frames(1, 1), frames(30, 1) + 10):
        assert embedder(x).norm().item() == pytest.approx(1.0, abs=1e-4)


def test_the_embedder_fits_beside_the_recogniser() -> None:
    """In bfloat16 its weights take less than four megabytes."""
    count = sum(parameter.numel() for parameter in Embedder(EmbedderConfig()).parameters())
    assert 1_000_000 < count < 2_000_000
