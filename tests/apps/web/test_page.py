import json
import re

import pytest

from meetscribe import events as ev

from . import scripted_meeting
from .browser import turns

pytestmark = pytest.mark.browser


def turn(name, start, end, text, slot=0, speaker=None):
    """A turn of (evenly spread) words; times in seconds."""
    texts = text.split()
    step = (end - start) / len(texts)
    words = tuple(
        ev.Word(word, round((start + place * step) * 16_000), round((start + (place + 1) * step) * 16_000))
        for place, word in enumerate(texts)
    )
    return ev.Turn(name, slot, round(start * 16_000), round(end * 16_000), text, words, speaker_id=speaker)


def final(*arguments, **more):
    made = turn(*arguments, **more)
    return ev.Final(turn=made, at=made.end)


def open_meeting(page, server, name="m"):
    page.goto(f"http://127.0.0.1:{server.port}/?session={name}")
    page.locator("[data-testid=state][data-connection=open]").wait_for()


def wait_for_turns(page, count):
    page.wait_for_function(
        "n => document.querySelectorAll('.turn[data-state=final]').length === n", arg=count
    )


def lay_out(page):
    """Where turns stand: id -> (left, top of the first word, bottom)."""
    return page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('.turn')].map((turn) => {
            const box = turn.getBoundingClientRect();
            return [turn.dataset.turn, [box.left, turn.querySelector('.said').getBoundingClientRect().top, box.bottom]];
        }))"""
    )


def test_two_at_once_stand_side_by_side(page, server):
    """On a wide page who talks at the same time stands in the other column, beside the words that were said then."""
    server.meeting("m", "Stand-up")
    open_meeting(page, server)
    long = turn("t1", 0, 12, " ".join(f"word{n}" for n in range(60)), speaker="s1")
    server.publish("m", ev.Final(turn=long), final("t2", 6, 6.4, "yeah", slot=1, speaker="s2"))
    wait_for_turns(page, 2)
    places = lay_out(page)
    assert places["t2"][0] > places["t1"][0] + 300
    assert places["t1"][1] < places["t2"][1] < places["t1"][2]
    page.set_viewport_size({"width": 390, "height": 800})
    narrow = lay_out(page)
    assert narrow["t2"][1] > narrow["t1"][1]
    assert 10 < narrow["t2"][0] - narrow["t1"][0] < 60, "below, and further in"
    assert "while s1 spoke" in page.locator("[data-turn=t2]").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "nothing sticks out of a phone"
    )


def test_words_in_progress_are_dim_until_they_are_firm(page, server):
    """A partial is shown with its stable words firm and the others dim; its final takes its place."""
    server.meeting("m")
    open_meeting(page, server)
    spoken = turn("t1", 0, 2, "we could move it", speaker="s1")
    server.publish("m", ev.Partial(turn=spoken, revision=1, stable=2))
    page.locator("[data-turn=t1][data-state=partial]").wait_for()
    assert page.locator(".loose").all_inner_texts() == ["move it"]
    server.publish("m", ev.TurnEnd(turn="t1", slot=0, end=spoken.end), ev.Final(turn=spoken))
    wait_for_turns(page, 1)
    assert page.locator(".loose").count() == 0


def test_state_lag_and_level_are_said(page, server):
    """The head of the page says what the meeting does, how far the words are behind and how loud it is."""
    server.meeting("m")
    open_meeting(page, server)
    assert page.get_by_test_id("state").inner_text() == "Listening"
    server.publish("m", ev.Lag(behind=48_000), ev.Level(levels=(-20.0,)), ev.Status(state="paused"))
    page.locator("[data-testid=state][data-state=paused]").wait_for()
    assert page.get_by_test_id("lag").inner_text() == "3.0 s behind"
    assert page.locator(".level").count() == 1


def test_gaps_and_bookmarks_stand_between_turns(page, server):
    """What is missing and what was marked stands at its time."""
    server.meeting("m")
    open_meeting(page, server)
    gap = ev.Gap(start=32_000, end=64_000, reason="unplugged")
    server.publish(
        "m", final("t1", 0, 1, "one"), final("t2", 5, 6, "two"), gap, ev.Bookmark(note="here", at=70_000)
    )
    page.locator(".marker.bookmark").wait_for()
    shown = page.evaluate(
        "[...document.querySelectorAll('.turn, .marker')].map((e) => e.dataset.turn ?? e.dataset.marker)"
    )
    assert shown == ["t1", "gap", "bookmark", "t2"]
    assert "2.0 s missing: unplugged" in page.locator(".marker.gap").inner_text()


def test_a_name_given_on_the_page_reaches_everybody(page, server, browser):
    """Rename: a click on a name, the new one, Enter; another page shows it too."""
    server.meeting("m")
    server.publish("m", final("t1", 0, 1, "hello there", speaker="s1"), final("t2", 1, 2, "hi", speaker="s2"))
    other = browser.new_page()
    open_meeting(other, server)
    open_meeting(page, server)
    page.locator("[data-turn=t1]").get_by_test_id("rename").click()
    page.keyboard.type("Alice")
    page.keyboard.press("Enter")
    for shown in (page, other):
        shown.locator("[data-turn=t1] .name", has_text="Alice").wait_for()
    assert server.meetings["m"].commands[-1]["name"] == "rename"
    other.close()


def test_two_speakers_who_are_one_can_be_merged(page, server):
    """The same person: one of the others is chosen in the dialog, and the turns are theirs."""
    server.meeting("m")
    server.publish("m", final("t1", 0, 1, "hello there", speaker="s1"), final("t2", 1, 2, "hi", speaker="s2"))
    open_meeting(page, server)
    page.locator("[data-turn=t2]").get_by_test_id("rename").click()
    page.locator("dialog").get_by_role("button", name="s1").click()
    page.locator("[data-turn=t2][data-speaker-id=s1]").wait_for()


def test_somebody_whom_nobody_knows_can_be_said_to_be_one_of_the_others(page, server):
    """A turn without a speaker is given one: a new name, or one of those who are there already."""
    server.meeting("m")
    server.publish("m", final("t1", 0, 1, "hello there", speaker="s1"), final("t2", 1, 2, "hi"))
    open_meeting(page, server)
    page.locator("[data-turn=t2]").get_by_test_id("rename").click()
    page.locator("dialog").get_by_role("button", name="s1").click()
    page.locator("[data-turn=t2][data-speaker-id=s1]").wait_for()
    assert [command["name"] for command in server.meetings["m"].commands] == ["rename", "merge"]


def test_a_text_can_be_corrected_by_keys_alone(page, server):
    """Arrow to the turn, e, the right text, Enter."""
    server.meeting("m")
    server.publish("m", final("t1", 0, 1, "one"), final("t2", 1, 2, "the whether"))
    open_meeting(page, server)
    wait_for_turns(page, 2)
    page.get_by_test_id("transcript").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("the weather")
    page.keyboard.press("Enter")
    page.locator("[data-turn=t2]", has_text="the weather").wait_for()


def test_what_the_server_refuses_is_said(page, server):
    """An error in answer to a command is shown as a sentence."""
    server.meeting("m")
    server.publish("m", final("t1", 0, 1, "one", speaker="s1"))
    open_meeting(page, server)
    page.get_by_test_id("rename").click()
    page.keyboard.type("nobody")
    page.keyboard.press("Enter")
    page.locator("#notices", has_text="Nobody can be called so.").wait_for()


def test_pause_bookmark_and_off_the_record(page, server):
    """The meeting's controls send their commands, and show what came of them."""
    server.meeting("m")
    server.publish("m", final("t1", 0, 1, "public"), final("t2", 2, 30, "secret"))
    open_meeting(page, server)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Bookmark").click()
    page.keyboard.type("look here")
    page.keyboard.press("Enter")
    page.locator(".marker.bookmark", has_text="look here").wait_for()
    page.get_by_label("Off the record").select_option("Erase the last 30 seconds")
    page.get_by_role("button", name="Erase", exact=True).click()
    page.locator("[data-turn=t2][data-redacted]").wait_for()
    assert "secret" not in page.content()
    names = [command["name"] for command in server.meetings["m"].commands]
    assert names == ["pause", "resume", "bookmark", "off_record"]


