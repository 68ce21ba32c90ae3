import asyncio
import threading
import time

import pytest
from scripted_meetings import CONVERSATION, START

from meetscribe.apps.live.app import LiveApp
from meetscribe.apps.live.commands import command
from meetscribe.apps.live.feed import MeetingThread
from meetscribe.apps.live.scripted import ScriptedMeeting
from meetscribe.errors import AudioError
from meetscribe.session.commands import CommandError


class Failing(ScriptedMeeting):
    """A meeting whose source fails at the end."""

    async def run(self):
        await super().run()
        raise AudioError("the headset is gone; plug it in again")


class Watched(ScriptedMeeting):
    """A meeting that counts on, whatever the screen does."""

    ticks = 0
    thread = None

    async def run(self):
        self.thread = threading.current_thread()
        counting = asyncio.create_task(self._count())
        try:
            return await super().run()
        finally:
            counting.cancel()

    async def _count(self):
        while True:
            self.ticks += 1
            await asyncio.sleep(0.005)


async def read(reader):
    return [event async for event in reader]


def test_events_and_commands_cross_to_the_meetings_thread():
    """Every event arrives in order, the last ones too; an answer comes back, and so does a refusal."""
    meeting = Watched([START, *CONVERSATION])
    with MeetingThread(meeting) as running:

        async def use():
            reading = asyncio.create_task(read(running.subscribe(0)))
            ack = await running.command(command("bookmark", note="here"))
            with pytest.raises(CommandError, match="no speaker"):
                await running.command(command("merge", speaker_id="s9", into="s8"))
            running.stop()
            return ack, await reading

        ack, events = asyncio.run(use())
        assert meeting.thread is not threading.current_thread()
        assert asyncio.run(running.read_log()) == meeting.log
    durable = [event.seq for event in events if hasattr(event, "seq")]
    assert durable == list(range(1, len(meeting.log) + 1))
    assert 0 < ack.seq <= len(meeting.log)
    assert running.result() == meeting.log


def test_a_screen_that_stands_still_does_not_hold_the_meeting_up():
    """While a terminal takes nothing (a lost connection, Ctrl+S) the meeting's thread goes on."""
    meeting = Watched([START])
    with MeetingThread(meeting):
        while not meeting.ticks:
            time.sleep(0.01)
        before = meeting.ticks
        time.sleep(0.5)  # this thread is the screen's, and does nothing
        assert meeting.ticks > before + 5


def test_what_the_meeting_failed_with_is_shown_and_then_raised():
    """The screen stays with the reason; whoever ran it gets the error."""
    meeting = Failing([START, *CONVERSATION], waits=False)
    with MeetingThread(meeting) as running:

        async def show():
            app = LiveApp(running)
            async with app.run_test() as pilot:
                while not app._ended:
                    await pilot.pause(0.02)
                app.redraw()
                assert app._condition().name == "stopped"

        asyncio.run(show())
    with pytest.raises(AudioError, match="headset"):
        running.result()


def test_a_meeting_is_stopped_when_its_thread_is_left():
    """Whatever ends the screen, the last turn is finished and the log returned."""
    meeting = ScriptedMeeting([START, *CONVERSATION])
    with MeetingThread(meeting) as running:
        pass
    assert running.result()[-1] == meeting.log[-1]
    assert meeting.meeting.end is not None
    with pytest.raises(CommandError, match="has ended"):
        asyncio.run(running.command(command("pause")))


def test_a_screen_that_is_slow_is_shown_less_and_misses_nothing():
    """Partials that nobody drew are replaced; the durable events all arrive."""
    meeting = ScriptedMeeting([START, *CONVERSATION], waits=False)

    async def use():
        reader = meeting.subscribe(0)
        await meeting.run()
        return reader.skipped, await read(reader)

    skipped, events = asyncio.run(use())
    assert skipped > 20
    assert [event.seq for event in events if hasattr(event, "seq")] == list(range(1, len(meeting.log) + 1))
