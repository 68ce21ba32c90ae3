import signal

import numpy as np
from fakes import speech
from killable import Killable
from serving import AUDIO, asynchronous

STREAM = AUDIO | {"stream": "stream-0001", "position": 0, "name": "browser"}


class Ring:
    """What a client keeps of its audio: everything, to be sent again from any position."""

    def __init__(self, pattern):
        self.samples = (speech(pattern)[:, 0] * 32767).astype("<i2")

    async def send(self, client, begin, end):
        for at in range(begin, end, 1600):
            part = self.samples[at : min(at + 1600, end)]
            await client.socket.send(np.uint64(at).tobytes() + part.tobytes())


def test_a_killed_server_goes_on_where_it_was(tmp_path):
    """Nothing acknowledged is asked for again, nothing spoken is lost, and a listener gets each event exactly once."""

    @asynchronous
    async def scenario():
        server, ring = Killable(tmp_path), Ring("AbCdEfGh")
        await server.start()
        async with server.client("/ws/new", role="both", audio=STREAM) as speaker:
            path = f"/ws/{speaker.answer['session']}"
            await ring.send(speaker, 0, 56_000)
            seen = [await speaker.hear("final") for _ in range(1)]
            acknowledged = (await speaker.hear("audio_ack"))["position"]
            await server.end(signal.SIGKILL)
        await server.start()
        async with server.client(path, role="both", after_seq=seen[-1]["seq"], audio=STREAM) as speaker:
            position = speaker.answer["audio"]["position"]
            assert acknowledged <= position <= 56_000
            await ring.send(speaker, position, len(ring.samples))
            await speaker.say(type="bye")
            seen += await speaker.rest()
        async with server.client(path) as late:
            everything = [message for message in await late.rest() if "seq" in message]
        await server.end(signal.SIGTERM)
        finals = [message for message in seen if message["type"] == "final"]
        assert finals == [message for message in everything if message["type"] == "final"]
        assert [(turn["start"], turn["end"]) for turn in (final["turn"] for final in finals)] == [
            (0.0, 1.0),
            (2.0, 3.0),
            (4.0, 5.0),
            (6.0, 7.0),
        ]
        assert [message["seq"] for message in everything] == list(range(1, len(everything) + 1))
        assert everything[-1]["type"] == "end"
        assert everything[-1]["duration"] == 8.0
        assert not any(message["type"] == "gap" for message in everything)

    scenario()
