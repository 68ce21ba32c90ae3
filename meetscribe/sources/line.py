"""One input of a meeting from its first sample to the last: opened, watched, opened again, always on the clock.

A library that loses its device says nothing, or only stops: what counts is that sound comes. Whatever was lost leaves a
hole in the positions as long as the time that went by. `poll` never waits; opening, which may, happens in a thread.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass

from meetscribe.errors import MeetscribeError
from meetscribe.sources.capturing import AudioInput, Open, Stream
from meetscribe.sources.listening import Channels, Heard, Listening

AGAIN = 2.0  # seconds between attempts to open again; the first comes at once
LOOK = 3.0  # seconds between looks whether the loudspeaker in use is another one


@dataclass(frozen=True)
class Lost:
    """The input is gone; it is looked for."""

    reason: str


@dataclass(frozen=True)
class Back:
    """The input gives sound again."""

    reason: str


Item = Heard | Lost | Back
Find = Callable[[], AudioInput]
"""Returns the input as it is now; raises MeetscribeError where it is not there."""


class Line:
    """Keeps one input alive.

    Args:
        wanted: the input as it was found first.
        find: finds it again.
        open_stream: opens it.
        channels: which of its channels are wanted.
        follows: the input may become another one while it is recorded (system sound follows the loudspeaker).
        executor: where `find` and `open_stream` run, which may wait.
    """

    def __init__(
        self,
        wanted: AudioInput,
        find: Find,
        open_stream: Open,
        channels: Channels,
        *,
        follows: bool = False,
        executor: Executor | None = None,
    ) -> None:
        self.input, self.channels = wanted, channels
        self.steered = False  # whether its clock is made to agree with ours
        self._find, self._open, self._follows = find, open_stream, follows
        self._executor = executor or ThreadPoolExecutor(1, f"open {wanted.name}")
        self._opening: Future[tuple[AudioInput, Stream]] | None = None
        self._looking: Future[AudioInput] | None = None
        self._listening: Listening | None = None
        self._end = 0  # position after all that was given
        self._lost: float | None = None  # since when it is lost
        self._again = self._look = 0.0  # when to open, and to look, again

    @property
    def live(self) -> bool:
        """Say whether sound comes."""
        return self._listening is not None and self._listening.heard

    def start(self, time: float) -> None:
        """Open the input for the first time; `time`: seconds of the clock, here and below.

        Raises:
            MissingError: it cannot be opened.
        """
        self._listen(self._open(self.input), time)

    def poll(self, time: float) -> list[Item]:
        """Return what has happened."""
        if self._listening is None and not self._opened(time):
            return []
        assert self._listening is not None
        items: list[Item] = list(self._listening.read(time))
        if self._lost is not None and self._listening.heard:
            items.append(Back(f"{self.input.label} is recorded again after {time - self._lost:.1f} s"))
            self._lost = None
        problem = self._listening.problem(time) or self._elsewhere(time)
        if problem is not None:
            items += self._lose(problem, time)
        self._end = max([self._end, *(item.end for item in items if isinstance(item, Heard))])
        return items

    def close(self) -> None:
        """Stop recording."""
        if self._listening is not None:
            self._listening.finish(0.0)
            self._listening = None
        if self._opening is not None:
            self._opening.add_done_callback(_close_what_came)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _listen(self, stream: Stream, time: float) -> None:
        self._listening = Listening(
            stream, self.channels, steered=self.steered, opened=time, earliest=self._end
        )

    def _lose(self, problem: str, time: float) -> list[Item]:
        """Give what is left of the stream, close it, and say that it is lost unless that is known."""
        assert self._listening is not None
        rest: list[Item] = list(self._listening.finish(time))
        self._listening = None
        if self._lost is not None:  # it was opened again and gave nothing
            self._again = time + AGAIN
            return []
        self._lost, self._again = time, time
        return [*rest, Lost(f"{self.input.label}: {problem}")]

    def _opened(self, time: float) -> bool:
        """Look for the input again, a step at a time; say whether it is open."""
        if self._opening is None and time >= self._again:
            self._opening = self._executor.submit(self._find_and_open)
        if self._opening is None or not self._opening.done():
            return False
        opening, self._opening = self._opening, None
        try:
            self.input, stream = opening.result()
        except MeetscribeError:
            self._again = time + AGAIN
            return False
        self._listen(stream, time)
        return True

    def _find_and_open(self) -> tuple[AudioInput, Stream]:
        found = self._find()
        return found, self._open(found)

    def _elsewhere(self, time: float) -> str | None:
        """Say where the sound goes now, if the input follows and another one is in use."""
        if not self._follows or time < self._look:
            return None
        if self._looking is None:
            self._looking = self._executor.submit(self._find)
        if not self._looking.done():
            return None
        looking, self._looking = self._looking, None
        self._look = time + LOOK
        try:
            found = looking.result()
        except MeetscribeError:
            return None
        return None if found.name == self.input.name else f"the sound goes to {found.label} now"


def _close_what_came(opening: Future[tuple[AudioInput, Stream]]) -> None:
    """Close a stream that was still being opened when nobody wanted it any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[1].close()
