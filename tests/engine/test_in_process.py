"""The network in the caller's process: which thread runs it."""

import asyncio
import threading

import numpy as np
from fakes import LoudnessEngine, LoudnessTranscriber

from meetscribe.engine.in_process import InProcessRecognition
from meetscribe.lm.wording import Wording
from meetscribe.timeline import SAMPLE_RATE


class ThreadsSeen(LoudnessEngine):
    """Notes which threads run it."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def run(self, requests):
        self.seen.add(threading.get_ident())
        return super().run(requests)


def test_all_streams_run_in_one_thread_beside_the_event_loop():
    """Whatever others do meanwhile, and however text is to be written: each thread keeps memory of its own."""
    engine = ThreadsSeen()

    async def hear():
        usual = InProcessRecognition(engine, LoudnessTranscriber)
        streams = [await usual.open(), await usual.worded(Wording()).open()]
        for _ in range(10):
            await asyncio.gather(*(asyncio.to_thread(int) for _ in range(8)))  # busy threads of others
            for stream in streams:
                await stream.feed(np.ones(SAMPLE_RATE, np.float32))

    asyncio.run(hear())
    assert len(engine.seen) == 1
    assert threading.get_ident() not in engine.seen
