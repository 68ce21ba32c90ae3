"""A stream for each channel, and the turns of a channel its owner's: recognition that knows whose channel it hears.

Not covered: telling people apart inside one channel (the speakers' own part of the program).
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from meetscribe.events import Change, Event, Final, Partial, SpeakerUpdate
from meetscribe.session.ports import Recognition, RecognitionStream


def speaker_of(channel: int) -> str:
    """Return the id of a channel's owner."""
    return f"s{channel + 1}"


class OwnedRecognition:
    """Another recognition whose turns have speakers: channel n's are the owner of channel n's, called `names[n]`."""

    def __init__(self, recognition: Recognition, names: Sequence[str]) -> None:
        self._recognition, self._names = recognition, names
        self._named: set[int] = set()

    async def open(self, start: int = 0, label: str = "") -> RecognitionStream:
        """Begin a stream of the channel whose number `label` is."""
        stream = await self._recognition.open(start, label)
        return _OwnedStream(stream, int(label or 0), self._names, self._named)

    async def close(self) -> None:
        """End everything."""
        await self._recognition.close()


class _OwnedStream:
    """One channel's stream; its owner is named before their first turn."""

    def __init__(
        self, stream: RecognitionStream, channel: int, names: Sequence[str], named: set[int]
    ) -> None:
        self._stream, self._channel, self._names, self._named = stream, channel, names, named

    @property
    def heard(self) -> int:
        """Return how many samples were transcribed so far."""
        return self._stream.heard

    async def feed(self, samples: NDArray[np.float32]) -> None:
        """Take further samples."""
        await self._stream.feed(samples)

    async def finish(self) -> None:
        """Take notice that no more audio comes."""
        await self._stream.finish()

    def close(self) -> None:
        """Give the stream up."""
        self._stream.close()

    async def events(self) -> AsyncIterator[Event]:
        """Give the events, turns with their speaker."""
        owner = speaker_of(self._channel)
        async for event in self._stream.events():
            if isinstance(event, Final | Partial):
                if self._channel not in self._named and self._channel < len(self._names):
                    self._named.add(self._channel)
                    change = Change(owner, self._names[self._channel])
                    yield SpeakerUpdate(at=event.at, changes=(change,))
                yield replace(event, turn=replace(event.turn, speaker_id=owner))
            else:
                yield event
