import asyncio
import json
import os
import sys

import pytest
from mcp import Client, StdioServerParameters, stdio_client

from meetscribe import events as ev
from meetscribe.apps.mcp import server
from meetscribe.store.store import Store


@pytest.fixture
def data(tmp_path):
    """A data folder with one meeting of two turns."""
    with Store(tmp_path) as store:
        start = ev.Session(session="2026-11-25-garden", title="Garden", started="2026-11-25T10:00:00+00:00")
        log = store.begin(start)
        said = [("t1", "s1", "shall we plant the roses"), ("t2", "s2", "yes on friday")]
        turns = [
            ev.Turn(id=id, slot=0, start=16_000 * at, end=16_000 * at + 8_000, text=text, speaker_id=speaker)
            for at, (id, speaker, text) in enumerate(said)
        ]
        events = [start, *(ev.Final(turn=turn) for turn in turns), ev.End(reason="end", duration=32_000)]
        for event in events:
            numbered = ev.numbered(event, start.session, log.meeting.seq)
            assert isinstance(numbered, ev.DurableEvent)
            log.append(numbered)
    return tmp_path


async def call(client, tool, /, **arguments):
    result = await client.call_tool(tool, arguments)
    return result.is_error, result.content[0].text


def test_a_model_lists_searches_reads_and_exports(data):
    """The official client, over stdin and stdout of the command itself, reads everything and can change nothing."""

    async def scenario():
        command = ["-m", "meetscribe.apps.cli.main", "mcp", "--data-dir", str(data)]
        parameters = StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ))
        async with Client(stdio_client(parameters)) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert set(tools) == {"list_meetings", "search", "read_meeting", "export_meeting"}
            assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools.values())
            listed = json.loads((await call(client, "list_meetings"))[1])
            assert [meeting["id"] for meeting in listed] == ["2026-11-25-garden"]
            hits = json.loads((await call(client, "search", words="roses"))[1])
            assert (hits[0]["meeting"], hits[0]["turn"]) == ("2026-11-25-garden", "t1")
            read = (await call(client, "read_meeting", meeting="last", start=0.9))[1]
            assert read == "[t2 0:01] s2: yes on friday"
            assert "roses" in (await call(client, "export_meeting", meeting="2026", format="md"))[1]
            wrong, sentence = await call(client, "read_meeting", meeting="none")
            assert wrong
            assert "there is no meeting 'none'" in sentence

    asyncio.run(scenario())


def test_changes_have_to_be_allowed(data):
    """With changes allowed a speaker is named and a turn corrected, as a person would do it."""

    async def scenario(store):
        async with Client(server(store, changes=True)) as client:
            assert not (await call(client, "rename_speaker", meeting="last", speaker_id="s1", name="Alice"))[
                0
            ]
            assert not (await call(client, "correct_turn", meeting="last", turn="t2", text="no"))[0]
            wrong, sentence = await call(client, "correct_turn", meeting="last", turn="t9", text="no")
            assert wrong
            assert "t9" in sentence
            read = (await call(client, "read_meeting", meeting="last"))[1]
            assert read == "[t1 0:00] Alice: shall we plant the roses\n[t2 0:01] s2: no"

    with Store(data) as store:
        asyncio.run(scenario(store))
