import pytest
import torch

from meetscribe.nn.encoder import Encoder, EncoderConfig
from meetscribe.nn.steppable import joined_states, split_states
from meetscribe.testing import tiny_recogniser, verify_streaming

CONFIG = EncoderConfig(width=16, layers=2, heads=2, kernel=3, chunk=4, left=8)


@pytest.fixture
def encoder() -> Encoder:
    torch.manual_seed(5)
    return Encoder(CONFIG).eval()


def frames(steps: int, batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 4 * steps, CONFIG.bins, generator=torch.Generator().manual_seed(2)) * 4 + 8


def lengths(x: torch.Tensor) -> torch.Tensor:
    return torch.full((len(x),), x.shape[1] // 4)


def test_steps_equal_whole(encoder: Encoder) -> None:
    """Chunk after chunk gives what the whole input gives, also long after the attention's past has wrapped."""
    verify_streaming(encoder, frames(48), lambda x: encoder(x, lengths(x), CONFIG.chunk), (4 * CONFIG.chunk,))


def test_every_step_of_the_final_pass_sees_everything(encoder: Encoder) -> None:
    """Without chunks the last frame changes the first step."""
    x = frames(12)
    changed = x.clone()
    changed[:, -1] += 1.0
    first = encoder(x, lengths(x), None)[:, 0]
    assert (first - encoder(changed, lengths(x), None)[:, 0]).abs().max() > 1e-5


@pytest.mark.parametrize("chunk", [4, None])
def test_padding_does_not_leak(encoder: Encoder, chunk: int | None) -> None:
    """What lies behind an example's end changes none of its steps."""
    x = frames(12)
    padded = torch.cat([x, torch.full((2, 16, CONFIG.bins), 99.0)], 1)
    short = encoder(x, lengths(x), chunk)
    torch.testing.assert_close(encoder(padded, lengths(x), chunk)[:, :12], short, atol=1e-4, rtol=0)


def test_streams_can_be_batched(encoder: Encoder) -> None:
    """Streams of different ages advance together as they would alone."""
    x = frames(12)
    _, old = encoder.step(x[:1, :16], encoder.initial_state(1))
    alone = [encoder.step(x[:1, 16:32], old), encoder.step(x[1:, :16], encoder.initial_state(1))]
    together, state = encoder.step(
        torch.cat([x[:1, 16:32], x[1:, :16]]), joined_states([old, encoder.initial_state(1)])
    )
    for row, part, (output, kept) in zip(together, split_states(state, 2), alone, strict=True):
        torch.testing.assert_close(row[None], output, atol=1e-5, rtol=0)
        torch.testing.assert_close(part.layers[1].convolution, kept.layers[1].convolution, atol=1e-5, rtol=0)


def test_recogniser_streams() -> None:
    """Audio in chunks gives the tables that the whole recording gives."""
    network = tiny_recogniser()
    audio = torch.randn(2, network.chunk_samples * 6, generator=torch.Generator().manual_seed(4)) * 0.1

    def whole(x: torch.Tensor) -> torch.Tensor:
        return network(x, torch.full((len(x),), x.shape[1]), network.config.encoder.chunk)

    verify_streaming(network, audio, whole, (network.chunk_samples,), tolerance=1e-3)
