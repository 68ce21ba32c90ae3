import json

import pytest
import strategies as st
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from meetscribe.apps.serve import schema
from meetscribe.formats import wire

VALIDATOR = Draft202012Validator(json.loads(schema.published("schema.json")))


@pytest.mark.parametrize("name", schema.PUBLISHED)
def test_the_packaged_files_are_what_the_code_says(name):
    """`python -m meetscribe.apps.serve.schema` would change nothing."""
    assert json.loads(schema.published(name)) == schema.PUBLISHED[name]()


@settings(max_examples=60)
@given(st.streams)
def test_every_event_is_a_message_of_the_schema(events):
    """Whatever a session may say validates, as itself and as some message; every key that is written is listed."""
    for event in events:
        written = json.loads(wire.dumps(event, {"s1": "Alice"}))
        definition = schema.json_schema()["$defs"][written["type"]]
        assert set(definition["required"]) <= set(written) <= set(definition["properties"])
        VALIDATOR.validate(written)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "final", "version": 1, "session": "m", "seq": 1, "at": 0.0},
        {"type": "end", "version": 2, "session": "m", "seq": 1, "at": 0.0, "reason": "", "duration": 1.0},
        {"type": "command", "name": "dance"},
        {"type": "hello"},
        [],
    ],
)
def test_what_is_no_message_is_refused(message):
    """The schema is no rubber stamp."""
    assert not VALIDATOR.is_valid(message)


def test_asyncapi_refers_to_messages_that_exist():
    """Every message of a channel or an operation is defined, and every schema it uses."""
    document = json.loads(schema.published("asyncapi.json"))
    Draft202012Validator.check_schema(document["components"]["schemas"])
    for channel in document["channels"].values():
        for reference in channel["messages"].values():
            assert reference["$ref"].rsplit("/", 1)[1] in document["components"]["messages"]
    for operation in document["operations"].values():
        _, _, channel, _, name = operation["messages"][0]["$ref"].split("/")
        assert name in document["channels"][channel]["messages"]
