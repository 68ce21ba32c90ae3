"""The events of a meeting as frozen values; times are integer samples at 16 kHz.

Durable events make up the log: numbered `seq` = 1, 2, 3 … by the session. Ephemeral ones only say what
goes on (`after_seq` = the last durable event before them). Whoever makes an event may leave `session`
and the number out: the session fills them in (`numbered`).
Times are put on whole milliseconds, and figures on the decimals that are written, when a value is made,
so that reading back what was written gives an equal value.
Not covered: names of speakers inside turns (`meeting.py` knows them), and JSON (`formats/wire.py`).
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from meetscribe.timeline import Interval, to_grid

By = Literal["tracker", "person"]
State = Literal["listening", "paused", "degraded", "device_lost", "recovering", "stopped"]
STATES: tuple[State, ...] = ("listening", "paused", "degraded", "device_lost", "recovering", "stopped")
SILENCE_DBFS = -120.0  # the lowest level that is reported


def _put_on_grid(value: object, *names: str) -> None:
    for name in names:
        object.__setattr__(value, name, to_grid(getattr(value, name)))


@dataclass(frozen=True, slots=True)
class Word:
    """A word as heard: `start` and `end` in samples, `confidence` from 0 to 1.

    `estimated` says that the time was interpolated.
    """

    word: str
    start: int
    end: int
    confidence: float = 1.0
    estimated: bool = False

    def __post_init__(self) -> None:
        _put_on_grid(self, "start", "end")
        object.__setattr__(self, "confidence", round(min(max(float(self.confidence), 0.0), 1.0), 3))


@dataclass(frozen=True, slots=True)
class Turn:
    """What one person says until they stop.

    `slot` is the model's output (0 or 1), `channel` the input channel (None: several were mixed),
    `speaker_id` the person within this meeting (None: not known yet), `overlaps` the ids of turns that
    share time with it. `redacted` says that text and words were taken away.
    """

    id: str
    slot: int
    start: int
    end: int
    text: str
    words: tuple[Word, ...] = ()
    channel: int | None = None
    speaker_id: str | None = None
    overlaps: tuple[str, ...] = ()
    redacted: bool = False

    def __post_init__(self) -> None:
        _put_on_grid(self, "start", "end")

    @property
    def interval(self) -> Interval:
        """Return the time from the turn's start to its end."""
        return Interval(self.start, max(self.start, self.end))

    @property
    def slot_letter(self) -> str:
        """Return the slot as people see it while nobody knows who speaks: A for 0, B for 1."""
        return chr(ord("A") + self.slot) if self.slot < 26 else f"slot{self.slot}"

    def redact(self) -> "Turn":
        """Return the turn without its text and words; id, times and place stay."""
        return replace(self, text="", words=(), redacted=True)


@dataclass(frozen=True, slots=True)
class Voice:
    """What a turn tells of its talker: a vector of unit length, and the `seconds` of speech behind it.

    Voices of different embedders cannot be compared. `spectrum` is the mean of the same speech's log-mel energies,
    natural; empty where it is not known. It tells how somebody sounds in this recording, and in no other. A voice is
    written nowhere, in no event, log or message: who is to be remembered says so (`meetscribe people`).
    """

    vector: tuple[float, ...] = field(repr=False)
    seconds: float
    embedder: str = ""
    spectrum: tuple[float, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One change to who is who: a name, a merge `into` another speaker, or `turns` given to this speaker.

    `confidence` is how sure the tracker is of a name that it remembers.
    """

    speaker_id: str
    speaker: str | None = None
    into: str | None = None
    turns: tuple[str, ...] | None = None
    confidence: float | None = None

    def __post_init__(self) -> None:
        if self.confidence is not None:
            object.__setattr__(self, "confidence", round(min(max(float(self.confidence), 0.0), 1.0), 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has: the meeting's id and the meeting time `at` which it belongs (samples)."""

    session: str = ""
    at: int = 0

    def __post_init__(self) -> None:
        _put_on_grid(self, "at")


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableEvent(Event):
    """An event of the log; `seq` counts from 1 without holes, 0 means not numbered yet."""

    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralEvent(Event):
    """An event that is shown and forgotten; `after_seq` is the last durable event before it."""

    after_seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(DurableEvent):
    """The beginning of a meeting; `started` is ISO 8601."""

    title: str
    started: str
    sources: tuple[str, ...] = ()
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Final(DurableEvent):
    """A finished turn; its words never change by themselves.

    `voice` goes from who heard the turn to who tells people apart, and no further.
    """

    turn: Turn
    voice: Voice | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerUpdate(DurableEvent):
    """Changes to who is who, made by the tracker or by a person."""

    changes: tuple[Change, ...]
    by: By = "tracker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction(DurableEvent):
    """A new text for a turn (its id); `redacted` says that the text was taken away."""

    turn: str
    text: str
    by: By = "person"
    redacted: bool = False

    def redact(self) -> "Correction":
        """Return the correction without its text."""
        return replace(self, text="", redacted=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap(DurableEvent):
    """Audio that is missing on a channel (None: on all) from `start` to `end`."""

    start: int
    end: int
    reason: str
    channel: int | None = None

    def __post_init__(self) -> None:
        _put_on_grid(self, "at", "start", "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark(DurableEvent):
    """A place that somebody marked."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffRecord(DurableEvent):
    """What was said from `start` to `end` is not to be kept."""

    start: int
    end: int

    def __post_init__(self) -> None:
        _put_on_grid(self, "at", "start", "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(DurableEvent):
    """The state of the session from here on."""

    state: State
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class End(DurableEvent):
    """The end of the meeting and its whole `duration` (samples)."""

    reason: str
    duration: int

    def __post_init__(self) -> None:
        _put_on_grid(self, "at", "duration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial(EphemeralEvent):
    """A turn while it is spoken: the next `revision` may replace it, except its first `stable` words."""

    turn: Turn
    revision: int
    stable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStart(EphemeralEvent):
    """Somebody began to speak at `start`."""

    turn: str
    slot: int
    start: int

    def __post_init__(self) -> None:
        _put_on_grid(self, "at", "start")


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnd(EphemeralEvent):
    """A turn closed; it ended at `end`."""

    turn: str
    slot: int
    end: int

    def __post_init__(self) -> None:
        _put_on_grid(self, "at", "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Level(EphemeralEvent):
    """How loud each input channel is (dBFS, -120 is silence)."""

    levels: tuple[float, ...]

    def __post_init__(self) -> None:
        _put_on_grid(self, "at")
        lowest = SILENCE_DBFS
        object.__setattr__(self, "levels", tuple(round(max(float(x), lowest), 1) for x in self.levels))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag(EphemeralEvent):
    """How far the transcript is `behind` the audio (samples)."""

    behind: int

    def __post_init__(self) -> None:
        _put_on_grid(self, "at", "behind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(EphemeralEvent):
    """How much of a recording is `done`, of `total` (samples; None: length not known)."""

    done: int
    total: int | None = None

    def __post_init__(self) -> None:
        _put_on_grid(self, "at", "done")
        if self.total is not None:
            _put_on_grid(self, "total")


def numbered(event: Event, session: str, last_seq: int) -> Event:
    """Return the event with the meeting's id and its number after `last_seq` durable events."""
    if isinstance(event, DurableEvent):
        return replace(event, session=session, seq=last_seq + 1)
    if isinstance(event, EphemeralEvent):
        return replace(event, session=session, after_seq=last_seq)
    raise TypeError(f"{type(event).__name__} is neither durable nor ephemeral")
