import asyncio
import io
import json
import urllib.error
import urllib.request

import anyio.to_thread
import numpy as np
import pytest
import soundfile
from serving import AUDIO, serving

from meetscribe.apps.serve.shelf import StoreArchive
from meetscribe.apps.serve.voices import Separation, ordered
from meetscribe.events import Turn
from meetscribe.testing import write_tiny_model
from meetscribe.timeline import Interval


def at(seconds):
    """Seconds in samples."""
    return round(seconds * 16_000)


def loud(*stretches, of=10.0):
    """A voice that is heard in these stretches of seconds."""
    voice = np.zeros(at(of), np.float32)
    for start, end in stretches:
        voice[at(start) : at(end)] = 0.1
    return voice


def turn(slot, start, end):
    """A turn of a slot."""
    return Turn(id=f"t{start}", slot=slot, start=at(start), end=at(end), text="word")


TURNS = [turn(0, 101.0, 104.0), turn(1, 103.0, 106.0), turn(0, 107.0, 109.0)]


@pytest.mark.parametrize("is_swapped", [False, True])
@pytest.mark.parametrize("wanted", [(103.0, 106.0), (103.0, 104.0), (107.0, 109.0)])
def test_voices_come_in_the_order_of_the_log(is_swapped, wanted):
    """Whichever slot the separator found first, the one that is heard in a turn's time is its slot's."""
    voices = np.stack([loud((1, 4), (7, 9)), loud((3, 6))])
    given = voices[::-1] if is_swapped else voices
    np.testing.assert_array_equal(ordered(given, TURNS, at(100.0), Interval(*map(at, wanted))), voices)


def test_what_matters_is_the_stretch_that_is_heard():
    """Where the separator exchanged both voices in a pause before the stretch, the stretch is right."""
    voices = np.stack([loud((1, 2), (3, 6)), loud((2, 4), (7, 9))])  # exchanged before 2.5 s
    turns = [turn(0, 101.0, 102.0), turn(1, 103.0, 106.0), turn(0, 107.0, 109.0)]
    heard = ordered(voices, turns, at(100.0), Interval(at(105.0), at(109.0)))
    np.testing.assert_array_equal(heard, voices[::-1])


async def get(server, path):
    """The status and the body of an answer."""

    def fetch():
        try:
            with urllib.request.urlopen(f"http://{server.url}/api/sessions{path}", timeout=100) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())["error"]["code"]

    return await anyio.to_thread.run_sync(fetch)


def served(tmp_path, slots):
    """A server whose meetings are transcribed with a tiny model of so many slots."""
    model = write_tiny_model(tmp_path / "models" / f"tiny-{slots}", slots=slots)
    archive = StoreArchive(tmp_path / "data")
    return serving(archive=archive, model=model.name, separation=Separation([tmp_path / "models"]))


async def spoken(server, pattern):
    """A meeting that was heard to its end."""
    async with server.client(role="both", audio=AUDIO) as speaker:
        await speaker.speak(pattern)
        await speaker.say(type="bye")
        await speaker.rest()
        return speaker.answer["session"]


def test_a_voice_is_heard_alone_where_the_model_separates(tmp_path):
    """Both slots of a stretch are sounds of its length, less than the mixture; what cannot be separated is said."""

    async def scenario():
        async with served(tmp_path, slots=2) as server:
            meeting = await spoken(server, "AbC")
            about = json.loads((await get(server, f"/{meeting}"))[1])
            assert about["audio"] == {"channels": 1, "separated": True}
            path = f"/{meeting}/audio?start=0.5&end=1.75"
            sounds = []
            for more in ("", "&slot=0", "&slot=1"):
                samples, rate = soundfile.read(io.BytesIO((await get(server, path + more))[1]))
                assert (len(samples), rate) == (at(1.25), 16_000)
                sounds.append(samples)
            mixture, first, second = sounds
            assert not np.array_equal(first, second)
            assert 0 < max(np.std(first), np.std(second)) <= np.std(mixture) * 1.01
            for wrong in ("&slot=2", "&slot=-1", "&slot=x", "&slot="):
                assert await get(server, path + wrong) == (400, "bad_field")
            (tmp_path / "models" / "tiny-2" / "weights.safetensors").write_bytes(b"damaged")
            assert await get(server, f"/{meeting}/audio?start=0&end=1&slot=0") == (500, "not_separated")
            assert (await get(server, f"/{meeting}/audio?start=0&end=1"))[0] == 200

    asyncio.run(asyncio.wait_for(scenario(), 240))  # a process that loads torch, twice


def test_a_model_without_a_separator_says_so(tmp_path):
    """Its meetings are not separated, and a voice alone is not found; nor is it where the model is here no more."""

    async def scenario():
        async with served(tmp_path, slots=1) as server:
            meeting = await spoken(server, "A")
            for _ in range(2):
                assert json.loads((await get(server, f"/{meeting}"))[1])["audio"]["separated"] is False
                assert await get(server, f"/{meeting}/audio?start=0&end=1&slot=0") == (404, "not_separated")
                (tmp_path / "models" / "tiny-1" / "model.json").unlink(missing_ok=True)

    asyncio.run(asyncio.wait_for(scenario(), 60))
