import time

import pytest

from .browser import chromium, turns
from .proxy import Proxy
from .tones import write_numbers

pytestmark = pytest.mark.browser

CUT = 5  # seconds without a connection
SPOKEN = 14  # numbers that are said: more than 11 s


@pytest.fixture
def speaking(playwright, tmp_path):
    """A browser whose microphone says numbers."""
    recording = tmp_path / "numbers.wav"
    write_numbers(recording, SPOKEN)
    with chromium(playwright, recording) as running:
        yield running


def say_numbers(browser, address, break_off, mend):
    """One page speaks, another watches; in the middle the connection breaks for a while. Returns both pages."""
    speaker, watcher = browser.new_page(), browser.new_page()
    speaker.set_default_timeout(60_000)
    watcher.set_default_timeout(60_000)
    speaker.goto(address)
    speaker.get_by_test_id("microphone").click()
    speaker.locator("[data-testid=turn]").nth(1).wait_for()
    watcher.goto(speaker.url)
    watcher.locator("[data-testid=turn]").nth(1).wait_for()
    break_off()
    watcher.locator("[data-testid=state][data-connection=waiting]").wait_for()
    time.sleep(CUT)  # the length of the cut is what is tested
    mend()
    for page in (speaker, watcher):
        page.locator("[data-testid=turn]").nth(SPOKEN - 1).wait_for()
    speaker.get_by_test_id("microphone").click()
    speaker.locator("#microphone[data-state=off]").wait_for()
    return speaker, watcher


def test_nothing_said_during_a_cut_of_five_seconds_is_missing(speaking, server):
    """The proxy before the server is killed: both pages end with all numbers, in order, and the same turns."""
    proxy = Proxy(server.port)
    try:
        address = f"http://127.0.0.1:{proxy.port}/"
        speaker, watcher = say_numbers(speaking, address, proxy.kill, proxy.start)
        assert [text for _, text in turns(watcher)] == [str(number) for number in range(1, SPOKEN + 1)]
        assert turns(speaker) == turns(watcher)
        assert speaker.locator(".marker.gap").count() == 0
    finally:
        proxy.close()


def test_nothing_said_while_the_server_restarts_is_missing(speaking, server):
    """The server itself is killed, with audio that it had not put away: it is sent again."""
    speaker, watcher = say_numbers(speaking, f"http://127.0.0.1:{server.port}/", server.kill, server.start)
    assert [text for _, text in turns(watcher)] == [str(number) for number in range(1, SPOKEN + 1)]
    assert turns(speaker) == turns(watcher)


def test_a_refused_microphone_is_explained(browser, server):
    """Permission denied: the page says how to allow it, and the button can be pressed again."""
    server.meeting("m")
    page = browser.new_page()
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    )
    page.goto(f"http://127.0.0.1:{server.port}/?session=m")
    page.get_by_test_id("microphone").click()
    page.locator("dialog", has_text="site settings").wait_for()
    page.keyboard.press("Escape")
    page.locator("#microphone[data-state=off]").wait_for()
    page.close()


def test_a_page_that_may_not_record_says_what_to_do(browser, server):
    """From plain http browsers give no microphone: the page says so, with the command that helps."""
    server.meeting("m")
    page = browser.new_page()
    page.add_init_script(
        """Object.defineProperty(navigator, 'mediaDevices', { value: undefined });
           Object.defineProperty(globalThis, 'isSecureContext', { value: false })"""
    )
    page.goto(f"http://127.0.0.1:{server.port}/?session=m")
    page.get_by_test_id("microphone").click()
    remedy = page.locator("dialog", has_text="https or localhost").inner_text()
    assert "--tls-cert" in remedy
    assert "ssh -L" in remedy
    page.close()
