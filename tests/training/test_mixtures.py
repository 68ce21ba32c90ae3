import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.lm.symbols import END_OF_TURN, FIRST_PHONE_SYMBOL, START_OF_TURN
from meetscribe.nn.features import HOP
from meetscribe.training.corpus import AlignedWord
from meetscribe.training.mixtures import FRAMES, MixtureBatches, collate_mixtures
from meetscribe.training.simulation.render import Mixture, SimulatedTurn
from meetscribe.training.simulation.slots import assign_slots
from meetscribe.training.targets import STEP

STEPS = 100


def turn(slot: int, start: int, end: int) -> SimulatedTurn:
    """Return a turn of one word."""
    word = AlignedWord("w", start, (FIRST_PHONE_SYMBOL, FIRST_PHONE_SYMBOL + 1), ((start + end) // 2, end))
    return SimulatedTurn(f"s{slot}", slot, start, end, (word,))


def mixture(*turns: SimulatedTurn) -> Mixture:
    """Return a mixture of tones: each slot's talkers one of their own."""
    sources = np.zeros((2, STEPS * STEP), np.float32)
    time = np.arange(STEPS * STEP) / 16_000
    for t in turns:
        sources[t.slot, t.start : t.end] = 0.1 * np.sin(
            2 * np.pi * (300 + 900 * t.slot) * time[t.start : t.end]
        )
    return Mixture(sources.sum(0), sources, turns)


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Draw turns of which never more than two overlap."""
    found: list[tuple[int, int]] = []
    start = draw(st.integers(0, 8_000))
    while start < 40_000 and len(found) < 5:
        found.append((start, start + draw(st.integers(3_000, 20_000))))
        ends = sorted(end for _, end in found)
        free = ends[-2] if len(ends) > 1 else 0
        start = max(free, found[-1][0] + 8_000) + draw(st.integers(0, 9_000))
    return found


@given(spans())
def test_the_floor_is_held_by_whoever_spoke_alone_last(drawn: list[tuple[int, int]]) -> None:
    """Frame by frame: one talker holds the floor, and keeps it in silence and while another talks too."""
    slots = assign_slots(drawn)
    made = mixture(*(turn(slot, *span) for slot, span in zip(slots, drawn, strict=True)))
    batch = collate_mixtures([made])
    talking, holder = batch.talking[0], batch.holder[0]
    last = 0
    for frame in range(STEPS * FRAMES):
        now = [
            n
            for n in (0, 1)
            if any(t.slot == n and t.start // HOP <= frame < -(-t.end // HOP) for t in made.turns)
        ]
        assert [n for n in (0, 1) if talking[n, frame]] == now
        last = now[0] if len(now) == 1 else last
        assert holder[frame] == last


def test_each_slot_has_its_turns_as_labels() -> None:
    """Row C b + n holds the symbols of slot n of mixture b, each turn between its marks."""
    first = mixture(turn(0, 6_400, 16_000), turn(1, 12_000, 30_000), turn(0, 40_000, 50_000))
    batch = collate_mixtures([first, mixture()])
    one = [START_OF_TURN, FIRST_PHONE_SYMBOL, FIRST_PHONE_SYMBOL + 1, END_OF_TURN]
    assert batch.label_counts.tolist() == [8, 4, 0, 0]
    assert batch.labels[0].tolist() == one * 2
    assert batch.labels[1, :4].tolist() == one
    assert batch.emission[1, 0] == 12_000 // STEP
    assert batch.steps.tolist() == [STEPS] * 4
    assert batch.seconds == 2 * STEPS * STEP / 16_000


def test_batches_are_a_function_of_their_number() -> None:
    """The same number gives the same batch, another one another."""
    made = [mixture(turn(0, 3_200 * i, 20_000)) for i in range(4)]
    batches = MixtureBatches(made, 2)
    again = MixtureBatches(made, 2)
    assert torch.equal(batches[1].audio, again[1].audio)
    assert not torch.equal(batches[0].audio, batches[1].audio)
