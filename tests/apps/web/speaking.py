"""One page speaks numbers, another watches, and in the middle the connection breaks."""

import time

CUT = 5  # seconds without a connection
SPOKEN = 14  # numbers that are said: more than 11 s


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
