"""Meetings that were cut off: what was recorded and never became text is transcribed, and the meeting gets its end.

A recovery is a session over a source that has ended: it hears what its recorder holds and its log does not. It may be
interrupted and done again.
"""

from collections.abc import AsyncIterator
from pathlib import Path

from meetscribe.events import DurableEvent
from meetscribe.meeting import fold
from meetscribe.session import marks
from meetscribe.session.fanout import Subscription
from meetscribe.session.ports import Block, EventLog, Recognition, SourceState
from meetscribe.session.recorder import FileRecorder, Recording, read_marks
from meetscribe.session.session import MeetingSession, SessionSettings
from meetscribe.session.speakers import SpeakerSettings

REASON = "recovered after an interruption"


class _Over:
    """A source that has ended."""

    name, length = "recording", None

    def __init__(self, channels: int) -> None:
        self.channels = channels

    async def blocks(self) -> AsyncIterator[Block | SourceState]:
        """Give nothing."""
        for nothing in ():
            yield nothing


class Recovery:
    """One meeting that was cut off.

    Args:
        kept: its log, which has no end.
        directory: the folder with its recording.
        recognition: who transcribes; it stays open.
        speakers: how people are told apart.
    """

    def __init__(
        self,
        kept: EventLog,
        directory: Path,
        recognition: Recognition,
        speakers: SpeakerSettings | None = None,
    ) -> None:
        meeting = fold(kept.since(0))
        if meeting.session is None:
            raise ValueError("a log without a beginning cannot be recovered")
        channels = max(Recording(directory).channels, 1)
        known = marks.loads(read_marks(directory))
        apart = any(turn.channel is not None for turn in meeting.heard.values())
        mixed = not apart if known is None else known.mixed
        self._session = MeetingSession(
            meeting.session,
            _Over(channels),
            recognition,
            settings=SessionSettings(patient=True, mixed=mixed, ended=REASON),
            kept=kept,
            recorder=FileRecorder(directory, channels),
            speakers=speakers or SpeakerSettings(),
        )

    @property
    def left(self) -> int:
        """Return how many samples are still to be transcribed."""
        return self._session.behind

    def subscribe(self) -> Subscription:
        """Return a reader of what the recovery adds."""
        return self._session.subscribe(self._session.meeting.seq)

    async def run(self) -> list[DurableEvent]:
        """Recover the meeting and return its log, which has an end now."""
        return await self._session.run()
