"""The audio inputs of one meeting: which client's stream is which lane, what of it is safe, and when it is given up.

A stream is known again by its name, also after a restart: the file `inputs.json` beside the recording says where in the
meeting each one began.
Not covered: messages and sockets (`native.py`), decoding (`sources/websocket.py`), mixing (`sources/lanes.py`).
"""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meetscribe.apps.serve.messages import AudioFormat
from meetscribe.sources.lanes import ClientsSource, Lane
from meetscribe.sources.websocket import ClientAudioError, ClientStream, client_stream
from meetscribe.timeline import SAMPLE_RATE

AWAY = 30.0
"""Seconds that a client may be gone before its audio is over."""

MOST = 8
"""Inputs that are not over, in one meeting."""

_PLAUSIBLE_LOSS = (
    600.0  # seconds of a stream that a client may say are lost, besides the time that it was away
)


class InputRefusedError(Exception):
    """This audio cannot join the meeting; the message is for the client."""


@dataclass(eq=False)
class AudioInput:
    """One client's stream in one meeting; `replaced` is called when another connection takes it over."""

    format: AudioFormat
    lane: Lane
    stream: ClientStream
    replaced: Callable[[], None] | None = None
    last: float = 0.0  # when audio came last, on the loop's clock
    giving_up: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def name(self) -> str | None:
        """Return the name of its stream."""
        return self.format.stream

    @property
    def resumable(self) -> bool:
        """Say whether it can be taken up again."""
        return self.format.stream is not None

    def safe(self, recorded: int) -> int:
        """Return up to where (at its own rate) it is in a recording of this length."""
        return max(0, min(self.stream.to_stream(recorded - self.lane.offset), self.stream.expected))

    def is_heard(self, position: int) -> bool:
        """Say whether the meeting has all of it, up to a meeting time."""
        return position >= self.lane.end


class Inputs:
    """All inputs of a meeting that clients' audio makes.

    Args:
        source: what the meeting hears.
        register: where to remember who is who; None: nowhere.
    """

    def __init__(self, source: ClientsSource, register: "Register | None" = None) -> None:
        self.source = source
        self._register = register
        self._inputs: list[AudioInput] = []

    @property
    def active(self) -> list[AudioInput]:
        """Return the inputs that are not over."""
        return [one for one in self._inputs if not one.lane.over]

    def restore(self, inputs: list[dict[str, Any]]) -> None:
        """Take up the inputs of a meeting that goes on after a restart; each has its time to come back."""
        for known in inputs:
            format = AudioFormat(**known["format"])
            lane = self.source.add(format.name, format.channels, known["offset"])
            input = AudioInput(format, lane, _stream(format))
            position = input.stream.to_stream(max(self.source.given - lane.offset, 0))
            input.stream = _stream(format, position)
            self._inputs.append(input)
            self.leave(input)
        if not self._inputs:
            self.source.finish()

    def join(self, format: AudioFormat, replaced: Callable[[], None]) -> AudioInput:
        """Return the input of a client that has come, or come back.

        Raises:
            InputRefusedError: it is over, of another kind than it was, or there are too many.
        """
        input = next((one for one in self._inputs if one.resumable and one.name == format.stream), None)
        if input is None:
            input = self._add(format)
        else:
            self._take_up(input, format)
        input.replaced, input.lane.present = replaced, True
        input.last = asyncio.get_running_loop().time()
        self.source.notice()
        return input

    def hear(self, input: AudioInput, audio: bytes, position: int | None) -> None:
        """Take a frame.

        Raises:
            ClientAudioError: it is no such audio, or its position cannot be.
        """
        now = asyncio.get_running_loop().time()
        if position is not None:
            missing = (position - input.stream.expected) / input.format.sample_rate
            if missing > now - input.last + _PLAUSIBLE_LOSS:
                raise ClientAudioError(f"{missing:.0f} s of this stream cannot be missing")
        input.last = now
        input.lane.push(input.stream.receive(audio, position))
        self.source.notice()

    def leave(self, input: AudioInput) -> None:
        """Take notice that the client is gone; it has `AWAY` seconds to come back."""
        if input.lane.over:
            return
        input.lane.present, input.replaced = False, None
        input.giving_up = asyncio.get_running_loop().call_later(AWAY, self.end, input)
        if (
            not input.resumable
        ):  # others need not wait for it, but the meeting lasts until somebody may have come back
            input.lane.push(input.stream.finish())
            input.lane.over = True
        self.source.notice()

    def end(self, input: AudioInput) -> None:
        """Take notice that an input has said all; after the last one the meeting ends."""
        if input.giving_up is not None:
            input.giving_up.cancel()
            input.giving_up = None
        if not input.lane.over:
            input.lane.push(input.stream.finish())
            input.lane.over = True
            self._remember()
        if self.active or any(one.giving_up is not None for one in self._inputs):
            self.source.notice()
        else:
            self.source.finish()

    def close(self) -> None:
        """Give up the timers."""
        for input in self._inputs:
            if input.giving_up is not None:
                input.giving_up.cancel()

    def _add(self, format: AudioFormat) -> AudioInput:
        if len(self.active) >= MOST:
            raise InputRefusedError(f"this meeting has {MOST} audio inputs already")
        lane = self.source.add(format.name or "client", format.channels)
        position = format.position if format.stream is not None else 0
        input = AudioInput(format, lane, _stream(format, position))
        lane.offset -= position * SAMPLE_RATE // format.sample_rate  # what it lost before is no gap here
        self._inputs.append(input)
        self._remember()
        return input

    def _take_up(self, input: AudioInput, format: AudioFormat) -> None:
        known = input.format
        if input.lane.over:
            raise InputRefusedError("this stream has ended; begin another one")
        if (format.encoding, format.sample_rate, format.channels) != (
            known.encoding,
            known.sample_rate,
            known.channels,
        ):
            raise InputRefusedError(
                f"this stream is {known.encoding} with {known.sample_rate} Hz, {known.channels} channels"
            )
        if input.giving_up is not None:
            input.giving_up.cancel()
            input.giving_up = None
        if input.replaced is not None:
            input.replaced()

    def _remember(self) -> None:
        if self._register is not None:
            self._register.write(
                [
                    {"format": vars(one.format), "offset": one.lane.offset}
                    for one in self.active
                    if one.resumable
                ]
            )


def _stream(format: AudioFormat, position: int = 0) -> ClientStream:
    return client_stream(format.encoding, format.sample_rate, format.channels, position)


class Register:
    """The file that says which streams a meeting has, and how many channels."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.channels, self.inputs = self._read()

    def begin(self, channels: int) -> None:
        """Make it where it is not there: a server holds this meeting."""
        self.channels = channels
        if not self._path.exists():
            self.write([])

    def write(self, inputs: list[dict[str, Any]]) -> None:
        """Replace what it says; the file is whole at any moment."""
        self.inputs = inputs
        part = self._path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            json.dump({"channels": self.channels, "inputs": inputs}, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path)

    def forget(self) -> None:
        """Remove it."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> tuple[int, list[dict[str, Any]]]:
        """Return what it says; nothing where it says nothing that can be read."""
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
            return int(known["channels"]), list(known["inputs"])
        except (OSError, ValueError, KeyError, TypeError):
            return 1, []