def test_search_shows_the_turns_that_have_the_words(page, server):
    """Turns without the words are left out; Enter shows the first one found among the others again."""
    server.meeting("m")
    server.publish("m", *(final(f"t{n}", n, n + 0.9, f"number {n}") for n in range(1, 40)))
    open_meeting(page, server)
    wait_for_turns(page, 39)
    page.get_by_test_id("search").fill("NUMBER 17")
    page.wait_for_function("document.querySelector('#found').textContent === '1 turn'")
    assert page.locator(".turn:visible").count() == 1
    page.keyboard.press("Enter")
    assert page.locator(".turn:visible").count() == 39
    assert page.evaluate("document.activeElement.dataset.turn") == "t17"


def test_the_end_is_followed_until_a_person_looks_elsewhere(page, server):
    """New turns scroll into sight; after scrolling up they are counted on a button that leads back."""
    server.meeting("m")
    server.publish("m", *(final(f"t{n}", n, n + 0.9, f"number {n}") for n in range(1, 60)))
    open_meeting(page, server)
    wait_for_turns(page, 59)
    is_at_end = """() => { const scroller = document.querySelector('#scroller');
        return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 5 }"""
    page.wait_for_function(is_at_end)
    page.locator("#scroller").hover()
    page.mouse.wheel(0, -600)
    page.locator("#new").wait_for()
    server.publish("m", final("t60", 60, 61, "new one"), final("t61", 61, 62, "new two"))
    page.get_by_role("button", name="2 new").click()
    page.wait_for_function(is_at_end)
    assert page.locator("#new").is_hidden()


