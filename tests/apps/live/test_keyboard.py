import asyncio
import os
import subprocess
import sys
import threading
from queue import Queue

import pytest
from textual import events

from meetscribe.apps.live import keyboard
from meetscribe.apps.live.app import LiveApp
from meetscribe.apps.live.scripted import ScriptedMeeting


@pytest.fixture
def typed(monkeypatch):
    """A keyboard that looks only once a minute whether it is to end; gives what types on it, and the keys that come."""
    monkeypatch.setattr(keyboard, "_LOOK", 60.0)
    there, here = os.pipe()
    loop = asyncio.new_event_loop()
    driver = loop.run_until_complete(_keyboard())
    came = Queue()
    monkeypatch.setattr(driver, "fileno", there)
    monkeypatch.setattr(driver, "process_message", came.put)
    thread = threading.Thread(target=driver.run_input_thread)
    thread.start()
    yield lambda data: os.write(here, data), lambda: came.get(timeout=30)
    driver.exit_event.set()
    os.write(here, b"x")
    thread.join()
    os.close(here)
    os.close(there)
    loop.close()


async def _keyboard():
    return keyboard.Keyboard(LiveApp(ScriptedMeeting([])))


def test_an_escape_is_one_as_soon_as_nothing_has_followed_it(typed):
    """It waits for ESCDELAY, not until the keyboard looks again."""
    press, key = typed
    press(b"\x1b")
    assert key().key == "escape"


def test_other_keys_that_begin_with_an_escape_are_what_they_are(typed):
    """An arrow, a letter of two bytes that come one by one, and a paste."""
    press, key = typed
    press(b"\x1b[A")
    assert key().key == "up"
    press("é".encode()[:1])
    press("é".encode()[1:])
    assert key().character == "é"
    press(b"\x1b[200~two words\x1b[201~")
    pasted = key()
    assert isinstance(pasted, events.Paste)
    assert pasted.text == "two words"


def test_letters_behind_an_escape_are_letters_when_they_come_late(typed):
    """Esc, and then a key."""
    press, key = typed
    press(b"\x1b")
    assert key().key == "escape"
    press(b"[")
    assert key().key == "left_square_bracket"


@pytest.mark.parametrize(("given", "seconds"), [(None, 0.025), ("300", 0.3)])
def test_how_long_that_is_can_be_set(given, seconds):
    """ESCDELAY in the environment, for lines so slow that an arrow key comes in pieces."""
    kept = {name: value for name, value in os.environ.items() if name != "ESCDELAY"}
    code = "import meetscribe.apps.live.app; from textual import constants; print(constants.ESCAPE_DELAY)"
    asked = [sys.executable, "-c", code]
    environment = kept | ({"ESCDELAY": given} if given else {})
    said = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True)
    assert float(said.stdout) == seconds
