"""What the screen needs of a meeting, and a meeting in a thread of its own.

A terminal that stands still (a lost connection, Ctrl+S) blocks whoever writes to it. The meeting therefore runs in
another thread than the screen: it records and transcribes whatever becomes of the terminal.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Protocol, Self, TypeVar

from meetscribe.errors import MeetscribeError
from meetscribe.events import DurableEvent, Event
from meetscribe.session.commands import Ack, Command, CommandError

Answer = TypeVar("Answer")


class Reader(Protocol):
    """Gives events in order and ends with the meeting (`meetscribe.session.fanout.Subscription`)."""

    def __aiter__(self) -> Self:
        """Return itself."""
        ...

    async def __anext__(self) -> Event:
        """Return the next event."""
        ...

    def close(self) -> None:
        """Read no more."""
        ...


class Meeting(Protocol):
    """A meeting that the screen shows."""

    def subscribe(self, after_seq: int = 0) -> Reader:
        """Return a reader of the events after `after_seq`."""
        ...

    async def read_log(self) -> Sequence[DurableEvent]:
        """Return the durable events so far."""
        ...

    async def command(self, command: Command) -> Ack:
        """Carry out a command.

        Raises:
            CommandError: it cannot be carried out.
        """
        ...


class RunningMeeting(Protocol):
    """A meeting that still has to be run (`meetscribe.apps.own_meeting.OwnMeeting`).

    `say` gets what it has to say about other meetings, a sentence at a time, in the thread in which it runs.
    """

    say: Callable[[str], None]

    @property
    def log(self) -> Sequence[DurableEvent]:
        """Return the durable events so far."""
        ...

    def subscribe(self, after_seq: int = 0) -> Reader:
        """Return a reader of the events after `after_seq`."""
        ...

    async def command(self, command: Command) -> Ack:
        """Carry out a command.

        Raises:
            CommandError: it cannot be carried out.
        """
        ...

    async def run(self) -> list[DurableEvent]:
        """Run the meeting to its end and return its log."""
        ...


class MeetingThread:
    """Runs a meeting in a thread, and is that meeting for the thread of the screen.

    Leave its `with` and the meeting has ended: it is asked to stop, and its last turn is finished.
    """

    def __init__(self, meeting: RunningMeeting) -> None:
        self._meeting = meeting
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="meeting")
        self._done: Future[list[DurableEvent]] = Future()
        self._read_out = asyncio.Event()  # nobody reads events any more

    def __enter__(self) -> Self:
        self._reader = self._meeting.subscribe(0)  # before anything happens, so that nothing is missed
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._call(self._read_out.set)
        while self._thread.is_alive():
            self._thread.join(0.2)  # with a limit, so that an interrupt is heard

    @property
    def is_running(self) -> bool:
        """Say whether the meeting goes on."""
        return not self._done.done()

    def subscribe(self, after_seq: int = 0) -> Reader:
        """Return the one reader that there is; it begins with the meeting."""
        del after_seq
        return _Across(self)

    async def read_log(self) -> Sequence[DurableEvent]:
        """Return the durable events so far, read in the meeting's thread while that is at work."""
        return list(self._meeting.log) if self._done.done() else await self.across(self._read_log())

    async def command(self, command: Command) -> Ack:
        """Carry out a command, in the meeting's thread while that is at work."""
        if self._done.done():
            return await self._meeting.command(command)
        return await self.across(self._meeting.command(command))

    def stop(self) -> None:
        """Ask the meeting to end."""
        if self.is_running:
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop)

    def wait(self) -> None:
        """Wait until the meeting has ended, or somebody interrupts."""
        self.close_reader()
        with suppress(KeyboardInterrupt):
            while self._thread.is_alive():
                self._thread.join(0.2)

    def result(self) -> list[DurableEvent]:
        """Return the log of a meeting that has ended.

        Raises:
            MeetscribeError: what the meeting failed with.
        """
        return self._done.result()

    def close_reader(self) -> None:
        """Let the meeting's thread end: nobody reads what it has to say."""
        self._call(self._reader.close)
        self._call(self._read_out.set)

    async def next_event(self) -> Event:
        """Return the reader's next event, in the meeting's thread."""
        try:
            return await self._reader.__anext__()
        except (StopAsyncIteration, MeetscribeError):
            self._read_out.set()
            raise

    async def across(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Await something in the meeting's thread."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def _read_log(self) -> Sequence[DurableEvent]:
        return list(self._meeting.log)

    async def _stop(self) -> None:
        with suppress(CommandError):  # it has ended, or will
            await self._meeting.command(Command(id="leave", name="stop"))

    def _call(self, work: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop is closed: the meeting's thread has ended
            self._loop.call_soon_threadsafe(work)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._hold())

    async def _hold(self) -> None:
        """Run the meeting, and stay until its events are read."""
        try:
            self._done.set_result(await self._meeting.run())
        except BaseException as error:
            self._done.set_exception(error)
        await self._read_out.wait()


class _Across:
    """The events of a meeting in another thread."""

    def __init__(self, thread: MeetingThread) -> None:
        self._thread = thread

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        return await self._thread.across(self._thread.next_event())

    def close(self) -> None:
        """Read no more."""
        self._thread.close_reader()
