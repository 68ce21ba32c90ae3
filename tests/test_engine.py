import numpy as np

from meetscribe.engine import MOST_AT_ONCE, InProcessEngine
from meetscribe.streaming.steps import STEP_SAMPLES, StepRequest, StreamStep, WholeStep
from meetscribe.testing import tiny_network


def noise(samples: int, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).normal(0, 0.1, samples)).astype(np.float32)


def test_batching_changes_nothing() -> None:
    """Steps of many streams and pieces of many lengths give, all at once, what they give one by one."""
    network = tiny_network()
    engine = InProcessEngine(network)
    chunk = network.chunk_samples
    old = engine.run([StreamStep(noise(chunk, 0), None)])[0].state
    requests: list[StepRequest] = [
        StreamStep(noise(chunk, seed), old if seed % 3 else None) for seed in range(MOST_AT_ONCE + 3)
    ]
    requests[2:2] = [WholeStep(noise(STEP_SAMPLES * count, count)) for count in (5, 9, 2)]
    together = engine.run(requests)
    for request, result in zip(requests, together, strict=True):
        alone = engine.run([request])[0]
        assert result.scores.shape == alone.scores.shape
        np.testing.assert_allclose(result.scores, alone.scores, atol=1e-4)


def test_a_stream_goes_on_from_its_state() -> None:
    """Two steps, the second with the first's state, are the whole of both in chunks."""
    network = tiny_network()
    engine = InProcessEngine(network)
    audio = noise(2 * network.chunk_samples, 5)
    first = engine.run([StreamStep(audio[: network.chunk_samples], None)])[0]
    second = engine.run([StreamStep(audio[network.chunk_samples :], first.state)])[0]
    fresh = engine.run([StreamStep(audio[network.chunk_samples :], None)])[0]
    assert np.abs(second.scores - fresh.scores).max() > 1e-3
    whole = engine.run([WholeStep(audio)])[0]
    assert whole.scores.shape[0] == first.scores.shape[0] + second.scores.shape[0]
