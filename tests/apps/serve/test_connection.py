import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.apps.serve.connection import (
    MOST_ERRORS,
    PER_SECOND,
    Allowance,
    Close,
    Connection,
    EndAudio,
    Hear,
    Join,
    Run,
    Send,
)

TOKEN = "the right token"
HELLO = {"type": "hello", "version": 1, "role": "both", "after_seq": 0}
AUDIO = {"encoding": "pcm_s16le", "sample_rate": 48_000, "channels": 2}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = st.dictionaries(
    st.sampled_from(
        ["version", "role", "after_seq", "token", "audio", "id", "name", "speaker", "turn", "text"]
    ),
    json_values | st.sampled_from([1, "both", TOKEN, AUDIO, "rename", "stop"]),
)
messages = st.one_of(
    st.text(max_size=30),
    st.binary(max_size=30),
    json_values.map(json.dumps),
    st.tuples(st.sampled_from(["hello", "command", "bye", "dance"]), fields).map(
        lambda drawn: json.dumps({"type": drawn[0]} | drawn[1])
    ),
)


def told(connection, *given):
    """Give messages to a connection, and return everything that it wants done; it lets everybody in who may."""
    done, now = [], 0.0
    for message in given:
        now += 1.0
        if isinstance(message, bytes):
            connection.receive_bytes(message)
        else:
            connection.receive_text(message if isinstance(message, str) else json.dumps(message), now)
        actions = connection.actions()
        done += actions
        for action in actions:
            if isinstance(action, Join):
                connection.joined(action.hello, {"type": "hello"})
        done += connection.actions()
    return done


@given(st.lists(messages, max_size=20), st.booleans())
def test_no_message_breaks_it(given_messages, with_token):
    """Whatever comes, it is answered or closed; the third error closes, and nothing follows a close."""
    connection = Connection(TOKEN if with_token else None)
    done = told(connection, *given_messages)
    closes = [action for action in done if isinstance(action, Close)]
    assert len(closes) <= 1
    assert not closes or done[-1] is closes[0]
    assert connection.closed == bool(closes)
    errors = [action for action in done if isinstance(action, Send) and action.message.get("code")]
    counted = [error for error in errors if "version" in error.message]
    assert len(counted) <= MOST_ERRORS


@given(st.lists(messages.filter(lambda message: TOKEN not in str(message)), max_size=10))
def test_who_has_not_shown_the_token_learns_nothing(given_messages):
    """Before a right token nothing is sent and nothing is done: the first message closes with 1008."""
    done = told(Connection(TOKEN), *given_messages)
    assert [action.code for action in done if isinstance(action, Close)] in ([], [1008], [1009])
    assert all(isinstance(action, Close) for action in done)


@pytest.mark.parametrize(
    ("token", "authorised", "hello", "expected"),
    [
        (None, False, HELLO | {"audio": AUDIO}, Join),
        (TOKEN, False, HELLO | {"audio": AUDIO, "token": TOKEN}, Join),
        (TOKEN, True, HELLO | {"audio": AUDIO}, Join),
        (TOKEN, True, HELLO | {"audio": AUDIO, "token": "wrong"}, 1008),
        (TOKEN, False, HELLO | {"audio": AUDIO}, 1008),
        (None, False, HELLO | {"audio": AUDIO, "version": 2}, 1002),
        (None, False, HELLO | {"audio": AUDIO, "version": True}, 1002),
        (None, False, HELLO, Send),
        (None, False, HELLO | {"audio": AUDIO | {"sample_rate": 1}}, Send),
        (None, False, HELLO | {"audio": AUDIO | {"encoding": "mp3"}}, Send),
        (None, False, HELLO | {"audio": AUDIO | {"stream": "../etc"}}, Send),
        (None, False, HELLO | {"role": "king"}, Send),
        (None, False, HELLO | {"role": "listen", "after_seq": -1}, Send),
    ],
)
def test_a_hello_is_let_in_or_answered(token, authorised, hello, expected):
    """Token, version and every field are looked at; what is wrong with a field is an error that may be mended."""
    first = told(Connection(token, authorised), hello)[0]
    assert (first.code if isinstance(first, Close) else type(first)) == expected


def test_audio_commands_and_bye():
    """After its hello a client's frames are audio, with a position where the stream is named, until it says bye."""
    connection = Connection(None)
    hello = HELLO | {"audio": AUDIO | {"stream": "12345678"}}
    command = {"type": "command", "id": "c", "name": "bookmark"}
    frame = (7).to_bytes(8, "little") + b"abcd"
    _, _, heard, run, end, late = told(connection, hello, frame, command, {"type": "bye"}, frame)
    assert heard == Hear(b"abcd", 7)
    assert isinstance(run, Run)
    assert isinstance(end, EndAudio)
    assert late.message["code"] == "unexpected"


def test_half_a_minute_of_chatter_is_too_fast():
    """Text messages have a rate; who is above it is told, and closed when it goes on."""
    connection = Connection(None)
    told(connection, HELLO | {"role": "listen"})
    done = []
    for _ in range(500):
        connection.receive_text('{"type": "command", "id": "c", "name": "bookmark"}', 2.0)
        done += connection.actions()
    assert sum(isinstance(action, Run) for action in done) <= 100
    assert [action.message["code"] for action in done if isinstance(action, Send)] == ["too_fast"] * 3
    assert isinstance(done[-1], Close)
    assert done[-1].code == 1002


def test_nobody_may_stay_without_a_hello():
    """When its time is over, a client that has not said hello is closed with 1008; one that has stays."""
    silent, polite = Connection(None), Connection(None)
    told(polite, HELLO | {"role": "listen"})
    for connection in (silent, polite):
        connection.receive_timeout()
    assert [action.code for action in silent.actions() if isinstance(action, Close)] == [1008]
    assert polite.actions() == []


@given(st.lists(st.floats(0, 2), max_size=50))
def test_an_allowance_is_never_exceeded(pauses):
    """However messages are spaced, no more than the burst and the rate allow are let through."""
    allowance, now, taken = Allowance(5, PER_SECOND), 0.0, 0
    for pause in pauses:
        now += pause
        taken += allowance.take(now)
    assert taken <= 5 + PER_SECOND * now + 1
