import pytest
import torch

from meetscribe.nn.features import FFT, MEL_BINS
from meetscribe.nn.separator import FLOOR, SLOTS, Separator, SeparatorConfig, masked
from meetscribe.nn.steppable import joined_states, split_states

CONFIG = SeparatorConfig(width=16, layers=1, heads=2, kernel=3, chunk=4, left=8)
CHUNK = CONFIG.chunk * CONFIG.stacked


@pytest.fixture
def separator() -> Separator:
    torch.manual_seed(3)
    return Separator(CONFIG).eval()


def spectra(frames: int, batch: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.exp(torch.randn(batch, frames, FFT // 2 + 1, generator=generator) * 4 + 10)


@torch.no_grad()
def test_steps_equal_whole(separator: Separator) -> None:
    """Chunk after chunk gives the masks of the whole mixture, also long after the attention's past has wrapped."""
    power = spectra(10 * CHUNK)
    whole, state = separator(power), separator.initial_state(2)
    for begin in range(0, power.shape[1], CHUNK):
        found, state = separator.step(power[:, begin : begin + CHUNK], state)
        torch.testing.assert_close(found.masks, whole.masks[:, :, begin : begin + CHUNK], atol=1e-5, rtol=0)
        steps = slice(begin // CONFIG.stacked, (begin + CHUNK) // CONFIG.stacked)
        torch.testing.assert_close(found.activity, whole.activity[:, :, steps], atol=1e-4, rtol=0)


@torch.no_grad()
def test_nothing_beyond_the_chunk_is_heard(separator: Separator) -> None:
    """What comes after a chunk changes nothing in it."""
    power = spectra(3 * CHUNK)
    changed = power.clone()
    changed[:, 2 * CHUNK :] *= 9.0
    before, after = separator(power).masks, separator(changed).masks
    assert torch.equal(before[:, :, : 2 * CHUNK], after[:, :, : 2 * CHUNK])
    assert not torch.equal(before[:, :, 2 * CHUNK :], after[:, :, 2 * CHUNK :])


@torch.no_grad()
def test_the_past_is_remembered_beyond_attention(separator: Separator) -> None:
    """The first frames still matter when attention sees them no more: slots depend on who spoke before."""
    power = spectra(8 * CHUNK)
    changed = power.clone()
    changed[:, :CHUNK] = 1.0
    assert not torch.equal(separator(power).masks[:, :, -1], separator(changed).masks[:, :, -1])


@torch.no_grad()
def test_streams_can_be_batched(separator: Separator) -> None:
    """Streams of different ages advance together as they would alone."""
    power = spectra(2 * CHUNK)
    _, old = separator.step(power[:1, :CHUNK], separator.initial_state(1))
    fresh = separator.initial_state(1)
    alone = [separator.step(power[:1, CHUNK:], old), separator.step(power[1:, CHUNK:], fresh)]
    found, state = separator.step(power[:, CHUNK:], joined_states([old, fresh]))
    for row, part, (expected, kept) in zip(found.masks, split_states(state, 2), alone, strict=True):
        torch.testing.assert_close(row[None], expected.masks, atol=1e-5, rtol=0)
        torch.testing.assert_close(part.memories[2].cell, kept.memories[2].cell, atol=1e-5, rtol=0)


def test_masks_work_above_the_floor() -> None:
    """A mask of one changes nothing, one of zero leaves the floor, and what is below the floor is never amplified."""
    features = torch.linspace(-16, 20, 4 * MEL_BINS).reshape(1, 4, MEL_BINS)
    masks = torch.stack([torch.ones_like(features), torch.zeros_like(features)], 1)
    heard = masked(features, masks)
    assert heard.shape == (1, SLOTS, 4, MEL_BINS)
    torch.testing.assert_close(heard[:, 0], features)
    assert (heard[:, 1] == FLOOR).all()
    half = masked(features, masks * 0 + 0.5)
    loud = features[:, None] > FLOOR
    assert (half <= features[:, None])[loud.expand_as(half)].all()
