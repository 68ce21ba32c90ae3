"""A live meeting without a screen: turns or JSON lines on stdout, commands on stdin, and an end in order on a signal.

The first SIGINT, SIGTERM or SIGHUP ends the meeting, its last turn finished; the second one leaves at once, and the
next start finishes the transcript.
"""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable

from meetscribe.apps.own_meeting import OwnMeeting
from meetscribe.events import DurableEvent, Event, Status
from meetscribe.session.commands import CommandError, ack_json, error_json, parse
from meetscribe.sinks.jsonl import JsonLinesSink

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LONGEST_LINE = 1 << 20  # bytes of a command
_AT_ONCE = 130


class StatusSink:
    """Says on stderr in what state the meeting is, when that changes."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    async def emit(self, event: Event) -> None:
        """Say a state."""
        if isinstance(event, Status):
            self._say(event.state if event.reason is None else f"{event.state}: {event.reason}")

    async def close(self) -> None:
        """Nothing is open."""


async def run(
    meeting: OwnMeeting, say: Callable[[str], None], commands: JsonLinesSink | None
) -> list[DurableEvent]:
    """Run a meeting until its source ends or a signal comes; with `commands`, stdin is read for them."""
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(meeting.run(), name="meeting")

    def stop(number: signal.Signals) -> None:
        if meeting.session.state == "stopped":
            say("left at once; the next start finishes the transcript")
            os._exit(_AT_ONCE)
        say(f"{number.name}: the last turn is finished, then the meeting ends")
        meeting.finishes_others = False
        meeting.session.stop(f"stopped by {number.name}")

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop, number)
    tasks: set[asyncio.Task[None]] = set()
    if commands is not None:

        def take(line: bytes) -> None:
            task = asyncio.create_task(_carry_out(meeting, line, commands))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        _read_lines(loop, take)
    try:
        return await running
    finally:
        await asyncio.gather(*tasks, return_exceptions=True)
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


async def _carry_out(meeting: OwnMeeting, line: bytes, out: JsonLinesSink) -> None:
    """Carry out the command of a line, and answer."""
    try:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CommandError("bad_json", f"a line is not JSON ({error})") from error
        answer = ack_json(await meeting.command(parse(value)))
    except CommandError as error:
        answer = error_json(error)
    await out.answer(answer)


def _read_lines(loop: asyncio.AbstractEventLoop, take: Callable[[bytes], None]) -> None:
    """Hand every line of stdin to `take`, in the loop's thread.

    The thread reads the descriptor itself: one that waits inside `sys.stdin` would keep the program from ending.
    """

    def read() -> None:
        left = b""
        try:
            while got := os.read(sys.stdin.fileno(), 1 << 16):
                *lines, left = (left + got).split(b"\n")
                for line in lines:
                    if line.strip():
                        loop.call_soon_threadsafe(take, line)
                if len(left) > _LONGEST_LINE:
                    return
        except (OSError, ValueError, RuntimeError):
            return  # there is no stdin, or the meeting is over

    threading.Thread(target=read, name="stdin", daemon=True).start()
