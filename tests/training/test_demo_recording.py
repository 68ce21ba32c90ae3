import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

import meetscribe

demo = pytest.importorskip("meetscribe.training.demo_recording", reason="pocketsphinx (extra `train`)")
FOLDER = Path(meetscribe.__file__).parent / "demo"


def _line(speaker: str, gap: float) -> object:
    return demo.Line(speaker, gap, "hello")


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=5), st.integers(200, 1000))
def test_mixed_turns_stand_where_the_reference_says(gaps, length):
    """Each turn's audio lies at its reference time, and turns follow each other by their gaps."""
    spoken = [demo.Spoken(_line("Anna", gap / 1000), np.full(length, 0.5, np.float32)) for gap in gaps]
    audio, rows = demo.mix(spoken, np.random.default_rng(0))
    previous = 0.0
    for row, gap in zip(rows, gaps, strict=True):
        assert row["start_time"] == pytest.approx(previous + gap / 1000, abs=0.002)
        inside = audio[round(row["start_time"] * 16000) + 16 : round(row["end_time"] * 16000) - 16]
        assert inside.mean() == pytest.approx(0.5, abs=0.01)
        previous = row["end_time"]


def test_negative_gaps_overlap():
    """A turn with a negative gap starts before the one before it ends."""
    spoken = [demo.Spoken(_line("Anna", gap), np.full(16000, 0.1, np.float32)) for gap in (0.5, -0.3)]
    _, rows = demo.mix(spoken, np.random.default_rng(0))
    assert rows[1]["start_time"] < rows[0]["end_time"]


def test_long_pauses_inside_a_line_are_cut():
    """A second of quiet inside speech becomes 0.3 s; the speech around it stays."""
    speech = np.ones(1000, np.float32)
    audio = np.concatenate([speech, np.zeros(16000, np.float32), speech])
    assert len(demo.without_long_pauses(audio)) == 2000 + 4800


def _reference() -> list[dict]:
    return json.loads((FOLDER / "reference.seglst.json").read_text())


def test_the_shipped_recording_matches_its_reference():
    """The bundled files belong together: as long as the dialogue, speech in turns, quiet between them."""
    audio, rate = soundfile.read(FOLDER / "recording.flac")
    rows = _reference()
    assert rate == 16000
    assert [row["words"] for row in rows] == [line.text for line in demo.DIALOGUE]
    assert len({row["speaker"] for row in rows}) == 3
    speech = np.zeros(len(audio), dtype=bool)
    for row in rows:
        speech[round(row["start_time"] * rate) : round(row["end_time"] * rate)] = True
    assert np.sqrt((audio[speech] ** 2).mean()) > 30 * np.sqrt((audio[~speech] ** 2).mean())
    assert 40 <= len(audio) / rate <= 60


def test_the_shipped_recording_has_two_but_never_three_at_once():
    """Two voices share a third of half a minute, now for seconds, now for a word; three never talk at once."""
    rows = _reference()
    talking = np.zeros(6000, dtype=int)  # of 10 ms
    for row in rows:
        talking[round(100 * row["start_time"]) : round(100 * row["end_time"])] += 1
    assert talking.max() == 2
    assert 0.3 <= (talking[1000:4000] == 2).mean() <= 0.4
    inside = [
        row
        for row in rows
        if any(o["start_time"] < row["start_time"] and row["end_time"] < o["end_time"] for o in rows)
    ]
    assert len(inside) >= 3


def test_each_row_of_the_shipped_reference_is_a_turn():
    """A speaker's next row comes more than half a second after the last: by the rule of turns they stay two."""
    ends: dict[str, float] = {}
    for row in _reference():
        assert row["start_time"] - ends.get(row["speaker"], -1.0) > 0.5
        ends[row["speaker"]] = row["end_time"]
