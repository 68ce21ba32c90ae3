"""The screen in a test: a scripted meeting, keys, and the lines that stand there."""

import asyncio
from contextlib import asynccontextmanager
from functools import wraps

from scripted_meetings import CONVERSATION, START
from textual.events import MouseScrollUp

from meetscribe.apps.live.app import LiveApp
from meetscribe.apps.live.scripted import ScriptedMeeting


def in_a_loop(test):
    """Run an asynchronous test."""

    @wraps(test)
    def run(*arguments, **named):
        asyncio.run(test(*arguments, **named))

    return run


class Shown:
    """A screen that is shown, and the meeting behind it."""

    def __init__(self, app, meeting, pilot):
        self.app, self.meeting, self._pilot = app, meeting, pilot

    @property
    def lines(self):
        """The lines of the screen, without spaces at their ends."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    @property
    def text(self):
        """All that stands there."""
        return "\n".join(self.lines)

    @property
    def body(self):
        """The lines of the transcript, without its scroll bar."""
        return [line[: self.app.size.width - 1].rstrip() for line in self.lines[1:-4]]

    @property
    def asked(self):
        """The commands that came to the meeting, without their ids."""
        kept = []
        for command in self.meeting.commands:
            fields = {name: value for name, value in vars(command).items() if value not in (None, "")}
            kept.append({name: value for name, value in fields.items() if name != "id"})
        return kept

    async def happens(self, *events):
        """Let something happen in the meeting, and show it."""
        self.meeting.publish(*events)
        await self.settle()

    async def press(self, *keys):
        """Press keys, and show what comes of it."""
        await self._pilot.press(*keys)
        await self.settle()

    async def write(self, text):
        """Write on the keyboard."""
        await self.press(*({" ": "space", "?": "question_mark"}.get(key, key) for key in text))

    async def click(self, *arguments, **named):
        """Click with the mouse."""
        await self._pilot.click(*arguments, **named)
        await self.settle()

    async def roll_wheel_up(self):
        """Roll the mouse's wheel up over the transcript."""
        await self._pilot._post_mouse_events([MouseScrollUp], "#transcript", button=0)
        await self.settle()

    async def resize(self, columns, rows):
        """Make the terminal larger or smaller."""
        await self._pilot.resize_terminal(columns, rows)
        await self.settle()

    async def settle(self):
        """Wait until everything is taken and drawn."""
        for _ in range(2):
            await self._pilot.pause()
            while self.app._is_due and self.app._running:
                await asyncio.sleep(0.01)
        await self._pilot.pause()

    def styles_of(self, text):
        """The looks of the first place where a text stands."""
        for strip in self.app.screen._compositor.render_strips():
            for segment in strip:
                if text in segment.text:
                    return segment.style
        raise AssertionError(f"{text!r} does not stand on the screen:\n{self.text}")


@asynccontextmanager
async def shown(*events, size=(80, 24), folder=None, light=False, notifications=True, meeting=None):
    """Show a meeting in which these events happen; without any, one of a few turns."""
    meeting = meeting or ScriptedMeeting(events or [START, *CONVERSATION])
    app = LiveApp(meeting, folder, light)
    async with app.run_test(size=size, notifications=notifications) as pilot:
        screen = Shown(app, meeting, pilot)
        await screen.settle()
        running = asyncio.create_task(meeting.run())
        await screen.settle()
        yield screen
    running.cancel()
