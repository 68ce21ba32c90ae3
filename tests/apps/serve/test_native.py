import asyncio
import contextlib
import json

import pytest
import websockets
from serving import AUDIO, asynchronous, serving

from meetscribe.apps.serve.messages import MessageError, parse


async def answered(socket):
    """Give what a server says until it closes the socket."""
    with contextlib.suppress(websockets.ConnectionClosed):
        while True:
            yield await asyncio.wait_for(socket.recv(), 10)


def texts(messages):
    return [message["turn"]["text"] for message in messages if message["type"] == "final"]


@asynchronous
async def test_a_client_speaks_and_another_listens():
    """Audio of one client becomes the transcript of all; the meeting ends when its audio has said bye."""
    async with serving() as server, server.client(role="both", audio=AUDIO, title="Stand-up") as speaker:
        name = speaker.answer["session"]
        assert name.endswith("-stand-up")
        async with server.client(f"/ws/{name}") as listener:
            await speaker.speak("AbC")
            await speaker.say(type="bye")
            heard, seen = await asyncio.gather(listener.rest(), speaker.rest())
    assert texts(heard) == texts(seen) == ["1", "3"]
    durable = [message["seq"] for message in heard if "seq" in message]
    assert durable == list(range(1, len(durable) + 1))
    assert heard[-1]["type"] == "end"
    assert listener.socket.close_code == speaker.socket.close_code == 1000


@asynchronous
async def test_each_meeting_listens_for_its_own_hot_words():
    """Hot words of a client's first message are those of the meeting that it begins, and of no other."""
    async with (
        serving() as server,
        server.client(role="both", audio=AUDIO, hotwords=["Ada"]) as one,
        server.client(role="both", audio=AUDIO) as other,
    ):
        for speaker in (one, other):
            await speaker.speak("A")
            await speaker.say(type="bye")
        heard = await asyncio.gather(one.rest(), other.rest())
    assert [texts(messages) for messages in heard] == [["Ada 1"], ["1"]]


@pytest.mark.parametrize("wrong", ["Ada", [1], ["北京"], ["name"] * 201])
def test_hot_words_that_cannot_be_listened_for_are_refused(wrong):
    """A list that is none, too long, or has what cannot be said is a bad field."""
    hello = {"type": "hello", "version": 1, "role": "listen", "hotwords": wrong}
    with pytest.raises(MessageError, match="`hotwords` must be") as refused:
        parse(json.dumps(hello))
    assert refused.value.code == "bad_field"


@asynchronous
async def test_a_client_that_comes_back_gets_what_it_missed():
    """With the last seq a client gets every later durable event once; a meeting of the past is replayed and closed."""
    async with serving() as server, server.client(role="both", audio=AUDIO) as speaker:
        path = f"/ws/{speaker.answer['session']}"
        await speaker.speak("Ab")
        first = await speaker.hear("final")
        await speaker.speak("C")
        await speaker.say(type="bye")
        everything = await speaker.rest()
        async with server.client(path, after_seq=first["seq"]) as again:
            missed = await again.rest()
    assert again.answer["live"] is False
    assert missed == [message for message in everything if message.get("seq", 0) > first["seq"]]
    assert again.socket.close_code == 1000


@asynchronous
async def test_without_after_seq_a_snapshot_stands_for_the_past():
    """Who says no after_seq gets the meeting so far as one document, and only newer events."""
    async with serving() as server, server.client(role="both", audio=AUDIO) as speaker:
        await speaker.speak("Ab")
        await speaker.hear("final")
        async with server.client(f"/ws/{speaker.answer['session']}", after_seq=None) as late:
            snapshot = late.answer["snapshot"]
            await speaker.say(type="bye")
            assert [message["type"] for message in await late.rest() if "seq" in message] == ["end"]
    assert [turn["text"] for turn in snapshot["turns"]] == ["1"]


@asynchronous
async def test_commands_are_answered_and_their_effect_comes_to_all():
    """A rename is acknowledged with the number of the event that everybody gets; a wrong one is an error."""
    async with serving() as server, server.client(role="both", audio=AUDIO) as speaker:
        await speaker.speak("Ab")
        final = await speaker.hear("final")
        async with server.client(f"/ws/{speaker.answer['session']}") as listener:
            await listener.say(
                type="command", id="c1", name="rename", turn=final["turn"]["id"], speaker="Alice"
            )
            ack = await listener.hear("ack")
            change = await speaker.hear("speaker_update")
            assert (ack["id"], ack["seq"]) == ("c1", change["seq"])
            await listener.say(type="command", id="c2", name="correct", turn="t99", text="x")
            assert (await listener.hear("error"))["code"] == "unknown_turn"


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([{"type": "hello", "version": 2}], 1002),
        ([{"type": "bye"}], 1002),
        ([b"audio"], 1002),
        (["nonsense"] * 3, 1002),
        ([{"type": "dance"}] * 3, 1002),
        (["x" * 70_000], 1009),
        ([b"x" * 1_100_000], 1009),
        ([{"type": "hello", "version": 1, "role": "listen"}], 1008),
    ],
)
def test_wrong_first_messages_have_documented_answers(messages, code):
    """What cannot be a client's first message closes with the code of docs/protocol.md."""

    @asynchronous
    async def scenario():
        async with serving() as server, server.connect() as socket:
            for message in messages:
                await socket.send(json.dumps(message) if isinstance(message, dict) else message)
            answers = [json.loads(answer)["type"] async for answer in answered(socket)]
            assert set(answers) <= {"error"}
            assert socket.close_code == code

    scenario()
