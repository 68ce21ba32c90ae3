"""The durable events of a meeting, one JSON object per line."""

from collections.abc import Iterable

from meetscribe.errors import FormatError
from meetscribe.events import DurableEvent, Event
from meetscribe.formats import wire
from meetscribe.meeting import fold


def encode(events: Iterable[Event]) -> str:
    """Return the durable events as lines; turns carry the names that their speakers have in the end."""
    durable = [event for event in events if isinstance(event, DurableEvent)]
    names = fold(durable).speakers
    return "".join(wire.dumps(event, names) + "\n" for event in durable)


def decode(text: str) -> list[Event]:
    """Return the events of the lines; empty lines are skipped.

    Raises:
        FormatError: a line is not an event; the message says which.
    """
    events = []
    for number, line in enumerate(text.split("\n"), 1):  # not splitlines: U+2028 may stand in a text
        if not line.strip():
            continue
        try:
            events.append(wire.loads(line))
        except FormatError as error:
            raise FormatError(f"line {number}: {error}") from error
    return events
