"""Each voice of a stretch of a meeting alone, where its model has a separator, while the meeting may still go on.

The separator runs in a short-lived process (`apps/separate.py`): torch stays out of what records, and a click does not
hold up the worker that transcribes. It hears the stretch and some seconds before it, not the whole meeting, so that a
click in the third hour is answered as fast as in the first. It may therefore have found the two slots in the other
order; which is whose the log's turns tell.
Not covered: HTTP (`meetings.py`), masks on sound (`apps/voices.py`).
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from meetscribe import models
from meetscribe.apps.serve.archive import Recording
from meetscribe.errors import MeetscribeError
from meetscribe.events import Turn
from meetscribe.meeting import Meeting
from meetscribe.timeline import SAMPLE_RATE, Interval

BEFORE = 20 * SAMPLE_RATE
"""Samples before a stretch that the separator hears too: it tells voices apart by what it heard."""

_KEPT = 4  # stretches whose voices are kept: people compare both
_WAITING = 4  # stretches that may wait for the one that is separated
_WITHIN = 120.0  # seconds that separating a stretch may take
_HOP = 160  # samples

Voices = NDArray[np.float32]
"""[2 slots, samples]"""


class BusyError(MeetscribeError):
    """Too many stretches wait to be separated."""


class FailedError(MeetscribeError):
    """The separator could not do it."""


class Separation:
    """Separates stretches of meetings, one at a time.

    Args:
        own_models: folders of models besides those of the package.
    """

    def __init__(self, own_models: Sequence[Path] = ()) -> None:
        self._own_models = own_models
        self._lock, self._waiting = asyncio.Lock(), 0
        self._kept: dict[tuple[str, int | None, Interval], Voices] = {}

    def model(self, name: str | None) -> Path | None:
        """Return where the model of a meeting lies, None where it has no separator or is not here any more."""
        if name is None:
            return None
        try:
            found = models.find(name, self._own_models)
            return found.path if found.configuration().get("separator") else None
        except MeetscribeError:
            return None

    async def voices(
        self, model: Path, meeting: Meeting, recording: Recording, wanted: Interval, channel: int | None
    ) -> Voices:
        """Return both slots' voices of a stretch, of one channel or of all mixed (None).

        Raises:
            BusyError: too many others wait.
            FailedError: the separator could not do it.
        """
        key = (meeting.id, channel, wanted)
        if key in self._kept:
            return self._kept[key]
        if self._waiting > _WAITING:
            raise BusyError("too many voices are being separated; try again in a moment")
        self._waiting += 1
        try:
            async with self._lock:
                if key not in self._kept:
                    self._keep(key, await self._separated(model, meeting, recording, wanted, channel))
                return self._kept[key]
        finally:
            self._waiting -= 1

    def _keep(self, key: tuple[str, int | None, Interval], voices: Voices) -> None:
        while len(self._kept) >= _KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = voices

    async def _separated(
        self, model: Path, meeting: Meeting, recording: Recording, wanted: Interval, channel: int | None
    ) -> Voices:
        begin = max(wanted.start - BEFORE, 0)
        channels = range(recording.channels) if channel is None else [channel]
        parts = [await asyncio.to_thread(recording.read, one, begin, wanted.end) for one in channels]
        voices = await _separate(model, np.stack(parts).mean(axis=0, dtype=np.float32))
        turns = [turn for turn in meeting.turns if turn.channel == channel]
        return ordered(voices, turns, begin, wanted)[:, wanted.start - begin :]


def ordered(voices: Voices, turns: Sequence[Turn], begin: int, wanted: Interval) -> Voices:
    """Return voices in the order of the log's slots: what was said in slot 0 is to be heard in the first.

    Args:
        voices: as the separator found them, from the meeting time `begin` on.
        turns: of the same sound.
        begin: a meeting time.
        wanted: the stretch that matters; what lies before it only decides where both slots talk all the time.
    """
    hops = voices.shape[1] // _HOP
    energies = np.square(voices[:, : hops * _HOP]).reshape(2, hops, _HOP).mean(axis=2)
    louder = (energies[0] - energies[1]) / (energies.sum(axis=0) + 1e-9)
    expected = np.zeros(hops)
    for turn in turns:
        first, last = (max((time - begin) // _HOP, 0) for time in (turn.start, turn.end))
        expected[first:last] += 1 if turn.slot == 0 else -1
    agreement = louder * expected
    agreed = agreement[(wanted.start - begin) // _HOP :].sum() or agreement.sum()
    return voices[::-1] if agreed < 0 else voices


async def _separate(model: Path, samples: NDArray[np.float32]) -> Voices:
    """Run the separator."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "meetscribe.apps.separate",
        str(model),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_WITHIN):
            out, _ = await process.communicate(samples.tobytes())
    except TimeoutError as error:
        raise FailedError("separating the voices took too long; choose a shorter stretch") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or len(out) != 2 * samples.nbytes:
        raise FailedError("the model's separator could not be used; install the model again")
    return np.frombuffer(out, np.float32).reshape(2, -1)
