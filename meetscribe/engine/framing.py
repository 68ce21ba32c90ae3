"""Messages between a session's process and its worker: pickled values with their length in front, over a socket pair.

Both ends are processes of one program on one machine; nothing from elsewhere is ever unpickled.
"""

import asyncio
import pickle
import select
import socket
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Event
from meetscribe.lm.wording import USUAL, Wording

_HEAD = struct.Struct("!I")


@dataclass(frozen=True)
class Open:
    """To the worker: a stream begins, whose first sample has the meeting time `start`."""

    stream: int
    start: int
    wording: Wording = USUAL


@dataclass(frozen=True, eq=False)
class Audio:
    """To the worker: further samples of a stream."""

    stream: int
    samples: NDArray[np.float32]


@dataclass(frozen=True)
class Finish:
    """To the worker: no more audio comes."""

    stream: int


@dataclass(frozen=True)
class Drop:
    """To the worker: a stream is not needed any more."""

    stream: int


@dataclass(frozen=True)
class Ready:
    """From the worker: the model is loaded."""


@dataclass(frozen=True)
class Failed:
    """From the worker: it ends, because of an error; `kind` is its class, `lasting` says that it would come again."""

    sentence: str
    lasting: bool


@dataclass(frozen=True)
class Report:
    """From the worker: what came of a stream, which has `heard` so many samples; `ended`: nothing follows."""

    stream: int
    events: tuple[Event, ...]
    heard: int
    ended: bool


def packed(message: Any) -> bytes:
    """Return a message as bytes."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return _HEAD.pack(len(body)) + body


async def read_message(reader: asyncio.StreamReader) -> Any:
    """Return the next message.

    Raises:
        EOFError, ConnectionError: the other end is gone.
    """
    (length,) = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    return pickle.loads(await reader.readexactly(length))


class Inbox:
    """The worker's end of the socket: gives the messages that have come, and waits for one if asked to."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._bytes = bytearray()

    def take(self, wait: bool) -> list[Any]:
        """Return the messages that are there; with `wait` at least one.

        Raises:
            EOFError: the other end is gone.
        """
        while True:
            while select.select([self._link], [], [], 0)[0]:
                got = self._link.recv(1 << 18)
                if not got:
                    raise EOFError
                self._bytes += got
            messages = list(self._whole())
            if messages or not wait:
                return messages
            select.select([self._link], [], [])

    def _whole(self) -> list[Any]:
        found = []
        while len(self._bytes) >= _HEAD.size:
            end = _HEAD.size + _HEAD.unpack_from(self._bytes)[0]
            if len(self._bytes) < end:
                break
            found.append(pickle.loads(self._bytes[_HEAD.size : end]))
            del self._bytes[:end]
        return found
