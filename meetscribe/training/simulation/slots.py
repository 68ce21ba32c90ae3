"""Which of the two outputs a turn belongs to.

Not covered: which person speaks; a person's slot changes from turn to turn.
"""

from collections.abc import Sequence


def assign_slots(spans: Sequence[tuple[int, int]]) -> list[int]:
    """Return the slot of each turn: that of whoever spoke last, or the other one while somebody is talking.

    A stream starts in slot 0. Single talk stays in one slot; only overlap switches. Of two who end together the one
    who began later spoke last.

    Args:
        spans: (start, end) of the turns in samples, by start.

    Raises:
        ValueError: the turns are not sorted by start, or three people talk at once.
    """
    slots: list[int] = []
    last: list[tuple[int, int] | None] = [None, None]  # end and start of the last turn of each slot
    for number, (start, end) in enumerate(spans):
        if number and start < spans[number - 1][0]:
            raise ValueError("turns must be sorted by start to get their slots")
        slot = _slot(start, last)
        slots.append(slot)
        last[slot] = (end, start)
    return slots


def _slot(start: int, last: Sequence[tuple[int, int] | None]) -> int:
    talking = [slot for slot, turn in enumerate(last) if turn is not None and turn[0] > start]
    if len(talking) == 2:
        raise ValueError(f"three people talk at once at sample {start}, and there are two slots")
    if talking:
        return 1 - talking[0]
    known = [(turn, slot) for slot, turn in enumerate(last) if turn is not None]
    return max(known)[1] if known else 0
