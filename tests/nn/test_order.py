import torch
from torch import Tensor

from meetscribe.nn.features import MEL_BINS
from meetscribe.nn.order import in_order, initial_order
from meetscribe.nn.separator import Masks


def masks(*speaks: tuple[int, int]) -> Masks:
    """Return what a separator says of one stream; each slot's odds tell which it was."""
    activity = torch.tensor(speaks, dtype=torch.float32).T[None] * 8.0 - 4.0
    odds = torch.tensor([5.0, -5.0])[None, :, None, None].expand(1, 2, 2 * len(speaks), MEL_BINS)
    return Masks(odds, activity)


def slots_of(found: Masks) -> list[tuple[int, int]]:
    return [tuple(int(value > 0) for value in step) for step in found.activity[0].T]  # type: ignore[misc]


def ordered(found: Masks) -> Masks:
    return in_order(found, initial_order(1, torch.device("cpu")))[0]


def test_the_first_voice_is_in_slot_0() -> None:
    """Whichever of its slots the separator begins with."""
    assert slots_of(ordered(masks((0, 1), (0, 1)))) == [(1, 0), (1, 0)]
    assert slots_of(ordered(masks((1, 0), (1, 0)))) == [(1, 0), (1, 0)]


def test_who_goes_on_after_a_silence_stays() -> None:
    """A voice that comes back in the separator's other slot is put where somebody spoke last."""
    said = masks((1, 0), (0, 0), (0, 0), (0, 1), (0, 1))
    assert slots_of(ordered(said)) == [(1, 0), (0, 0), (0, 0), (1, 0), (1, 0)]


def test_nothing_is_exchanged_while_anybody_talks() -> None:
    """Two who overlap are held apart, and the one who goes on keeps the slot, after silence too."""
    said = masks((1, 0), (1, 1), (0, 1), (0, 1), (0, 0), (0, 0), (1, 0))
    assert slots_of(ordered(said)) == [(1, 0), (1, 1), (0, 1), (0, 1), (0, 0), (0, 0), (0, 1)]


def test_masks_go_with_their_activity() -> None:
    """Where slots are exchanged so are their masks, both frames of a step, and only there."""
    found = ordered(masks((1, 0), (0, 0), (0, 0), (0, 1)))
    first: Tensor = found.odds[0, 0, :, 0]
    assert (first[:6] > 0).all()
    assert (first[6:] < 0).all()


def test_pieces_equal_the_whole() -> None:
    """However a stream is cut, the order is the same."""
    generator = torch.Generator().manual_seed(4)
    activity = torch.randn(3, 2, 60, generator=generator) - 1.0
    odds = torch.randn(3, 2, 120, MEL_BINS, generator=generator)
    whole, _ = in_order(Masks(odds, activity), initial_order(3, torch.device("cpu")))
    state, parts = initial_order(3, torch.device("cpu")), []
    for begin in range(0, 60, 4):
        piece = Masks(odds[:, :, 2 * begin : 2 * begin + 8], activity[..., begin : begin + 4])
        found, state = in_order(piece, state)
        parts.append(found)
    assert torch.equal(torch.cat([part.odds for part in parts], 2), whole.odds)
    assert torch.equal(torch.cat([part.activity for part in parts], 2), whole.activity)
