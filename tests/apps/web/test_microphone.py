import pytest

pytestmark = pytest.mark.browser


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
