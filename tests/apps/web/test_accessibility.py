"""axe-core (WCAG 2.2 AA and its best practices) finds nothing in any view and state, light or dark, wide or narrow."""

import importlib.util
from pathlib import Path

import pytest

from meetscribe import events as ev

from . import scripted_meeting

pytestmark = pytest.mark.browser

RUN = """async () => {
    const ending = document.getAnimations().filter((one) => Number.isFinite(one.effect.getComputedTiming().endTime));
    await Promise.all(ending.map((one) => one.finished.catch(() => null)));
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`);
}"""


@pytest.fixture(scope="module")
def axe():
    """axe-core, as the Python package carries it."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or not found.submodule_search_locations:
        pytest.skip("axe-playwright-python is not installed (pip install axe-playwright-python)")
    return (Path(found.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(params=[("light", 1280), ("dark", 390)], ids=str)
def check(request, page, axe):
    """Let axe look at the page as it is now."""
    scheme, width = request.param
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})

    def look(state):
        if not page.evaluate("'axe' in window"):
            page.evaluate(axe)
        assert page.evaluate(RUN) == [], state

    page.set_default_timeout(60_000)  # axe takes its time
    return look


def test_the_list_of_meetings(page, server, check):
    """Without any meeting, and with those that go on and those of the past."""
    page.goto(f"http://127.0.0.1:{server.port}/?list")
    page.locator("#start-hint").wait_for()
    check("nothing there")
    server.meeting("m", "Stand-up")
    server.meeting("old", "Last week")
    server.end("old")
    page.goto(f"http://127.0.0.1:{server.port}/?list")
    page.get_by_role("link", name="Last week").wait_for()
    check("meetings")


def test_a_meeting_in_all_its_states(page, server, check):
    """Going on, searched, corrected, named, refused, helped, off the record, cut off, ended."""
    server.meeting("m", "Moving to the new building", has_sound=True, is_separated=True)
    page.goto(f"http://127.0.0.1:{server.port}/?session=m")
    page.locator("[data-connection=open]").wait_for()
    check("nothing was said yet")
    server.publish("m", *scripted_meeting.events())
    page.locator(".turn[data-state=final]").last.wait_for()
    last = page.locator(".turn[data-state=final]").last
    last.focus()
    check("going on, a turn has the focus")
    last.locator(".said").first.click()
    page.locator("[data-playing]").first.wait_for()
    check("a turn is heard")
    page.get_by_test_id("search").fill("building")
    page.wait_for_function("document.querySelector('#found').textContent !== ''")
    check("searched")
    page.get_by_test_id("search").fill("")
    last.focus()
    for key, what in (("e", "corrected"), ("n", "named")):
        page.keyboard.press(key)
        page.locator("dialog[open]").wait_for()
        check(what)
        page.keyboard.press("Escape")
        last.focus()
    page.locator("#help").click()
    check("helped")
    page.keyboard.press("Escape")
    server.publish("m", ev.Status(state="degraded", reason="the recogniser is started again"))
    page.locator("[data-testid=state][data-state=degraded]").wait_for()
    check("degraded")
    page.get_by_label("Off the record").select_option("Erase the last 30 seconds")
    page.locator("dialog[open]").wait_for()
    check("asked")
    page.get_by_role("button", name="Erase", exact=True).click()
    page.locator("[data-redacted]").first.wait_for()
    check("off the record")
    server.kill()
    page.locator("[data-connection=waiting]").wait_for()
    check("cut off")
    server.start()
    page.locator("[data-connection=open]").wait_for()
    server.end("m")
    page.locator("[data-testid=state][data-state=ended]").wait_for()
    check("ended")


def test_what_a_page_has_to_ask_or_to_explain(page, server, check):
    """The token that is wanted, a meeting that is not there, a microphone that is refused."""
    server.token = "open sesame"
    server.meeting("m")
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    )
    page.goto(f"http://127.0.0.1:{server.port}/?session=m")
    page.locator("dialog input[type=password]").fill("open sesame")
    check("a token is wanted")
    page.keyboard.press("Enter")
    page.locator("[data-connection=open]").wait_for()
    page.get_by_test_id("microphone").click()
    page.locator("dialog", has_text="site settings").wait_for()
    check("the microphone is refused")
    page.goto(f"http://127.0.0.1:{server.port}/?session=none")
    page.get_by_text("There is no such meeting.").first.wait_for()
    check("no such meeting")