def test_the_transcript_can_be_saved(page, server):
    """The download is what `meetscribe export` writes; formats that the page does not make come from the server."""
    server.meeting("m")
    server.publish("m", final("t1", 0, 1, "hello there", speaker="s1"))
    open_meeting(page, server)
    wait_for_turns(page, 1)

    def saved():
        with page.expect_download() as download:
            page.get_by_test_id("download").click()
        return download.value.suggested_filename, download.value.path().read_text()

    assert saved() == ("m.txt", "s1: hello there\n")
    page.get_by_test_id("download-format").select_option("json")
    name, text = saved()
    assert name == "m.json"
    assert json.loads(text)["turns"][0]["text"] == "hello there"
    page.get_by_test_id("download-format").select_option("vtt")
    assert saved() == ("m.vtt", "WEBVTT\n")


def test_a_click_on_words_lets_them_be_heard(page, server):
    """The sound of the turn is fetched; only its voice where two overlap and the server has it apart."""
    server.meeting("m", has_sound=True, is_separated=True)
    server.publish("m", final("t1", 1, 4, "one two three"), final("t2", 2, 2.5, "yes", slot=1))
    server.publish("m", final("t3", 10, 200, "more than the server gives at once"))
    open_meeting(page, server)
    page.locator("[data-turn=t1] .said").first.click()
    page.locator("[data-turn=t1][data-playing=all]").wait_for()
    page.locator("[data-turn=t2]").hover()
    page.locator("[data-turn=t2] [data-act=alone]").click()
    page.locator("[data-turn=t2][data-playing=alone]").wait_for()
    asked = [request for request in server.requests if "/audio?" in request]
    assert asked[0] == "/api/sessions/m/audio?start=0.800&end=4.300"
    assert "slot=1" in asked[1]
    page.locator("[data-turn=t3] .said").first.click()
    page.locator("[data-turn=t3][data-playing=all]").wait_for()
    asked = [request for request in server.requests if "/audio?" in request]
    assert asked[2] == "/api/sessions/m/audio?start=9.800&end=129.800"


def test_without_a_recording_nothing_offers_to_be_heard(page, server):
    """No sound on the server: a click on words asks for none, and there is no button for a voice alone."""
    server.meeting("m")
    server.publish("m", final("t1", 1, 4, "one two three"), final("t2", 2, 2.5, "yes", slot=1))
    open_meeting(page, server)
    page.locator("[data-turn=t1] .said").first.click()
    assert page.locator("[data-act=alone]:visible").count() == 0
    assert not any("/audio" in request for request in server.requests)


def test_a_page_that_was_cut_off_misses_nothing(page, server):
    """The server goes and comes back with more: the page shows that it reconnects, then has every turn."""
    server.meeting("m")
    server.publish("m", final("t1", 0, 1, "one"))
    open_meeting(page, server)
    wait_for_turns(page, 1)
    server.kill()
    page.locator("[data-testid=state][data-connection=waiting]").wait_for()
    assert page.get_by_test_id("state").inner_text().startswith("Reconnecting")
    server.publish("m", final("t2", 1, 2, "two"), final("t3", 2, 3, "three"))
    server.start()
    wait_for_turns(page, 3)
    server.publish("m", final("t4", 3, 4, "four"))
    wait_for_turns(page, 4)
    assert turns(page) == [["t1", "one"], ["t2", "two"], ["t3", "three"], ["t4", "four"]]


def test_a_name_given_while_cut_off_is_sent_afterwards(page, server):
    """A rename without a connection waits for it."""
    server.meeting("m")
    server.publish("m", final("t1", 0, 1, "one", speaker="s1"))
    open_meeting(page, server)
    wait_for_turns(page, 1)
    server.kill()
    page.locator("[data-testid=state][data-connection=waiting]").wait_for()
    page.get_by_test_id("rename").click()
    page.keyboard.type("Alice")
    page.keyboard.press("Enter")
    server.start()
    page.locator(".turn .name", has_text="Alice").wait_for()


