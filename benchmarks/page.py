"""How the browser client bears hours: the time to open a long meeting, of a frame when one turn more comes, and memory.

    python benchmarks/page.py --turns 10000

A scripted server gives finished turns of twelve words, 3 s each, every fifth over another; Chromium is Debian's,
without a GPU. Needs the tests' dependencies (`pip install -e '.[dev]'`).
"""

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from apps.web.browser import chromium
from apps.web.scripted_server import ScriptedServer
from playwright.sync_api import Page, sync_playwright

from meetscribe import events as ev

_RATE = 16_000
_AT_END = """() => { const scroller = document.querySelector('#scroller');
    return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 48 }"""
_WATCH = """() => { window.frames_ = []; let last = performance.now(); const step = (now) => {
    window.frames_.push(now - last); last = now; requestAnimationFrame(step) }; requestAnimationFrame(step) }"""


def final(number: int) -> ev.Final:
    """Return a turn of 3 s, which begins in the one before where its number is a multiple of five."""
    start = number * 3 * _RATE - (_RATE if number % 5 == 0 else 0)
    texts = [f"word{(number * 7 + place) % 900}" for place in range(12)]
    words = tuple(
        ev.Word(text, start + place * 4_000, start + (place + 1) * 4_000) for place, text in enumerate(texts)
    )
    speaker = f"s{number % 4 + 1}"
    turn = ev.Turn(
        f"t{number}", number % 2, start, start + 48_000, " ".join(texts), words, speaker_id=speaker
    )
    return ev.Final(turn=turn, at=turn.end)


def frames(page: Page) -> dict[str, float]:
    """Return the median and the longest of the frames since the last call, in milliseconds."""
    times = sorted(page.evaluate("window.frames_.splice(0)"))
    return {"p50_ms": round(times[len(times) // 2], 1), "longest_ms": round(times[-1], 1)}


def measured(page: Page, server: ScriptedServer, turns: int) -> dict[str, object]:
    """Open the meeting, let it go on, scroll through it."""
    began = time.perf_counter()
    page.goto(f"http://127.0.0.1:{server.port}/?session=m")
    page.locator(f"[data-turn=t{turns - 1}]").wait_for(timeout=300_000)
    page.wait_for_function(_AT_END)
    figures: dict[str, object] = {"turns": turns, "open_s": round(time.perf_counter() - began, 2)}
    page.evaluate(_WATCH)
    for number in range(turns, turns + 30):
        server.publish("m", final(number))
        page.wait_for_timeout(100)
    page.locator(f"[data-turn=t{turns + 29}]").wait_for()
    figures["followed"] = bool(page.evaluate(_AT_END))
    figures["while_turns_come"] = frames(page)
    page.locator("#scroller").hover()
    for _ in range(60):
        page.mouse.wheel(0, -2_000)
        page.wait_for_timeout(30)
    figures["while_scrolling"] = frames(page)
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    figures["heap_mb"] = round(page.evaluate("performance.memory.usedJSHeapSize") / 2**20, 1)
    return figures


def main() -> None:
    """Measure, and print a line of JSON for each number of turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", default="1000,10000")
    for turns in map(int, parser.parse_args().turns.split(",")):
        server = ScriptedServer()
        server.meeting("m", "Hours")
        server.publish("m", *(final(number) for number in range(turns)))
        try:
            with sync_playwright() as playwright, chromium(playwright) as browser:
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                print(json.dumps(measured(page, server, turns)), flush=True)
        finally:
            server.close()


if __name__ == "__main__":
    main()
