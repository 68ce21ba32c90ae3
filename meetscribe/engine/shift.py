"""Events of a stream that began in the middle of a meeting, put on the meeting's time line."""

from dataclasses import replace

from meetscribe.events import Event, Final, Partial, Turn, TurnEnd, TurnStart


def shifted(event: Event, start: int) -> Event:
    """Return a transcriber's event with all its times `start` samples later."""
    if not start:
        return event
    at = event.at + start
    match event:
        case Partial(turn=turn) | Final(turn=turn):
            return replace(event, at=at, turn=_shifted_turn(turn, start))
        case TurnStart(start=began):
            return replace(event, at=at, start=began + start)
        case TurnEnd(end=end):
            return replace(event, at=at, end=end + start)
    raise TypeError(f"a transcriber gave a {type(event).__name__}")


def _shifted_turn(turn: Turn, start: int) -> Turn:
    words = tuple(replace(word, start=word.start + start, end=word.end + start) for word in turn.words)
    return replace(turn, start=turn.start + start, end=turn.end + start, words=words)
