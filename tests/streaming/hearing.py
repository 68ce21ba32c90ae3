"""Letting a transcriber hear audio piece by piece, with an engine that answers at once."""

from collections.abc import Sequence

import numpy as np

from meetscribe.engine.in_process import StepEngine
from meetscribe.events import Event
from meetscribe.streaming.transcriber import Transcriber


def events_of(subject: Transcriber, engine: StepEngine, parts: Sequence[np.ndarray]) -> list[Event]:
    """Return the events of audio that comes in parts, to its end."""
    events: list[Event] = []
    for part in parts:
        subject.receive_audio(part)
        events += think(subject, engine)
    subject.receive_eof()
    return events + think(subject, engine)


def think(subject: Transcriber, engine: StepEngine) -> list[Event]:
    """Answer all that a transcriber asks now; return its events."""
    while requests := subject.requests():
        for result in engine.run(requests):
            subject.receive_result(result)
    return subject.events()
