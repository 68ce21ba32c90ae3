"""Chromium for tests, with a microphone that plays a file; `CI` makes a missing one an error instead of a skip."""

import os
import shutil
from contextlib import contextmanager

import pytest

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


def find_chromium():
    """The browser; skips the test where there is none."""
    path = shutil.which("chromium")
    if path is None:
        message = "chromium is not installed: apt-get install chromium"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return path


@contextmanager
def chromium(playwright, microphone=None):
    """A browser; `microphone` is a WAV file that its microphone plays once."""
    fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    fake += [f"--use-file-for-fake-audio-capture={microphone}%noloop"] if microphone else []
    browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS + fake)
    try:
        yield browser
    finally:
        browser.close()


def turns(page):
    """What a page shows: (turn id, text) of every finished turn, from the top."""
    return page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=turn][data-state=final]')].map((turn) =>
            [turn.dataset.turn, [...turn.querySelectorAll('.said')].map((said) => said.textContent).join(' ')])"""
    )
