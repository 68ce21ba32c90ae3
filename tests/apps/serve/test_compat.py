"""The real clients of other services, against this server."""

import asyncio
import io
import json
from typing import Any

import numpy as np
import openai
import pytest
import soundfile
import websockets
from deepgram import AsyncDeepgramClient
from deepgram.core.events import EventType
from fakes import LoudnessEngine, LoudnessTranscriber, speech
from serving import asynchronous, serving

from meetscribe.apps.serve.limits import Limits
from meetscribe.engine.in_process import InProcessRecognition

TOKEN = "a token that is long enough"


def recording(pattern="AbC", rate=16_000):
    file = io.BytesIO()
    soundfile.write(file, speech(pattern), rate, format="WAV", subtype="PCM_16")
    file.name = "meeting.wav"
    file.seek(0)
    return file


def frames(pattern, seconds=0.2):
    data = (speech(pattern)[:, 0] * 32767).astype("<i2").tobytes()
    size = int(seconds * 32_000)
    return [data[at : at + size] for at in range(0, len(data), size)]


@asynchronous
async def test_vosks_example_gets_a_reply_for_every_frame():
    """The messages of vosk-server's test.py, on its port: config, frames of 0.2 s in lock-step, eof."""
    replies = []
    async with serving() as server, websockets.connect(f"ws://127.0.0.1:{server.vosk_port}") as socket:
        await socket.send('{ "config" : { "sample_rate" : 16000 } }')
        for frame in frames("AbC"):
            await socket.send(frame)
            replies.append(json.loads(await socket.recv()))
        await socket.send('{"eof" : 1}')
        last = json.loads(await socket.recv())
        await socket.wait_closed()
    assert len(replies) == 15
    results = [reply for reply in replies if "text" in reply]
    assert [result["text"] for result in results] + [last["text"]] == ["1", "3", ""] or last["text"] == "3"
    assert results[0]["result"] == [{"conf": 1.0, "start": 0.0, "end": 1.0, "word": "1"}]
    assert all(set(reply) == {"partial"} for reply in replies if "text" not in reply)
    assert socket.close_code == 1000


@asynchronous
async def test_reset_finishes_what_was_said_and_the_socket_stays():
    """After a reset, whatever the spaces in it, the next words follow on the same socket."""
    async with serving() as server, websockets.connect(f"ws://{server.url}/vosk") as socket:
        said = []
        for pattern, end in (("A", '{"reset":1}'), ("b", '{"eof":1}')):
            await socket.send(frames(pattern, 0.5)[0])
            said.append(json.loads(await socket.recv()))
            await socket.send(end)
            said.append(json.loads(await socket.recv()))
    assert said == [{"partial": ""}, said[1], {"partial": ""}, {"text": ""}]
    assert said[1]["text"] == "1"