def test_the_only_meeting_that_runs_is_opened(page, server):
    """`/` leads to it; the list of meetings shows it with those of the past."""
    server.meeting("m", "Stand-up")
    server.meeting("old", "Last week")
    server.end("old")
    page.goto(f"http://127.0.0.1:{server.port}/")
    page.locator("[data-testid=state][data-connection=open]").wait_for()
    page.get_by_role("link", name="All meetings").click()
    page.get_by_role("link", name="Last week").click()
    page.locator("[data-testid=state][data-state=ended]").wait_for()
    page.locator(".marker.end").wait_for()


def test_a_token_is_asked_for(page, server):
    """A server with a token: the page asks, and sends it in the greeting and in headers, never in an address."""
    server.token = "open sesame"
    server.meeting("m")
    page.goto(f"http://127.0.0.1:{server.port}/?session=m")
    page.locator("dialog input[type=password]").fill("open sesame")
    page.keyboard.press("Enter")
    page.locator("[data-testid=state][data-connection=open]").wait_for()
    assert not any("sesame" in request for request in server.requests)


def test_light_and_dark(page, server):
    """Colours follow the system, and a switch overrides it."""
    server.meeting("m")
    page.emulate_media(color_scheme="dark")
    open_meeting(page, server)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.locator("#theme").click()
    light = page.evaluate(ground)
    assert light != dark
    page.locator("#theme").click()
    assert page.evaluate(ground) == dark
    page.reload()
    assert page.evaluate(ground) == dark, "the choice is kept"


def test_thousands_of_turns_stay_fast(page, server):
    """Of 2000 turns those out of sight are not laid out, and one more turn changes one element alone."""
    server.meeting("m")
    server.publish("m", *(final(f"t{n}", n, n + 0.9, f"number {n}", speaker="s1") for n in range(2000)))
    open_meeting(page, server)
    wait_for_turns(page, 2000)
    skipped = page.evaluate(
        """[...document.querySelectorAll('.said')]
            .filter((said) => !said.checkVisibility({ contentVisibilityAuto: true })).length"""
    )
    assert skipped > 1900
    page.evaluate(
        """() => { window.changes = 0; new MutationObserver((all) => { window.changes += all.length }).observe(
            document.querySelector('#transcript'), { childList: true, subtree: true, attributes: true }) }"""
    )
    server.publish("m", final("t2000", 2000, 2001, "one more", speaker="s1"))
    wait_for_turns(page, 2001)
    assert page.evaluate("window.changes") < 10


def test_only_what_is_finished_is_read_aloud(page, server):
    """The live region holds finished turns that came since the page was opened; the transcript is none itself."""
    server.meeting("m")
    server.publish("m", final("t1", 0, 1, "before"))
    open_meeting(page, server)
    wait_for_turns(page, 1)
    server.publish(
        "m", ev.Partial(turn=turn("t2", 1, 2, "now"), revision=1, stable=0), final("t2", 1, 2, "now then")
    )
    wait_for_turns(page, 2)
    assert page.locator("[aria-live]").all_inner_texts() == ["A: now then"]
    assert page.get_by_test_id("transcript").get_attribute("aria-live") is None


def test_every_control_has_a_name_and_colours_have_contrast(page, server):
    """Buttons and fields are named for screen readers, and every speaker's colour can be read in light and dark."""
    server.meeting("m", has_sound=True)
    open_meeting(page, server)
    server.publish("m", *scripted_meeting.events())
    wait_for_turns(page, len(scripted_meeting.SAID))
    snapshot = page.locator("body").aria_snapshot()
    assert not re.search(r"- (button|textbox|combobox|searchbox|link)(?=\s*(:?$|\[))", snapshot, re.MULTILINE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(CONTRAST) >= 4.5


CONTRAST = """() => {
    const light = (colour) => {
        const canvas = new OffscreenCanvas(1, 1).getContext("2d");
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255)
            .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const probe = document.body.appendChild(document.createElement("i"));
    const of = (name) => { probe.style.color = `var(${name})`; return light(getComputedStyle(probe).color) };
    const grounds = ["--ground", "--surface", "--raised"].map(of);
    const names = ["--text", "--quiet", "--loose", "--accent", "--good", "--warn", "--bad", "--slot-0", "--slot-1",
        ...[0, 1, 2, 3, 4, 5, 6, 7].map((number) => `--speaker-${number}`)];
    const ratios = names.flatMap((name) => grounds.map((ground) =>
        (Math.max(of(name), ground) + 0.05) / (Math.min(of(name), ground) + 0.05)));
    probe.remove();
    return Math.min(...ratios);
}"""
