import pytest
import torch

from meetscribe.nn.features import MEL_BINS
from meetscribe.nn.periodicity import CUES
from meetscribe.nn.separator import FLOOR, FRAMES, HEARD, SLOTS, Separator, SeparatorConfig, heard, masked
from meetscribe.nn.steppable import joined_states, split_states

CONFIG = SeparatorConfig(width=16, layers=1, heads=2, kernel=3, chunk=4, left=8)
CHUNK = CONFIG.chunk


@pytest.fixture
def separator() -> Separator:
    torch.manual_seed(3)
    return Separator(CONFIG).eval()


def sound(steps: int, batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, steps, HEARD, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def test_steps_equal_whole(separator: Separator) -> None:
    """Chunk after chunk gives the masks of the whole mixture, also long after the attention's past has wrapped."""
    x = sound(10 * CHUNK)
    whole, state = separator(x), separator.initial_state(2)
    for begin in range(0, x.shape[1], CHUNK):
        found, state = separator.step(x[:, begin : begin + CHUNK], state)
        frames = slice(FRAMES * begin, FRAMES * (begin + CHUNK))
        torch.testing.assert_close(found.masks, whole.masks[:, :, frames], atol=1e-5, rtol=0)
        steps = slice(begin, begin + CHUNK)
        torch.testing.assert_close(found.activity, whole.activity[:, :, steps], atol=1e-4, rtol=0)


@torch.no_grad()
def test_nothing_beyond_the_chunk_is_heard(separator: Separator) -> None:
    """What comes after a chunk changes nothing in it."""
    x = sound(3 * CHUNK)
    changed = x.clone()
    changed[:, 2 * CHUNK :] += 1.0
    before, after = separator(x).masks, separator(changed).masks
    assert torch.equal(before[:, :, : 2 * FRAMES * CHUNK], after[:, :, : 2 * FRAMES * CHUNK])
    assert not torch.equal(before[:, :, 2 * FRAMES * CHUNK :], after[:, :, 2 * FRAMES * CHUNK :])


@torch.no_grad()
def test_the_past_is_remembered_beyond_attention(separator: Separator) -> None:
    """The first frames still matter when attention sees them no more: slots depend on who spoke before."""
    x = sound(8 * CHUNK)
    changed = x.clone()
    changed[:, :CHUNK] = 0.0
    assert not torch.equal(separator(x).masks[:, :, -1], separator(changed).masks[:, :, -1])


@torch.no_grad()
def test_streams_can_be_batched(separator: Separator) -> None:
    """Streams of different ages advance together as they would alone."""
    x = sound(2 * CHUNK)
    _, old = separator.step(x[:1, :CHUNK], separator.initial_state(1))
    fresh = separator.initial_state(1)
    alone = [separator.step(x[:1, CHUNK:], old), separator.step(x[1:, CHUNK:], fresh)]
    found, state = separator.step(x[:, CHUNK:], joined_states([old, fresh]))
    for row, part, (expected, kept) in zip(found.masks, split_states(state, 2), alone, strict=True):
        torch.testing.assert_close(row[None], expected.masks, atol=1e-5, rtol=0)
        torch.testing.assert_close(part.memories[2].cell, kept.memories[2].cell, atol=1e-5, rtol=0)


def test_a_step_holds_two_frames_and_the_cues() -> None:
    """Each step of the input holds its own two frames of log-mel, then the periodicity of the same 20 ms."""
    mixture = torch.arange(4.0)[None, :, None].expand(1, 4, MEL_BINS)
    x = heard(mixture, torch.full((1, 2, CUES), 7.0))
    assert x.shape == (1, 2, HEARD)
    assert (x[0, 1, :MEL_BINS] == (2.0 - 8.0) / 4.0).all()
    assert (x[0, 1, MEL_BINS : 2 * MEL_BINS] == (3.0 - 8.0) / 4.0).all()
    assert (x[..., 2 * MEL_BINS :] == 7.0).all()


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
