"""What every way of capturing gives: inputs that can be named, and streams that are read and watched.

`pulse.py` and `portaudio.py` implement this; `line.py` keeps a stream alive. Nothing here knows a library.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from meetscribe.sources.ring import Piece, Stamp

RING_SECONDS = 10  # sound that waits for a program that is held up
LATENCY_MS = 50  # how much sound comes at once


@dataclass(frozen=True)
class AudioInput:
    """Something that can be recorded: a microphone, a line, or what a loudspeaker is playing."""

    name: str  # stable: that of the sound server, or PortAudio's
    description: str
    backend: str  # "pulse" or "portaudio"
    channels: int
    rate: int  # samples per second of the device itself
    channel_map: str = ""
    monitor_of: str | None = None  # the loudspeaker whose sound this is
    default: bool = False

    @property
    def label(self) -> str:
        """Return what people are shown."""
        same = self.description in ("", self.name)
        return self.name if same else f"{self.description} ({self.name})"


class Stream(Protocol):
    """An input that is open. It never waits: `read` takes what has come."""

    rate: int

    def read(self) -> list[Piece]:
        """Return what has come since the last call."""
        ...

    def stamp(self) -> Stamp | None:
        """Say when the last sample came, None before the first."""
        ...

    def problem(self) -> str | None:
        """Say why nothing more will come, None while all is well."""
        ...

    def close(self) -> None:
        """Stop capturing; does nothing the second time."""
        ...


Open = Callable[[AudioInput], Stream]
"""Opens an input; raises MissingError where it cannot be opened (now)."""