@pytest.mark.parametrize("rate", [8_000, 44_100])
@pytest.mark.parametrize("config", [{"words": True}, {"words": False}, {"words": 1, "max_alternatives": 3}])
def test_vosks_settings(rate, config):
    """A telephone's rate, words or none, alternatives: as a client of vosk asks for them, in the meeting's time."""

    @asynchronous
    async def scenario():
        sound = np.interp(np.arange(3 * rate) / rate, np.arange(48_000) / 16_000, speech("AbC")[:, 0])
        data = (sound * 32767).astype("<i2").tobytes()
        async with serving() as server, websockets.connect(f"ws://{server.url}/vosk") as socket:
            settings = {"sample_rate": float(rate), "phrase_list": ["zero"], "model": "other"} | config
            await socket.send(json.dumps({"config": settings}))
            texts = []
            for at in range(0, len(data), rate // 5 * 2):
                await socket.send(data[at : at + rate // 5 * 2])
                texts.append(json.loads(await socket.recv()))
            await socket.send('{"eof":1}')
            texts.append(json.loads(await socket.recv()))
        results = [text for text in texts if text.get("text") or "alternatives" in text]
        if config.get("max_alternatives"):
            results = [one for result in results for one in result["alternatives"] if one["text"]]
        assert [result["text"] for result in results] == ["1", "3"]
        starts = [word["start"] for result in results for word in result.get("result", ())]
        assert starts == ([0.0, 2.0] if config["words"] else [])

    scenario()


@asynchronous
async def test_deepgrams_channels_each_have_results():
    """`multichannel`: each channel is transcribed by itself; without `interim_results` only finals come."""
    said: list[Any] = []
    two = np.concatenate([speech("Ab"), speech("bC")], axis=1)  # one speaks in each
    query = "encoding=linear16&sample_rate=16000&channels=2&multichannel=true&utterance_end_ms=1000"
    query += "&endpointing=300&punctuate=true&smart_format=true&model=nova-3&language=en"
    async with serving() as server, websockets.connect(f"ws://{server.url}/v1/listen?{query}") as socket:
        for part in (two * 32767).astype("<i2").reshape(-1, 3200, 2):
            await socket.send(part.tobytes())
        await socket.send('{"type": "CloseStream"}')
        said += [json.loads(message) async for message in socket]
    results = [message for message in said if message["type"] == "Results"]
    assert all(result["is_final"] and result["speech_final"] for result in results)
    shown = {tuple(one["channel_index"]): one["channel"]["alternatives"][0]["transcript"] for one in results}
    assert shown == {(0, 2): "1", (1, 2): "2"}
    ends = [message for message in said if message["type"] == "UtteranceEnd"]
    assert [(end["channel"], end["last_word_end"]) for end in ends] == [([0, 2], 1.0), ([1, 2], 2.0)]
    assert (said[-1]["type"], said[-1]["channels"], said[-1]["duration"]) == ("Metadata", 2, 2.0)


@pytest.mark.parametrize(
    "query", ["", "encoding=mulaw", "encoding=linear16", "encoding=linear16&sample_rate=x"]
)
def test_audio_that_deepgrams_clients_must_not_send(query):
    """What cannot be read is refused in the handshake, with a sentence in Deepgram's shape."""

    @asynchronous
    async def scenario():
        async with serving() as server:
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.connect(f"ws://{server.url}/v1/listen?{query}")
        assert refused.value.response.status_code == 400
        answer = json.loads(refused.value.response.body)
        assert "linear16" in answer["err_msg"] or "sample_rate" in answer["err_msg"]

    scenario()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of websockets' names, in Deepgram's client
@asynchronous
async def test_deepgrams_sdk_gets_results_and_metadata():
    """Deepgram's own client speaks, is told interim and final results, finalizes, and closes in good order."""
    async with serving(token=TOKEN) as server:
        client = AsyncDeepgramClient(api_key=TOKEN, environment=environment(server))
        said = []
        options: Any = {"model": "nova-3", "encoding": "linear16", "sample_rate": "16000", "channels": "1"}
        options |= {"interim_results": "true", "diarize": "true", "vad_events": "true"}
        async with client.listen.v1.connect(**options) as connection:
            connection.on(EventType.MESSAGE, said.append)
            listening = asyncio.create_task(connection.start_listening())
            await connection.send_keep_alive()
            for frame in frames("AbC", 0.5):
                await connection.send_media(frame)
            await connection.send_finalize()
            await connection.send_close_stream()
            await asyncio.wait_for(listening, 10)
    results = [message for message in said if message.type == "Results"]
    finals = [result for result in results if result.is_final and result.channel.alternatives[0].transcript]
    assert [result.channel.alternatives[0].transcript for result in finals] == ["1", "3"]
    word = finals[1].channel.alternatives[0].words[0]
    assert (word.word, word.start, word.end, word.speaker) == ("3", 2.0, 3.0, 0.0)
    assert any(not result.is_final for result in results)
    assert any(result.from_finalize for result in results)
    assert said[-1].type == "Metadata"
    assert said[-1].duration == 3.0


def environment(server):
    from deepgram.environment import DeepgramClientEnvironment

    http, socket = f"http://{server.url}", f"ws://{server.url}"
    return DeepgramClientEnvironment(base=http, production=socket, agent=socket, agent_rest=http)


@asynchronous
async def test_openais_sdk_transcribes_a_file_in_every_format():
    """OpenAI's own client gets each response format, the stream of events, the models, and errors as its exceptions."""
    async with serving(token=TOKEN) as server:
        client = openai.AsyncOpenAI(api_key=TOKEN, base_url=f"http://{server.url}/v1", max_retries=0)

        async def create(form, **more):
            wanted = {"model": "whisper-1", "response_format": form} | more
            return await client.audio.transcriptions.create(file=recording(), **wanted)

        assert (await create("json")).text == "1 3"
        assert await create("text") == "1 3\n"
        assert "00:00:02,000 --> 00:00:03,000" in await create("srt")
        assert (await create("vtt")).startswith("WEBVTT")
        verbose = await create("verbose_json", timestamp_granularities=["word", "segment"])
        assert [(word.word, word.start) for word in verbose.words] == [("1", 0.0), ("3", 2.0)]
        assert [segment.text for segment in verbose.segments] == ["1", "3"]
        diarized = await create("diarized_json", model="gpt-4o-transcribe-diarize")
        assert [(segment.speaker, segment.text) for segment in diarized.segments] == [("A", "1"), ("A", "3")]
        events = [event async for event in await create("json", stream=True)]
        assert [event.type for event in events] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
        assert [model.id async for model in client.models.list()] == ["fake"]
        for wrong, error, said in (
            ({"model": "no-such-model"}, openai.NotFoundError, "this server has fake"),
            ({"file": io.BytesIO(b"no audio")}, openai.BadRequestError, "no audio that can be read"),
            ({"response_format": "nonsense"}, openai.BadRequestError, "choose one of json, text"),
            (
                {"timestamp_granularities": ["chapter"]},
                openai.BadRequestError,
                "choose word, segment or both",
            ),
        ):
            wanted: Any = {"model": "whisper-1", "file": recording()} | wrong
            with pytest.raises(error, match=said):
                await client.audio.transcriptions.with_raw_response.create(**wanted)
        with pytest.raises(openai.NotFoundError, match="not offered here"):
            await client.embeddings.create(model="whisper-1", input="x")
        await client.close()


@asynchronous
async def test_a_file_that_is_too_large_is_refused():
    """OpenAI's client gets the status 413 and the bound; a smaller file is transcribed afterwards."""
    async with serving(limits=Limits(upload=1 << 20, grace=5.0)) as server:
        client = openai.AsyncOpenAI(api_key="any", base_url=f"http://{server.url}/v1", max_retries=0)
        with pytest.raises(openai.APIStatusError, match="larger than 1 MiB") as refused:
            await client.audio.transcriptions.create(model="whisper-1", file=recording("A" * 40))
        assert refused.value.status_code == 413
        assert (await client.audio.transcriptions.create(model="whisper-1", file=recording("A"))).text == "1"
        await client.close()


@asynchronous
async def test_files_beyond_the_bound_are_refused_also_while_others_stream():
    """So many files may be here at once, however their transcripts are sent; one more gets 503, later it is taken."""
    going_on = asyncio.Event()

    class Stuck(InProcessRecognition):
        async def open(self, start=0, label=""):
            await going_on.wait()
            return await super().open(start, label)

    stuck = Stuck(LoudnessEngine(), LoudnessTranscriber)
    async with serving(limits=Limits(uploads=1, grace=5.0), recognition=stuck) as server:
        client = openai.AsyncOpenAI(api_key="any", base_url=f"http://{server.url}/v1", max_retries=0)

        async def create():
            events = await client.audio.transcriptions.create(
                model="whisper-1", file=recording("A"), stream=True
            )
            return [event.type async for event in events]

        here = [asyncio.create_task(create()) for _ in range(9)]
        while True:
            with pytest.raises(openai.APIStatusError) as refused:
                await asyncio.wait_for(client.audio.transcriptions.create(model="x", file=recording("A")), 5)
            if refused.value.status_code == 503:
                break
        going_on.set()
        told = ["transcript.text.delta", "transcript.text.done"]
        assert await asyncio.gather(*here) == [told] * 9
        await client.close()


@asynchronous
async def test_other_services_clients_need_the_token_in_the_handshake():
    """Without it, or with a wrong one, a socket is refused with 401 and a request too."""
    async with serving(token=TOKEN) as server:
        for path in ("/vosk", "/v1/listen?encoding=linear16&sample_rate=16000"):
            for headers in ({}, {"Authorization": "Token wrong"}):
                with pytest.raises(websockets.InvalidStatus) as refused:
                    await websockets.connect(f"ws://{server.url}{path}", additional_headers=headers)
                assert refused.value.response.status_code == 401
