"""`meetscribe serve` in a process that a test may kill, with tones for words: `tone_server.py DATA_DIR PORT`."""

import asyncio
import sys
from pathlib import Path

import numpy as np
from apps.web.tones import hear
from serving import serving

from meetscribe import events as ev
from meetscribe.apps.serve.inputs import Register
from meetscribe.apps.serve.shelf import StoreArchive
from meetscribe.engine.in_process import InProcessRecognition
from meetscribe.timeline import SAMPLE_RATE


class NoEngine:
    """Has nothing to run."""

    def run(self, requests):
        return list(requests)


class ToneTranscriber:
    """Emits a final for every tone; its word is the tone's number."""

    def __init__(self):
        self.samples, self.ended, self.done = np.zeros(0, np.int16), False, 0

    def receive_audio(self, samples):
        self.samples = np.concatenate([self.samples, (samples * 32767).astype(np.int16)])

    def receive_eof(self):
        self.ended = True

    def requests(self):
        return []

    def receive_result(self, result):
        raise AssertionError("nothing was asked for")

    def events(self):
        found = hear(self.samples, SAMPLE_RATE, self.ended)
        new, self.done = found[self.done :], len(found)
        return [_final(f"t{place}", *heard) for place, heard in enumerate(new, len(found) - len(new) + 1)]


def _final(name, start, end, number):
    words = (ev.Word(str(number), start, end),)
    return ev.Final(
        at=end, turn=ev.Turn(id=name, slot=0, start=start, end=end, text=str(number), words=words)
    )


async def main(data, port):
    """Serve until killed."""
    archive = StoreArchive(Path(data))
    recognition = InProcessRecognition(NoEngine(), ToneTranscriber)
    async with serving(archive=archive, recognition=recognition, port=int(port)) as server:
        for start, register in archive.interrupted():
            server.hub.resume(start, Register(register), archive.resume)
        print("ready", flush=True)
        await server.task


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
