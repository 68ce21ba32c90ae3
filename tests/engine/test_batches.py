from typing import cast

import numpy as np
import pytest
import torch

from meetscribe.engine.batches import MOST_AT_ONCE, InProcessEngine
from meetscribe.streaming.steps import (
    STEP_FRAMES,
    StepRequest,
    StreamResult,
    StreamStep,
    VoiceResult,
    WholeResult,
    WholeStep,
)
from meetscribe.testing import tiny_network


def noise(samples: int, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).normal(0, 0.1, samples)).astype(np.float32)


def features(steps: int) -> np.ndarray:
    return np.random.default_rng(steps).normal(5, 2, (STEP_FRAMES * steps, 80)).astype(np.float32)


def stream(engine: InProcessEngine, request: StreamStep) -> StreamResult:
    (result,) = engine.run([request])
    assert isinstance(result, StreamResult)
    return result


@pytest.mark.parametrize("slots", [1, 2])
def test_batching_changes_nothing(slots: int) -> None:
    """Steps of many streams and pieces of many lengths give, all at once, what they give one by one."""
    network = tiny_network(slots=slots)
    engine = InProcessEngine(network)
    chunk = network.chunk_samples
    old = stream(engine, StreamStep(noise(chunk, 0), None)).state
    requests: list[StepRequest] = [
        StreamStep(noise(chunk, seed), old if seed % 3 else None) for seed in range(MOST_AT_ONCE + 3)
    ]
    requests[2:2] = [WholeStep(features(count)) for count in (5, 9, 2)]
    together = engine.run(requests)
    for request, result in zip(requests, together, strict=True):
        (alone,) = engine.run([request])
        assert not isinstance(result, VoiceResult)
        assert not isinstance(alone, VoiceResult)
        assert result.scores.shape == alone.scores.shape
        np.testing.assert_allclose(result.scores, alone.scores, atol=1e-4)
        if isinstance(result, StreamResult) and isinstance(alone, StreamResult):
            np.testing.assert_allclose(result.activity, alone.activity, atol=1e-5)
            np.testing.assert_allclose(result.features, alone.features, atol=1e-4)


@pytest.mark.parametrize("slots", [1, 2])
def test_every_slot_has_scores_activity_and_features(slots: int) -> None:
    """A step answers for each slot with tables, a probability for each step, and four frames for each step."""
    network = tiny_network(slots=slots)
    result = stream(InProcessEngine(network), StreamStep(noise(network.chunk_samples, 3), None))
    steps = network.chunk_samples // network.stride
    assert result.scores.shape == (slots, steps, 81, 81)
    assert result.activity.shape == (slots, steps)
    assert ((result.activity >= 0) & (result.activity <= 1)).all()
    assert result.features.shape == (slots, STEP_FRAMES * steps, 80)
    np.testing.assert_allclose(np.exp(result.scores).sum(-1), 1.0, atol=1e-4)


def test_a_stream_goes_on_from_its_state() -> None:
    """A step depends on the state that it is given, and a slot's features can be scored again as a whole."""
    network = tiny_network()
    engine = InProcessEngine(network)
    audio = noise(2 * network.chunk_samples, 5)
    first = stream(engine, StreamStep(audio[: network.chunk_samples], None))
    second = stream(engine, StreamStep(audio[network.chunk_samples :], first.state))
    fresh = stream(engine, StreamStep(audio[network.chunk_samples :], None))
    assert np.abs(second.scores - fresh.scores).max() > 1e-3
    pieces = np.concatenate([first.features, second.features], 1)
    wholes = engine.run([WholeStep(piece) for piece in pieces])
    assert all(isinstance(whole, WholeResult) for whole in wholes)
    assert all(
        len(cast(WholeResult, whole).scores) == first.scores.shape[1] + second.scores.shape[1]
        for whole in wholes
    )


@pytest.mark.parametrize("slots", [1, 2])
def test_streams_of_different_ages_keep_their_states_apart(slots: int) -> None:
    """After a batch of an old and a new stream each has the state that it would have had alone."""
    network = tiny_network(slots=slots)
    engine, chunk = InProcessEngine(network), network.chunk_samples
    old = stream(engine, StreamStep(noise(chunk, 1), None)).state
    requests = [StreamStep(noise(chunk, 2), old), StreamStep(noise(chunk, 3), None)]
    for request, result in zip(requests, engine.run(requests), strict=True):
        assert isinstance(result, StreamResult)
        alone = tensors(stream(engine, request).state)
        for part, expected in zip(tensors(result.state), alone, strict=True):
            torch.testing.assert_close(part, expected, atol=1e-4, rtol=0)


def tensors(state: object) -> list[torch.Tensor]:
    if isinstance(state, torch.Tensor):
        return [state]
    assert isinstance(state, tuple)
    return [tensor for part in state for tensor in tensors(part)]
