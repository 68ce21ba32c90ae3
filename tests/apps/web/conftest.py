import pytest

from .browser import chromium, find_chromium
from .node import Node
from .scripted_server import ScriptedServer


@pytest.fixture(scope="module")
def node():
    """Ask node what the client's modules make of something."""
    process = Node()
    yield process
    process.close()


@pytest.fixture
def server():
    """A server that belongs to the test."""
    running = ScriptedServer()
    yield running
    running.close()


@pytest.fixture(
    scope="module"
)  # while it lives the thread has a running loop, in which others' asyncio.run fails
def playwright():
    """Playwright, driving Debian's Chromium."""
    find_chromium()
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    with sync_api.sync_playwright() as running:
        yield running


@pytest.fixture(
    scope="module"
)  # while it lives the thread has a running loop, in which others' asyncio.run fails
def browser(playwright):
    """A browser whose microphone beeps."""
    with chromium(playwright) as running:
        yield running


@pytest.fixture
def page(browser):
    """A page whose errors fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    opened, errors = context.new_page(), []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on(
        "console", lambda message: errors.append(message.text) if "Content Security" in message.text else None
    )
    opened.set_default_timeout(20_000)
    yield opened
    context.close()
    assert not errors
