import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.nn.features import MEL_BINS
from meetscribe.nn.order import BOTH, COSTS, WINDOW, gated, in_order, initial_order
from meetscribe.nn.separator import Masks

A, B, ALL, NONE = (1, 0), (0, 1), (1, 1), (0, 0)
"""Which of the separator's slots is heard."""


def masks(*speaks: tuple[tuple[int, int], int]) -> Masks:
    """Return what a separator says of one stream, in runs of steps; its first slot's mask is all open."""
    steps = [each for each, count in speaks for _ in range(count)]
    activity = torch.tensor(steps, dtype=torch.float32).T[None] * 8.0 - 4.0
    odds = torch.tensor([5.0, -5.0])[None, :, None, None].expand(1, 2, 2 * len(steps), MEL_BINS)
    return Masks(odds, activity)


def ordered(found: Masks) -> Masks:
    return in_order(found, initial_order(1, torch.device("cpu")))[0]


def slots_of(found: Masks) -> list[tuple[int, ...]]:
    """Return which slots are heard, without repetitions."""
    heard = [tuple(int(value > 0) for value in step) for step in found.activity[0].T]
    return [slots for slots, _ in itertools.groupby(heard)]


@pytest.mark.parametrize("slot", [A, B])
def test_the_first_voice_is_in_slot_0(slot: tuple[int, int]) -> None:
    """Whichever of its slots the separator begins with."""
    assert slots_of(ordered(masks((NONE, 20), (slot, 80)))) == [NONE, A]


def test_who_goes_on_after_a_silence_stays() -> None:
    """A voice that comes back in the separator's other slot is put where somebody spoke last."""
    assert slots_of(ordered(masks((A, 80), (NONE, 30), (B, 80)))) == [A, NONE, A]


def test_the_floor_goes_over_by_an_overlap() -> None:
    """Two who overlap are held apart, and the one who goes on keeps the slot, after silence too."""
    said = masks((A, 80), (ALL, 80), (B, 80), (NONE, 30), (A, 80))
    assert slots_of(ordered(said)) == [A, ALL, B, NONE, B]


def test_no_voice_changes_slots_by_itself() -> None:
    """While nobody overlaps it is the separator that has changed its slots, not the floor that went over."""
    assert slots_of(ordered(masks((A, 100), (B, 100)))) == [A]


def test_a_moment_is_no_overlap() -> None:
    """For some steps the separator may take one voice for two, or for the other one."""
    assert slots_of(ordered(masks((A, 100), (ALL, 4), (A, 50), (B, 4), (A, 50)))) == [A]


def test_who_talks_alone_has_all_of_the_sound() -> None:
    """Whatever its masks say: the slot of who talks alone, or did last, hears everything, the other one nothing."""
    found = ordered(masks((B, 100), (NONE, 10))).masks[0, :, :, 0]
    assert found.tolist() == [[1.0] * 220, [pytest.approx(0.0, abs=1e-8)] * 220]


def test_masks_share_out_what_two_say() -> None:
    """Where both talk the masks hold, exchanged where their slots are."""
    plain = ordered(masks((A, 100), (ALL, 100), (A, 100))).odds[0, :, 300, 0]
    exchanged = ordered(masks((B, 100), (ALL, 100), (B, 100))).odds[0, :, 300, 0]
    assert plain.tolist() == [5.0, -5.0]
    assert exchanged.tolist() == [-5.0, 5.0]


def test_gates_follow_the_owner_step_by_step() -> None:
    """Two frames belong to a step; who has the floor is as active as any slot, the other one not at all."""
    found = gated(masks((B, 1), (ALL, 1), (B, 1)), torch.tensor([[0, BOTH, 1]]))
    assert (found.odds[0, 0, :, 0] > 0).tolist() == [True, True, True, True, False, False]
    assert (found.odds[0, 1, :, 0] > 0).tolist() == [False, False, False, False, True, True]
    assert found.odds[0, :, 2, 0].tolist() == [5.0, -5.0]
    assert found.activity[0].tolist() == [[4.0, 4.0, -20.0], [-20.0, 4.0, 4.0]]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_course_is_the_cheapest_there_is(seed: int) -> None:
    """Within a window no other sequence of states explains the activity at less cost."""
    activity = torch.randn(1, 2, 4, generator=torch.Generator().manual_seed(seed)) * 12.0
    plain, quiet = COSTS.changes
    talks, still = torch.nn.functional.logsigmoid(activity[0]), torch.nn.functional.logsigmoid(-activity[0])

    def gain(course: tuple[int, ...]) -> float:
        total, before = 0.0, None
        for step, state in enumerate(course):
            change = quiet if (activity[0, :, step] < 0).all() else plain
            first = max(float(change[0, state]), float(change[1, state]))
            total += first if before is None else float(change[before, state])
            owner, crossed = divmod(state, 2)
            if owner == BOTH:
                total += COSTS.evidence * float(talks[:, step].sum()) - COSTS.together
            else:
                slot = owner ^ crossed
                one = float(talks[slot, step] + still[1 - slot, step])
                total += COSTS.evidence * max(one, float(still[:, step].sum()))
            before = state
        return total

    found, _ = in_order(
        Masks(torch.zeros(1, 2, 8, MEL_BINS), activity), initial_order(1, torch.device("cpu"))
    )
    best = max(itertools.product(range(6), repeat=4), key=gain)
    owners = [state // 2 for state in best]
    silent = [owner not in (slot, BOTH) for slot in (0, 1) for owner in owners]
    assert (found.activity[0].flatten() == -20.0).tolist() == silent


def test_pieces_equal_the_whole() -> None:
    """However a stream is cut into windows, the order is the same."""
    generator = torch.Generator().manual_seed(4)
    runs = torch.randn(3, 2, 64, generator=generator).repeat_interleave(20, -1) * 5.0
    activity = runs + torch.randn(runs.shape, generator=generator)
    odds = torch.randn(3, 2, 2 * activity.shape[-1], MEL_BINS, generator=generator)
    whole, _ = in_order(Masks(odds, activity), initial_order(3, torch.device("cpu")))
    state, parts = initial_order(3, torch.device("cpu")), []
    for begin in range(0, activity.shape[-1], WINDOW):
        end = begin + WINDOW
        found, state = in_order(Masks(odds[:, :, 2 * begin : 2 * end], activity[..., begin:end]), state)
        parts.append(found)
    assert torch.equal(torch.cat([part.odds for part in parts], 2), whole.odds)
    assert torch.equal(torch.cat([part.activity for part in parts], 2), whole.activity)
    assert whole.activity.eq(-20.0).any(2).all(1).any()  # the floor went over somewhere
