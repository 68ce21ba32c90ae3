import json
import urllib.error
import urllib.request

import anyio.to_thread
import pytest
from serving import AUDIO, asynchronous, serving

TOKEN = "a token that is long enough"


async def get(server, path, method="GET", **headers):
    """Return status, body and headers of a GET, or of another method."""

    def fetch():
        request = urllib.request.Request(f"http://{server.url}{path}", headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), error.headers

    return await anyio.to_thread.run_sync(fetch)


@asynchronous
async def test_a_meeting_over_http():
    """Meetings are listed, described and exported, running or past; what cannot be answered is said in one shape."""
    async with serving() as server, server.client(role="both", audio=AUDIO, title="Stand-up") as speaker:
        name = speaker.answer["session"]
        await speaker.speak("Ab")
        await speaker.hear("final")
        _, body, _ = await get(server, "/api/sessions")
        (one,) = json.loads(body)["sessions"]
        assert (one["id"], one["title"], one["running"], one["inputs"]) == (name, "Stand-up", True, 1)
        assert one["listeners"] == 1
        _, body, headers = await get(server, f"/api/sessions/{name}/export?format=text")
        assert body == b"A: 1\n"
        assert headers["content-disposition"] == f'attachment; filename="{name}.txt"'
        await speaker.say(type="bye")
        await speaker.rest()
        _, body, _ = await get(server, "/api/sessions?past=1")
        assert [(one["id"], one["running"]) for one in json.loads(body)["sessions"]] == [(name, False)]
        assert json.loads((await get(server, f"/api/sessions/{name}"))[1])["audio"] is None
        for path, status, code in (
            ("/api/sessions/none", 404, "unknown_meeting"),
            (f"/api/sessions/{name}/export?format=nonsense", 400, "format"),
            (f"/api/sessions/{name}/audio?start=1&end=2", 404, "no_recording"),
            (f"/api/sessions/{name}/audio?start=2&end=1", 400, "bad_field"),
            (f"/api/sessions/{name}/audio?start=nan&end=1", 400, "bad_field"),
        ):
            answer = await get(server, path)
            assert (answer[0], json.loads(answer[1])["error"]["code"]) == (status, code)


@asynchronous
async def test_what_holds_a_transcript_needs_the_token():
    """With a token set, meetings and figures are behind it; the client, the schema and the health are not."""
    async with serving(token=TOKEN) as server:
        for path in ("/api/sessions", "/metrics", "/v1/models"):
            assert (await get(server, path))[0] == 401
            assert (await get(server, path, Authorization="Bearer wrong"))[0] == 401
            assert (await get(server, path, Authorization=f"Bearer {TOKEN}"))[0] == 200
        for path in ("/healthz", "/schema.json", "/asyncapi.json"):
            assert (await get(server, path))[0] == 200


@asynchronous
async def test_foreign_pages_and_names_are_refused():
    """A page of another origin, or one whose name was pointed at this machine, gets nothing; one that is named does."""
    async with serving(origins=("https://friend.example",)) as server:
        for headers, status in (
            ({"Origin": "https://evil.example"}, 403),
            ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": f"http://{server.url}"}, 200),
            ({"Origin": "https://friend.example"}, 200),
            ({"Host": "127.0.0.2:8765"}, 200),
            ({}, 200),
        ):
            assert (await get(server, "/api/sessions", **headers))[0] == status


@asynchronous
async def test_pages_of_named_origins_may_read_answers():
    """Browsers ask beforehand, without the token, and are told which origins and headers are welcome."""
    async with serving(token=TOKEN, origins=("https://friend.example",)) as server:
        asking = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        told = "access-control-allow-origin"
        for origin, status, welcome in (
            ("https://friend.example", 200, "https://friend.example"),
            ("https://evil.example", 400, None),
        ):
            answer = await get(server, "/api/sessions", "OPTIONS", Origin=origin, **asking)
            assert (answer[0], answer[2][told]) == (status, welcome)
        good = {"Authorization": f"Bearer {TOKEN}"}
        for origin, status, welcome in (
            ("https://friend.example", 200, "https://friend.example"),
            ("https://evil.example", 403, None),
        ):
            answer = await get(server, "/api/sessions", Origin=origin, **good)
            assert (answer[0], answer[2][told]) == (status, welcome)


@asynchronous
async def test_figures_hold_no_text():
    """Metrics count meetings, clients, events, refusals, and audio that came or never did, in Prometheus' format."""
    audio = AUDIO | {"stream": "stream-0001"}
    async with serving() as server, server.client(role="both", audio=audio, title="secret title") as speaker:
        await speaker.stream("A")
        await speaker.stream("bbbA", 48_000)
        await speaker.say(type="bye")
        await speaker.rest()
        text = (await get(server, "/metrics"))[1].decode()
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(figures["meetscribe_audio_seconds_total"]) == pytest.approx(2.0)
    assert float(figures["meetscribe_audio_missing_seconds_total"]) == pytest.approx(2.0)
    assert float(figures["meetscribe_events_sent_total"]) >= 4
    assert float(figures['meetscribe_closed_total{code="1000"}']) == 1
    assert "secret" not in text
