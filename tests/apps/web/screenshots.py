"""Makes the pictures in docs/images/ from a scripted meeting: `scripts/screenshots [FOLDER]`."""

import sys
from pathlib import Path

from apps.web.browser import chromium
from apps.web.scripted_meeting import events
from apps.web.scripted_server import ScriptedServer
from playwright.sync_api import sync_playwright

PICTURES = {
    "web-desktop": ({"width": 1280, "height": 860}, "light"),
    "web-dark": ({"width": 1280, "height": 860}, "dark"),
    "web-phone": ({"width": 390, "height": 844}, "light"),
}


def main(folder):
    """Make every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    server = ScriptedServer()
    server.meeting("stand-up", "Moving to the new building", has_sound=True, is_separated=True)
    try:
        with sync_playwright() as playwright, chromium(playwright) as browser:
            for name, (size, scheme) in PICTURES.items():
                context = browser.new_context(viewport=size, color_scheme=scheme, device_scale_factor=1.5)
                page = context.new_page()
                page.goto(f"http://127.0.0.1:{server.port}/?session=stand-up")
                page.locator("[data-connection=open]").wait_for()
                server.publish("stand-up", *events())
                page.locator("[data-testid=turn][data-state=partial]").last.wait_for()
                page.wait_for_timeout(300)
                page.screenshot(path=folder / f"{name}.png")
                context.close()
                server.meetings["stand-up"].log[1:] = []
    finally:
        server.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
