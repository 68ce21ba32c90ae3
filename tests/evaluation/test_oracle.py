import json

import numpy as np
import pytest
import soundfile

from meetscribe.errors import InputError
from meetscribe.evaluation import oracle, rounds
from meetscribe.evaluation.controls import ORACLE
from meetscribe.evaluation.oracle import OracleEngine
from meetscribe.evaluation.rounds import Round, Task
from meetscribe.evaluation.segments import Segment
from meetscribe.events import Final
from meetscribe.streaming.steps import STEP_SAMPLES, StreamResult, StreamStep
from meetscribe.testing import tiny_network, write_tiny_model

SECONDS = 2


def noise(seed: int, *, begin: int = 0, end: int = SECONDS * 16_000) -> np.ndarray:
    """Somebody who is loud from one sample to another."""
    sound = np.zeros(SECONDS * 16_000, np.float32)
    sound[begin:end] = 0.1 * np.random.default_rng(seed).standard_normal(end - begin)
    return sound


def turn(slot: int, start: int, end: int) -> Segment:
    return Segment("x", f"p{slot}", start, end, (), slot)


def test_activity_is_where_a_slot_is_loud():
    """Each step of 40 ms counts by itself, in one slot and the other."""
    sources = np.stack([noise(1, end=16_000), noise(2, begin=8_000)])
    found = oracle.activity(sources)
    assert found.tolist() == [[1.0] * 25 + [0.0] * 25, [0.0] * 12 + [1.0] * 38]


def test_chunks_together_hear_the_recording():
    """Step by step a stream gets features, tables and activity of two slots, beyond the recording's end too."""
    network = tiny_network(slots=1)
    sources = np.stack([noise(1, end=20_000), noise(2, begin=12_000)])
    turns = [turn(0, 0, 20_000), turn(1, 12_000, 32_000)]
    engine, state, results = OracleEngine(network, sources.sum(0), sources, turns), None, []
    for _ in range(-(-sources.shape[1] // network.chunk_samples)):
        (result,) = engine.run([StreamStep(np.zeros(network.chunk_samples, np.float32), state)])
        assert isinstance(result, StreamResult)
        results.append(result)
        state = result.state
    features = np.concatenate([result.features for result in results], 1)
    assert features.shape[1] * 160 >= sources.shape[1]
    assert np.array_equal(features[:, :200], engine._features[:, :200].numpy())
    assert results[0].scores.shape[:2] == (2, network.chunk_samples // STEP_SAMPLES)
    assert {result.activity.shape for result in results} == {(2, network.chunk_samples // STEP_SAMPLES)}


def test_the_control_runs_on_a_set_with_its_sources(tmp_path):
    """With the slots beside the recordings of a set any model is run; without them a sentence says what to do."""
    write_tiny_model(tmp_path / "tiny", slots=1)
    folder = tmp_path / "set"
    (folder / "slots").mkdir(parents=True)
    sources = np.stack([noise(1, end=20_000), noise(2, begin=12_000)])
    soundfile.write(folder / "a.flac", sources.sum(0), 16_000)
    soundfile.write(folder / "slots" / "a.flac", sources.T, 16_000)
    row = {"session_id": "a", "speaker": "p", "slot": 0, "start_time": 0.0, "end_time": 1.0, "words": "go"}
    (folder / "reference.seglst.json").write_text(json.dumps([row]))
    around = Round(tmp_path / "tiny", tmp_path / "kept")
    (done,) = around.run([Task("a", folder / "a.flac")], ORACLE, print)
    assert done.heard == SECONDS
    assert {event.turn.slot for event in done.events if isinstance(event, Final)} <= {0, 1}
    (folder / "slots" / "a.flac").unlink()
    rounds._with_oracle.cache_clear()
    soundfile.write(folder / "a.flac", noise(4), 16_000)
    rounds._sum_of.cache_clear()
    with pytest.raises(InputError, match="scripts/simulate"):
        around.run([Task("a", folder / "a.flac")], ORACLE, print)
