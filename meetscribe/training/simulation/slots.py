"""Which of the two outputs a turn belongs to.

Not covered: which person speaks; a person's slot changes from turn to turn.
"""

from collections.abc import Sequence


def assign_slots(spans: Sequence[tuple[int, int]]) -> list[int]:
    """Return the slot of each turn: that of whoever spoke last, or the other one while somebody is talking.

    A stream starts in slot 0. Single talk stays in one slot; only overlap switches.

    Args:
        spans: (start, end) of the turns in samples, by start.

    Raises:
        ValueError: the turns are not sorted by start, or three people talk at once.
    """
    slots: list[int] = []
    ends: list[int | None] = [None, None]
    previous = None
    for start, end in spans:
        if previous is not None and start < previous:
            raise ValueError("turns must be sorted by start to get their slots")
        slot = _slot(start, ends)
        slots.append(slot)
        ends[slot], previous = end, start
    return slots


def _slot(start: int, ends: Sequence[int | None]) -> int:
    talking = [slot for slot, end in enumerate(ends) if end is not None and end > start]
    if len(talking) == 2:
        raise ValueError(f"three people talk at once at sample {start}, and there are two slots")
    if talking:
        return 1 - talking[0]
    known = [(end, slot) for slot, end in enumerate(ends) if end is not None]
    return max(known)[1] if known else 0
