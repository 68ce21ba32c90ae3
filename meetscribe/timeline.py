"""Meeting time: integer samples at 16 kHz inside, seconds with three decimals at the edges.

What events hold lies on whole milliseconds (16 samples), so that a time survives being written and read.
Not covered: wall-clock time, which only a session's start knows.
"""

from dataclasses import dataclass

SAMPLE_RATE = 16_000
GRID = SAMPLE_RATE // 1000  # samples in a millisecond


def to_seconds(samples: int) -> float:
    """Return seconds, rounded to three decimals, of a number of samples."""
    return round(samples / SAMPLE_RATE, 3)


def to_samples(seconds: float) -> int:
    """Return the number of samples nearest to `seconds`."""
    return round(seconds * SAMPLE_RATE)


def to_grid(samples: int) -> int:
    """Return the whole millisecond nearest to `samples`, in samples; half a millisecond goes up."""
    return (samples + GRID // 2) // GRID * GRID


def clock(samples: int) -> str:
    """Return a meeting time as people read it: `0:07`, `12:34`, `1:02:03`."""
    minutes, seconds = divmod(max(samples, 0) // SAMPLE_RATE, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def fine_clock(samples: int) -> str:
    """Return a meeting time with tenths: `00:07.3`, `12:34.0`, `1:02:03.9`."""
    tenths = max(samples, 0) * 10 // SAMPLE_RATE
    minutes, seconds = divmod(tenths // 10, 60)
    hours, minutes = divmod(minutes, 60)
    shown = f"{minutes:02d}:{seconds:02d}.{tenths % 10}"
    return f"{hours}:{shown}" if hours else shown


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time from `start` up to, not including, `end` (samples)."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"an interval cannot end ({self.end}) before it starts ({self.start})")

    @property
    def duration(self) -> int:
        """Return the length in samples."""
        return self.end - self.start

    def touches(self, other: "Interval") -> bool:
        """Say whether both share time; an empty interval shares it when it lies inside the other."""
        if self.start == self.end or other.start == other.end:
            return max(self.start, other.start) <= min(self.end, other.end)
        return max(self.start, other.start) < min(self.end, other.end)
