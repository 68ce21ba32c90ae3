import json
import lzma
from pathlib import Path

import numpy as np
import pytest

from meetscribe.training.simulation.turntaking import TurnTaking, draw, draw_samples

CORPUS = Path(__file__).parents[4] / "shared" / "corpus"
LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


@pytest.mark.parametrize("name", ["floor", "embedded", "transfer", "pause", "place"])
def test_what_is_drawn_has_the_quantiles_of_the_table(name: str):
    """Half of the numbers drawn lie below the median, and so on."""
    table = getattr(TurnTaking(), name)
    rng = np.random.default_rng(0)
    drawn = [draw(table, rng) for _ in range(20_000)]
    for level, value in zip(LEVELS, table[1:-1], strict=True):
        assert np.mean(np.array(drawn) < value) == pytest.approx(level, abs=0.02)
    assert table[0] <= min(drawn) <= max(drawn) <= table[-1]


def test_times_are_drawn_in_samples():
    """A table in seconds gives samples at 16 kHz."""
    assert draw_samples((2.0,) * 11, np.random.default_rng(0)) == 32_000


@pytest.mark.corpus
@pytest.mark.skipif(not (CORPUS / "turns.jsonl.xz").is_file(), reason="needs the corpus in ../shared")
def test_the_table_is_what_the_turns_of_the_measured_meetings_say():
    """The floor's turns, those inside them, transfers and pauses, counted anew from all turns of 131 meetings."""
    floor, embedded, transfer, pause, place = [], [], [], [], []
    with lzma.open(CORPUS / "turns.jsonl.xz", "rt") as lines:
        for line in lines:
            holder = None
            for speaker, start, end, _ in json.loads(line)["turns"]:
                if holder and end <= holder[2] and speaker != holder[0]:
                    embedded.append(end - start)
                    place.append((start - holder[1]) / (holder[2] - holder[1]))
                    continue
                floor.append(end - start)
                if holder:
                    (pause if speaker == holder[0] else transfer).append(start - holder[2])
                holder = (speaker, start, end)
    habits = TurnTaking()
    measured = {"floor": floor, "embedded": embedded, "transfer": transfer, "pause": pause, "place": place}
    for name, values in measured.items():
        table = getattr(habits, name)[1:-1]
        assert np.allclose(np.quantile(values, LEVELS), table, atol=0.02), name
    assert len(pause) / (len(pause) + len(transfer)) == pytest.approx(habits.same_speaker, abs=0.005)
    assert len(embedded) / sum(floor) == pytest.approx(habits.embedded_rate, abs=0.005)
