import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from meetscribe.checkpoint import load_model
from meetscribe.engine.batches import InProcessEngine
from meetscribe.errors import InputError
from meetscribe.evaluation.replay import record
from meetscribe.evaluation.segments import Segment, TimedWord
from meetscribe.streaming.search import FoundWord
from meetscribe.streaming.turns import TurnSettings
from meetscribe.testing import write_tiny_model
from meetscribe.training import turn_rules
from meetscribe.training.turn_rules import Examples, fitted, logistic, owners_of


def test_regression_finds_the_weights_that_answers_were_drawn_with() -> None:
    """From enough examples bias and weights come back, nearly; evidence that never varies gets none."""
    rng = np.random.default_rng(1)
    rows = np.c_[rng.normal(0.0, 2.0, (20_000, 2)), np.full(20_000, 7.0)]
    answers = rng.random(20_000) < 1 / (1 + np.exp(-(rows[:, :2] @ [0.8, 0.4] - 1.0)))
    assert logistic(rows.tolist(), answers.tolist()) == pytest.approx([-1.0, 0.8, 0.4, 0.0], abs=0.08)


def test_more_evidence_never_speaks_against() -> None:
    """A weight that would be negative is nothing."""
    rng = np.random.default_rng(1)
    rows = rng.normal(0.0, 1.0, (2_000, 2))
    answers = rng.random(2_000) < 1 / (1 + np.exp(-(rows @ [1.0, -0.5])))
    _, first, second = logistic(rows.tolist(), answers.tolist())
    assert first > 0.5
    assert second == 0.0


def turn(speaker: str, start: int, end: int, *words: tuple[str, int]) -> Segment:
    own = tuple(TimedWord(text, middle - 800, middle + 800) for text, middle in words)
    return Segment("x", speaker, start, end, own, 0, True)


def test_a_word_belongs_to_the_turn_that_has_it() -> None:
    """Of turns at its time those with the word count; else the nearest comes first; far from all it is nobody's."""
    one, other = turn("a", 0, 32_000, ("yes", 20_000)), turn("b", 18_000, 24_000, ("no", 20_000))
    both = [one, other]
    assert owners_of(FoundWord(0, "no", 19_500, 20_600, 0.9), both) == [other]
    assert owners_of(FoundWord(0, "so", 24_500, 25_500, 0.9), both) == [one, other]
    assert owners_of(FoundWord(0, "no", 50_000, 51_000, 0.9), both) == []


def test_too_few_examples_are_said_in_one_sentence() -> None:
    """Nothing is fitted to nothing."""
    with pytest.raises(InputError, match="--limit"):
        fitted(TurnSettings(), Examples())


def test_the_command_writes_rules_that_the_model_is_loaded_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its thresholds are among those tried, every line says what they give, and a second run hears nothing again."""
    write_tiny_model(tmp_path / "tiny")
    folder = tmp_path / "sets" / "turn-counting"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(2)
    audio = np.repeat(rng.choice([0.0003, 0.3], 60), 4_000) * rng.normal(0.0, 1.0, 240_000)
    soundfile.write(folder / "a.flac", np.clip(audio, -1, 1), 16_000)
    rows = [
        {
            "session_id": "a",
            "speaker": who,
            "start_time": start,
            "end_time": start + 1.5,
            "words": "go see",
            "slot": 0,
        }
        for who, start in (("p", 0.5), ("q", 3.0), ("p", 6.0), ("q", 9.0), ("p", 12.0))
    ]
    (folder / "reference.seglst.json").write_text(json.dumps(rows))
    answers, kinds = [False, True] * 20, rng.normal(0.0, 1.0, (40, 4))
    examples = Examples(kinds.tolist(), answers, kinds.tolist(), answers)
    monkeypatch.setattr(turn_rules, "CLOSING", (0.0, 1.0))
    monkeypatch.setattr(turn_rules, "SPLITTING", (0.5,))
    monkeypatch.setattr(turn_rules, "gather", lambda *_: examples)
    given = [
        "--model",
        str(tmp_path / "tiny"),
        "--sets",
        str(tmp_path / "sets"),
        "--kept",
        str(tmp_path / "kept"),
    ]
    options = turn_rules.parser().parse_args(given)
    assert turn_rules.main(options) == 0
    rules = load_model(tmp_path / "tiny").settings.turns
    assert rules.closing is not None
    assert rules.closing.threshold in {0.0, 1.0}
    assert capsys.readouterr().out.count("counted right") == 5
    kept = tmp_path / "kept" / "model" / "turn-counting" / "a.npz"
    written = kept.stat().st_mtime_ns
    assert turn_rules.main(options) == 0
    assert kept.stat().st_mtime_ns == written
    assert turn_rules.main(turn_rules.parser().parse_args([*given[:3], str(tmp_path), *given[4:]])) == 2


def test_silences_and_gaps_are_gathered_with_what_the_reference_says(tmp_path: Path) -> None:
    """Of turns that the reference has there are examples, as many answers as rows, each as wide as its rule."""
    model = write_tiny_model(tmp_path / "tiny", slots=1)
    rng = np.random.default_rng(2)
    audio = np.repeat(rng.choice([0.0003, 0.3], 60), 4_000) * rng.normal(0.0, 1.0, 240_000)
    engine = InProcessEngine(model.network)
    kept = record(engine, audio.astype(np.float32), model.network.chunk_samples)
    said = [turn("p", start, start + 24_000, ("go", start + 1_000)) for start in range(0, 240_000, 48_000)]
    found = turn_rules.gather(model.search, [turn_rules.Heard("x", "x", kept, said, False)], model)
    assert found.gaps
    assert {len(row) for row in found.gaps} == {4}
    assert len(found.gaps) == len(found.divided)
    assert len(found.silences) == len(found.over)
