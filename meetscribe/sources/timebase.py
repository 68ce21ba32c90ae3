"""How late sound comes, and what that says: that sound is missing, or that the device's clock is not ours.

Sound comes in time or late, never early, so the least lateness of a few seconds is nearly free of the jitter of threads
and programs. Pure: times are given.
"""

WINDOW = 2.0  # seconds over which the least lateness is taken
FIRST = 2  # windows that say how late sound comes where all is well
MISSING = 0.5  # seconds by which the least lateness may grow in one window before sound is missing
SETTLE = 60.0  # seconds in which a difference of two clocks is made up for


class Timebase:
    """Watches one stream since it was opened."""

    def __init__(self) -> None:
        self._target: float | None = None  # least lateness at the beginning
        self._last: float | None = None  # that of the window before
        self._least: float | None = None  # that of this window
        self._windows = 0
        self._end = 0.0

    @property
    def stretch(self) -> float:
        """Return by how much the sound is to be stretched so that its clock agrees with ours (0: not at all)."""
        if self._target is None or self._last is None or self._windows <= FIRST:
            return 0.0
        return (self._last - self._target) / SETTLE

    def observe(self, late: float, at: float) -> float:
        """Take how late sound was that came at time `at` (seconds); return how many seconds are missing, mostly 0."""
        if self._least is None:
            self._least, self._end = late, at + WINDOW
        self._least = min(self._least, late)
        if at < self._end:
            return 0.0
        least, self._least = self._least, None
        missing = 0.0
        if self._last is not None and least - self._last > MISSING:
            missing = least - self._last
        self._last = least - missing
        self._windows += 1
        if self._windows <= FIRST:
            self._target = self._last if self._target is None else min(self._target, self._last)
        return missing
