from pathlib import Path

import numpy as np
import pytest

from meetscribe.engine.batches import InProcessEngine
from meetscribe.evaluation import run
from meetscribe.evaluation.replay import NATS, Pipeline, Replay, record, replay
from meetscribe.events import TurnStart
from meetscribe.streaming.steps import StreamResult, StreamStep
from meetscribe.testing import tiny_model


@pytest.fixture(scope="module")
def audio() -> np.ndarray:
    """Bursts of noise, of no whole number of chunks."""
    rng = np.random.default_rng(3)
    loudness = np.repeat(rng.choice([0.0003, 0.3], 10), 8_000)[:-123]
    return (loudness * rng.normal(0.0, 1.0, len(loudness))).astype(np.float32)


def test_what_was_kept_is_answered_again(audio: np.ndarray, tmp_path: Path) -> None:
    """Read back from its file, a replay gives each chunk's activity, and its table to half a unit, if likely at all."""
    network = tiny_model().network
    engine, chunk = InProcessEngine(network), network.chunk_samples
    record(engine, audio, chunk).write(tmp_path / "a" / "one.npz")
    kept, states = Replay.read(tmp_path / "a" / "one.npz"), (None, None)
    for begin in range(0, len(audio), chunk):
        part = np.pad(audio[begin : begin + chunk], (0, max(0, begin + chunk - len(audio))))
        requests = [StreamStep(part, state) for state in states]
        said, again = engine.run(requests[:1])[0], kept.run(requests[1:])[0]
        assert isinstance(said, StreamResult)
        assert isinstance(again, StreamResult)
        np.testing.assert_array_equal(again.activity, said.activity)
        likely = said.scores > -12.0
        np.testing.assert_allclose(again.scores[likely], said.scores[likely], atol=NATS / 2 + 1e-5)
        states = said.state, again.state


def test_a_replay_hears_the_turns_that_were_heard(audio: np.ndarray) -> None:
    """The first pass of a replay opens its turns when the pipeline does."""
    model = tiny_model()
    pipeline = Pipeline(InProcessEngine(model.network), model.new_transcriber)
    heard = run.transcribe(pipeline, audio)
    again = replay(model, record(pipeline.engine, audio, model.network.chunk_samples))
    starts = [[event.at for event in done.events if isinstance(event, TurnStart)] for done in (heard, again)]
    assert starts[0]
    assert starts[0][0] == starts[1][0]
    assert again.heard == heard.heard
