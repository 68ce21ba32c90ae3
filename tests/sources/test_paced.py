import asyncio

import numpy as np
import pytest
from fakes import ListSource, speech

from meetscribe.session.ports import Block
from meetscribe.sources.paced import PacedSource


def test_pacing_changes_nothing_but_the_time():
    """The audio is the same, in small blocks that follow each other, and not ahead of its time."""
    audio = speech("Ab")
    paced = PacedSource(ListSource([(0, audio[:9_000]), (9_000, audio[9_000:])]), speed=20)

    async def collect():
        clock = asyncio.get_running_loop()
        began = clock.time()
        return [(clock.time() - began, b) async for b in paced.blocks() if isinstance(b, Block)]

    came = asyncio.run(collect())
    np.testing.assert_array_equal(np.concatenate([block.samples for _, block in came]), audio)
    position = 0
    for time, block in came:
        assert block.position == position
        assert len(block.samples) <= 1_600
        position += len(block.samples)
        assert time >= position / (16_000 * 20) - 0.001


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_speed_is_positive_and_finite(speed):
    """Other speeds are refused."""
    with pytest.raises(ValueError, match="positive"):
        PacedSource(ListSource([]), speed)
