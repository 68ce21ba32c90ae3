import asyncio

import numpy as np
from fakes import FlakyRecognition, speech

from meetscribe.apps.giving_way import BEHIND, GivingWay
from meetscribe.events import Final


def test_a_stream_waits_while_the_other_meeting_is_behind():
    """It is given nothing until the meeting that goes on has caught up, and then hears what it always does."""
    behind = BEHIND + 1

    async def scene():
        nonlocal behind
        stream = await GivingWay(FlakyRecognition(), lambda: behind).open()
        parts = iter(np.split(speech("Ab")[:, 0], 2))
        feeding = asyncio.create_task(stream.feed(next(parts)))
        await asyncio.wait({feeding}, timeout=0.5)
        waited = not feeding.done()
        behind = BEHIND
        await feeding
        await stream.feed(next(parts))
        await stream.finish()
        said = [event async for event in stream.events()]
        return waited, stream.heard, [event.turn.text for event in said if isinstance(event, Final)]

    assert asyncio.run(scene()) == (True, 32_000, ["1"])
