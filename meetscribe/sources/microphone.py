"""What is said now: one or several live inputs as one source, with states when one is lost and when it is back.

The program is never kept waiting: every 50 ms it takes what the capturing threads have stored. Inputs that come from
different clocks are kept together by the computer's own (`timebase.py`), and positions go on while nothing comes.
Not covered: opening by name (`inputs.py`), and the ways of capturing (`pulse.py`, `portaudio.py`).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol

from meetscribe.session.ports import Block, Hole, SourceState
from meetscribe.sources.line import Line, Lost
from meetscribe.sources.listening import Heard
from meetscribe.sources.ring import now
from meetscribe.sources.together import SMALL, Together

TICK = 0.05  # seconds between looks at what has come


class Remover(Protocol):
    """Takes from the microphones what the loudspeaker plays."""

    def feed(self, block: Block) -> list[Block]:
        """Return blocks of the same channels, of everything so far or a little less."""
        ...

    def flush(self) -> list[Block]:
        """Return what is left; the next block need not follow."""
        ...


class LiveSource:
    """Live inputs as one source; it ends when whoever reads it stops.

    Args:
        lines: the inputs, opened when the reading begins.
        echo: takes the loudspeaker out of the microphones, or None.
        clock: seconds that go on while the computer sleeps.
    """

    def __init__(
        self, lines: Sequence[Line], echo: Remover | None = None, clock: Callable[[], float] = now
    ) -> None:
        self.lines, self._echo, self._clock = list(lines), echo, clock
        self._together = Together([line.channels.count for line in lines])
        self._begin: int | None = None  # position of the first sound
        self._down: dict[int, str] = {}  # lines that are lost, and why
        for line in self.lines:
            line.steered = len(self.lines) > 1

    @property
    def name(self) -> str:
        """Return what people call the inputs."""
        return " + ".join(line.input.label for line in self.lines)

    @property
    def length(self) -> int | None:
        """Return None: nobody knows how long it will be."""
        return None

    @property
    def channels(self) -> int:
        """Return how many channels blocks have."""
        return sum(line.channels.count for line in self.lines)

    @property
    def labels(self) -> tuple[str, ...]:
        """Return what people call the channels, in order."""
        return tuple(line.input.label for line in self.lines for _ in range(line.channels.count))

    async def blocks(self) -> AsyncGenerator[Block | SourceState, None]:
        """Give the sound as it comes, and what happens to the inputs.

        Raises:
            MissingError: an input cannot be opened at the beginning; later it is opened again and again.
        """
        try:
            for line in self.lines:
                await asyncio.to_thread(line.start, self._clock())
            while True:
                for item in self.poll():
                    yield item
                await asyncio.sleep(TICK)
        finally:
            for line in self.lines:
                line.close()

    def poll(self) -> list[Block | SourceState]:
        """Return what has happened since the last call."""
        time = self._clock()
        before: list[SourceState] = []  # why something is missing
        after: list[SourceState] = []
        for number, line in enumerate(self.lines):
            holes: list[Hole] = []
            for item in line.poll(time):
                if isinstance(item, Heard):
                    holes += self._holes(number, item)
                    self._together.add(number, item)
                    if item.missing is not None:
                        before.append(SourceState("degraded", f"{line.input.label}: {item.missing}"))
                        after.append(self._state("the sound is complete again", holes))
                        holes = []
                elif isinstance(item, Lost):
                    self._down[number] = item.reason
                    after.append(self._state(item.reason))
                else:
                    self._down.pop(number, None)
                    after.append(self._state(item.reason, holes))
        return [*before, *self._ready(), *after]

    def _holes(self, number: int, heard: Heard) -> list[Hole]:
        """Return what is missing in an input's channels before a piece, where other inputs may have sound."""
        end, begin = self._together.ends[number], self._begin
        if len(self.lines) == 1 or begin is None or not end or heard.position - end <= SMALL:
            return []
        reason = heard.missing or self._down.get(number) or "no sound came"
        first = sum(line.channels.count for line in self.lines[:number])
        channels = range(first, first + self.lines[number].channels.count)
        return [Hole(channel, end - begin, heard.position - begin, reason) for channel in channels]

    def _state(self, otherwise: str, holes: Sequence[Hole] = ()) -> SourceState:
        """Return the state of all inputs."""
        if self._down:
            return SourceState("device_lost", "; ".join(self._down.values()), tuple(holes))
        return SourceState("listening", otherwise, tuple(holes))

    def _ready(self) -> list[Block]:
        """Return the sound that all live inputs have; those that are lost do not keep the others waiting."""
        ends = [end for end, line in zip(self._together.ends, self.lines, strict=True) if line.live]
        limit = min(ends, default=0) or max(self._together.ends)
        blocks = self._together.take(limit)
        if blocks and self._begin is None:
            self._begin = blocks[0].position
        blocks = [Block(block.position - (self._begin or 0), block.samples) for block in blocks]
        return blocks if self._echo is None else self._without_echo(blocks)

    def _without_echo(self, blocks: list[Block]) -> list[Block]:
        assert self._echo is not None
        return [clean for block in blocks for clean in self._echo.feed(block)]
